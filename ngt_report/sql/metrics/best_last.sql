-- title: Best and last validation loss
-- unit: nats per token
-- better: lower
-- grain: run
WITH
restated AS (
    -- the same value with more digits: full precision first, then the most decimals, then a checkpoint
    SELECT
        f.run,
        arg_min({'v': e.value, 'p': e.path, 'src': e.source, 'l': e.line, 'ptr': e.pointer},
            (e.decimals IS NOT NULL, -coalesce(e.decimals, 0), e.pointer IS NULL, e.path)) AS best
    FROM evals AS e
    JOIN ends AS f ON f.run = e.run AND (e.decimals IS NULL OR e.decimals > f.best.d)
    WHERE e.metric = 'best/loss' AND f.best.d IS NOT NULL AND abs(e.value - f.best.v) <= 0.5000001 * pow(10, -f.best.d)
    GROUP BY f.run
),
restated_last AS (
    SELECT f.run, arg_min({'v': e.value, 'p': e.path, 'src': e.source, 'l': e.line, 'ptr': e.pointer}, e.path) AS last
    FROM evals AS e
    JOIN ends AS f ON f.run = e.run AND (e.decimals IS NULL OR e.decimals > f.last.d)
    WHERE e.metric = 'final/loss' AND f.last.d IS NOT NULL AND abs(e.value - f.last.v) <= 0.5000001 * pow(10, -f.last.d)
    GROUP BY f.run
),
told AS (
    -- a table that tells the best beside the only, closing value
    SELECT e.run, arg_min({'v': e.value, 's': e.step, 'd': e.decimals, 'src': e.source, 'p': e.path, 'l': e.line, 'ptr': e.pointer},
        (e.value, e.path, coalesce(e.line, 0))) AS best
    FROM evals AS e
    JOIN ends AS f ON f.run = e.run AND f.from_final AND f.n_val = 1
    WHERE e.metric = 'best/loss' AND isfinite(e.value)
        AND (e.value < f.best.v OR e.value = f.best.v AND f.best.s IS NULL AND e.step IS NOT NULL)
    GROUP BY e.run
)
SELECT
    f.run, f.n_val, f.first_step, f.from_final,
    coalesce(t.best.v, r.best.v, f.best.v) AS best_loss, CASE WHEN t.run IS NULL THEN f.best.v ELSE t.best.v END AS best_logged, CASE WHEN t.run IS NULL THEN f.best.d ELSE t.best.d END AS best_decimals, CASE WHEN t.run IS NULL THEN f.best.s ELSE t.best.s END AS best_step,
    CASE WHEN t.run IS NULL THEN f.best.src ELSE t.best.src END AS best_source, CASE WHEN t.run IS NULL THEN f.best.p ELSE t.best.p END AS best_path, CASE WHEN t.run IS NULL THEN f.best.l ELSE t.best.l END AS best_line, CASE WHEN t.run IS NULL THEN f.best.ptr ELSE t.best.ptr END AS best_pointer, r.best.p AS refined_path, r.best.ptr AS refined_pointer,
    r.best.l AS refined_line, r.best.src AS refined_source,
    coalesce(rl.last.v, f.last.v) AS last_loss, f.last.v AS last_logged, f.last.d AS last_decimals, f.last.s AS last_step, f.last.c AS last_clock_s,
    f.last.src AS last_source, f.last.p AS last_path, f.last.l AS last_line, f.last.ptr AS last_pointer, rl.last.p AS last_refined_path
FROM ends AS f
LEFT JOIN restated AS r USING (run)
LEFT JOIN told AS t USING (run)
LEFT JOIN restated_last AS rl USING (run)
ORDER BY f.run
