-- validations that say how much text they are computed on, and change it
-- when: metric val/*tokens | metric val/*batches | metric val/*samples | metric val/*examples | metric val/*sequences | metric val/*iters
WITH
windows AS (
    -- a validation that says how much text it is computed on, and changes it
    SELECT run, metric, min(value) AS low, max(value) AS high, arg_max({'p': path, 'l': line}, step) AS spot
    FROM evals
    WHERE regexp_matches(metric, '^val/(n_)?(tokens|batches|samples|examples|sequences|iters)$')
    GROUP BY run, metric
    HAVING max(value) > min(value)
)
SELECT 'warning' AS severity, 'changed' AS kind, r.name AS run, 'run ' || r.name || ' changes what its validation is computed on: ' || metric || ' from ' || low || ' to ' || high AS text, spot.p AS source, spot.l AS line
FROM windows JOIN runs AS r USING (run)
ORDER BY ALL
