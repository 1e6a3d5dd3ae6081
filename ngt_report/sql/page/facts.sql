-- title: where what each run records stands: in the source that is believed first, its last statement
-- grain: run, key
SELECT t.run, regexp_replace(f.key, '^config\.', '') AS key, s.path, f.line, f.pointer
FROM raw_facts AS f
JOIN run_trials AS t USING (source, trial)
JOIN sources AS s ON s.id = f.source
WHERE f.value <> 'null'
QUALIFY row_number() OVER (PARTITION BY t.run, regexp_replace(f.key, '^config\.', '') ORDER BY t.precedence, s.path, t.trial, f.line DESC) = 1
