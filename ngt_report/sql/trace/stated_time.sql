-- title: where a source states the train time of a run
-- grain: fact, the best source first
SELECT f.source, s.path, f.line, f.pointer
FROM raw_facts AS f
JOIN run_trials AS t ON t.source = f.source AND t.trial = f.trial
JOIN sources AS s ON s.id = f.source
WHERE t.run = $run AND f.key = 'train_time_s'
ORDER BY t.precedence, s.path, f.line
LIMIT 1
