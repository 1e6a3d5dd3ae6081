-- title: where a setting of each run is said, in the best source
-- grain: run
SELECT t.run, s.path, f.line, f.pointer
FROM raw_facts AS f
JOIN run_trials AS t ON t.source = f.source AND t.trial = f.trial
JOIN sources AS s ON s.id = f.source
WHERE f.key IN ($key, 'config.' || $key)
QUALIFY row_number() OVER (PARTITION BY t.run ORDER BY t.precedence, s.path, f.line) = 1
