-- title: what a run is called, file by file: its sources, its name inside them, and its checkpoints
-- grain: run, name
SELECT t.run, s.path AS file, s.path AS name FROM run_trials AS t JOIN sources AS s ON s.id = t.source
UNION
SELECT t.run, s.path, w.name
FROM run_trials AS t
JOIN sources AS s ON s.id = t.source
JOIN raw_trials AS w ON w.source = t.source AND w.trial = t.trial
WHERE w.name IS NOT NULL
UNION
SELECT run, path, path FROM checkpoints WHERE run IS NOT NULL
UNION
SELECT run, '', name FROM runs
UNION
SELECT run, '', run FROM runs
ORDER BY 1, 2, 3
