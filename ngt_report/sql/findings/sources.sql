-- what the sources themselves noticed
-- when: findings
SELECT DISTINCT f.severity, f.kind, r.name AS run, f.text, s.path AS source, f.line
FROM raw_findings AS f
LEFT JOIN sources AS s ON s.id = f.source
LEFT JOIN run_trials AS t ON t.source = f.source AND t.trial = f.trial
LEFT JOIN runs AS r ON r.run = t.run
WHERE f.kind <> 'only_best' -- said of rows; where a log has the run's curve, it has the end too
    OR EXISTS (SELECT 1 FROM run_trials AS m WHERE m.source = f.source AND m.main)
ORDER BY ALL
