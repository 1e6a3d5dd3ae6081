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
)
SELECT
    f.run, f.n_val, f.first_step, f.from_final,
    coalesce(r.best.v, f.best.v) AS best_loss, f.best.v AS best_logged, f.best.d AS best_decimals, f.best.s AS best_step,
    f.best.src AS best_source, f.best.p AS best_path, f.best.l AS best_line, f.best.ptr AS best_pointer, r.best.p AS refined_path, r.best.ptr AS refined_pointer,
    r.best.l AS refined_line, r.best.src AS refined_source,
    coalesce(rl.last.v, f.last.v) AS last_loss, f.last.v AS last_logged, f.last.d AS last_decimals, f.last.s AS last_step, f.last.c AS last_clock_s,
    f.last.src AS last_source, f.last.p AS last_path, f.last.l AS last_line, f.last.ptr AS last_pointer, rl.last.p AS last_refined_path
FROM ends AS f
LEFT JOIN restated AS r USING (run)
LEFT JOIN restated_last AS rl USING (run)
ORDER BY f.run
