-- validation losses that are no numbers
-- when: not finite
SELECT
    'warning' AS severity, 'not_finite' AS kind, r.name AS run,
    'run ' || r.name || ' has ' || CASE count(*)
        WHEN 1 THEN 'a validation loss that is not finite, at step '
        ELSE count(*) || ' validation losses that are not finite, the first at step '
    END || coalesce(min(e.step)::VARCHAR, '?') AS text,
    min(e.path) AS source, min(e.line) AS line
FROM evals AS e
JOIN runs AS r USING (run)
WHERE e.metric = 'val/loss' AND NOT isfinite(e.value)
GROUP BY r.name
ORDER BY r.name
