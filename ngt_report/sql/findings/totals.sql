-- results rows whose total of steps contradicts what the logs declare
-- when: kind row
-- when: fact total_steps | fact config.total_steps
WITH rows AS (
    SELECT r.name, s.path, f.value, f.line, r.total_steps, TRY_CAST(f.value AS BIGINT) = b.best_step AS is_best
    FROM raw_facts AS f
    JOIN run_trials AS t ON t.source = f.source AND t.trial = f.trial
    JOIN raw_trials AS w ON w.source = f.source AND w.trial = f.trial AND w.kind = 'row'
    JOIN runs AS r ON r.run = t.run
    JOIN sources AS s ON s.id = f.source
    LEFT JOIN best_last AS b ON b.run = r.run
    WHERE f.key IN ('total_steps', 'config.total_steps') AND r.total_steps IS NOT NULL AND TRY_CAST(f.value AS DOUBLE) <> r.total_steps
)
SELECT
    'warning' AS severity, 'contradiction' AS kind, CASE WHEN count(*) = 1 THEN min(name) END AS run,
    path || ' gives other total steps than the logs for ' || count(*) || CASE WHEN count(*) = 1 THEN ' run' ELSE ' runs' END || ', such as '
        || arg_min(value, line) || ' for ' || arg_min(name, line) || ', whose log declares ' || arg_min(total_steps, line)
        || CASE WHEN bool_and(is_best) THEN ': its column holds the best step' ELSE '' END AS text,
    path AS source, min(line) AS line
FROM rows
GROUP BY path
ORDER BY path
