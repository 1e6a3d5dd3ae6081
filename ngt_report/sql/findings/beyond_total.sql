-- steps beyond the declared total
-- when: steps beyond the total
SELECT
    'warning' AS severity, 'beyond_total' AS kind, r.name AS run,
    'run ' || r.name || ' goes on to step ' || b.last_step || ', beyond its declared total of ' || r.total_steps AS text,
    b.last_path AS source, b.last_line AS line
FROM runs AS r JOIN best_last AS b USING (run) WHERE b.last_step > r.total_steps AND NOT r.is_continuation
ORDER BY ALL
