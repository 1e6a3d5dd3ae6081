-- losses below 0, and digits that are cut off
-- when: negative losses | uneven decimals | no single curve | restarts | metric eval_loss | metric final/loss
WITH
suspects AS (
    -- a long curve is looked at again when its lowest value or its decimals are odd
    SELECT l.run
    FROM long_curves AS l
    JOIN curves AS c ON c.source = l.source AND c.trial = l.trial AND c.metric = 'val/loss'
    WHERE c.best < 0 OR c.least_decimals <= c.most_decimals - 2
),
losses AS (
    SELECT run, step, value, decimals, path, line FROM settled WHERE metric = 'val/loss' AND isfinite(value)
    UNION ALL
    SELECT run, step, value, decimals, path, line FROM evals SEMI JOIN suspects USING (run) WHERE metric = 'val/loss' AND isfinite(value)
),
printed AS (
    -- the decimals that (nearly) all values of a run have
    SELECT run, mode(decimals) AS usual, count(*) AS n FROM losses WHERE decimals IS NOT NULL GROUP BY run
    HAVING count(*) >= 8 AND mode(decimals) >= 3
),
cut AS (
    SELECT l.run, any_value(p.usual) AS usual, count(*) AS n, any_value(p.n) AS of_n, arg_min({'p': l.path, 'l': l.line, 's': l.step, 'v': l.value}, l.step) AS spot
    FROM losses AS l
    JOIN printed AS p ON p.run = l.run AND l.decimals <= p.usual - 2
    GROUP BY l.run
)
SELECT 'warning' AS severity, 'impossible' AS kind, r.name AS run,
    'run ' || r.name || ' has a validation loss below 0 at step ' || coalesce(step::VARCHAR, '?') || ': a cross-entropy cannot be' AS text, path AS source, line
FROM losses JOIN runs AS r USING (run) WHERE value < 0
QUALIFY row_number() OVER (PARTITION BY run ORDER BY step) = 1
UNION ALL
SELECT 'warning', 'truncated', r.name, 'run ' || r.name || ' prints ' || spot.v || ' at step ' || coalesce(spot.s::VARCHAR, '?') || ' where its losses have '
    || usual || ' decimals: the line may be cut off', spot.p, spot.l
FROM cut JOIN runs AS r USING (run) WHERE n <= 0.05 * of_n
ORDER BY ALL
