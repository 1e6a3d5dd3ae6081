-- runs that did not finish, with the cause of a crash
SELECT
    CASE WHEN r.status LIKE 'crashed%' OR r.status LIKE 'diverged%' THEN 'warning' ELSE 'info' END AS severity,
    CASE WHEN r.status LIKE 'crashed%' THEN 'crashed' WHEN r.status LIKE 'incomplete%' THEN 'incomplete' ELSE 'ended' END AS kind,
    r.name AS run, 'run ' || r.name || ' ' || CASE WHEN r.status LIKE 'incomplete%' THEN 'is ' ELSE '' END || r.status AS text,
    s.path AS source, (SELECT max(f.line) FROM raw_facts AS f WHERE f.source = t.source AND f.trial = t.trial AND f.key = 'crash') AS line
FROM runs AS r
JOIN run_trials AS t ON t.run = r.run AND t.main
JOIN sources AS s ON s.id = t.source
WHERE r.status NOT IN ('finished', 'no declared total')
ORDER BY r.name
