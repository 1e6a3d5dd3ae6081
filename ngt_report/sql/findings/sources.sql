-- what the sources themselves noticed
-- when: findings
SELECT DISTINCT f.severity, f.kind, r.name AS run, f.text, s.path AS source, f.line
FROM raw_findings AS f
LEFT JOIN sources AS s ON s.id = f.source
LEFT JOIN run_trials AS t ON t.source = f.source AND t.trial = f.trial
LEFT JOIN runs AS r ON r.run = t.run
ORDER BY ALL
