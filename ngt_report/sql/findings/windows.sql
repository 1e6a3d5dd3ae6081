-- validations that say how much text they are computed on, and change it
-- when: metric val/*tokens | metric val/*batches | metric val/*samples | metric val/*examples | metric val/*sequences | metric val/*iters
WITH
windows AS (
    -- a validation that says how much text it is computed on, and changes it
    SELECT run, metric, arg_min(value, step) AS first, arg_max(value, step) AS last, arg_max({'p': path, 'l': line}, step) AS spot
    FROM evals
    WHERE regexp_matches(metric, '^val/(n_)?(tokens|batches|samples|examples|sequences|iters)$')
    GROUP BY run, metric
    HAVING max(value) > min(value)
)
SELECT
    'warning' AS severity, 'changed' AS kind, r.name AS run,
    'run ' || r.name || ' changes what its validation is computed on: ' || metric || ' from ' || printf('%g', first) || ' to '
        || printf('%g', last) AS text,
    spot.p AS source, spot.l AS line
FROM windows JOIN runs AS r USING (run)
ORDER BY ALL
