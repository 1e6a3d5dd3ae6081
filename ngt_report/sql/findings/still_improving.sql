-- runs whose best evaluation is their last: best against last says nothing about them
WITH found AS (
    SELECT r.name, b.last_step, b.best_path, b.best_line, count(*) OVER () AS runs
    FROM best_last AS b
    JOIN runs AS r USING (run)
    WHERE b.best_step = b.last_step AND b.n_val > 2
)
SELECT
    'info' AS severity, 'still_improving' AS kind, name AS run,
    'run ' || name || ' is best at its last evaluation (step ' || last_step || '): it was still improving' AS text,
    best_path AS source, best_line AS line
FROM found WHERE runs <= 6
UNION ALL
SELECT
    'info', 'still_improving', NULL,
    any_value(runs) || ' runs are best at their last evaluation and were still improving: '
        || list_aggregate(list(name ORDER BY name)[1:3], 'string_agg', ', ') || ' ...', NULL, NULL
FROM found WHERE runs > 6 HAVING count(*) > 0
ORDER BY ALL
