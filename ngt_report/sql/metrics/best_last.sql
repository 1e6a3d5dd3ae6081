-- title: Best and last validation loss
-- unit: nats per token
-- better: lower
-- grain: run
WITH
-- with metric best/loss | metric final/loss:
told AS (
    SELECT
        f.run,
        -- the same value with more digits: full precision first, then the most decimals, then a checkpoint
        arg_min({'v': e.value, 'p': e.path, 'src': e.source, 'l': e.line, 'ptr': e.pointer},
            (e.decimals IS NOT NULL, -coalesce(e.decimals, 0), e.pointer IS NULL, e.path))
            FILTER (e.metric = 'best/loss' AND coalesce(e.decimals, 99) > f.best.d AND abs(e.value - f.best.v) <= 0.5000001 * pow(10, -f.best.d)) AS restated,
        -- with metric final/loss:
        arg_min({'v': e.value, 'p': e.path, 'src': e.source, 'l': e.line, 'ptr': e.pointer}, e.path)
            FILTER (e.metric = 'final/loss' AND coalesce(e.decimals, 99) > f.last.d AND abs(e.value - f.last.v) <= 0.5000001 * pow(10, -f.last.d)) AS restated_last,
        -- a table that tells the best beside the only, closing value
        arg_min({'v': e.value, 's': e.step, 'd': e.decimals, 'c': e.clock_s, 'src': e.source, 'p': e.path, 'l': e.line, 'ptr': e.pointer},
            (e.value, e.path, coalesce(e.line, 0)))
            FILTER (e.metric = 'best/loss' AND isfinite(e.value) AND f.from_final AND f.n_val = 1
                AND (e.value < f.best.v OR e.value = f.best.v AND f.best.s IS NULL AND e.step IS NOT NULL)) AS better
        -- else:
        NULL::STRUCT(v DOUBLE, p VARCHAR, src BIGINT, l BIGINT, ptr VARCHAR) AS restated_last,
        NULL::STRUCT(v DOUBLE, s BIGINT, d TINYINT, c DOUBLE, src BIGINT, p VARCHAR, l BIGINT, ptr VARCHAR) AS better
        -- end
    FROM evals AS e
    JOIN ends AS f ON f.run = e.run
    WHERE e.metric IN ('best/loss', 'final/loss')
    GROUP BY f.run
),
-- end
found AS (
    -- with metric best/loss | metric final/loss:
    SELECT f.*, coalesce(t.better, f.best) AS logged, t.better, t.restated, t.restated_last
    FROM ends AS f
    LEFT JOIN told AS t ON t.run = f.run
    -- else:
    SELECT *, best AS logged, NULL::STRUCT(v DOUBLE, p VARCHAR, src BIGINT, l BIGINT, ptr VARCHAR) AS restated, restated AS better, restated AS restated_last
    FROM ends
    -- end
)
SELECT
    run, n_val, first_step, from_final,
    coalesce(better.v, restated.v, best.v) AS best_loss, logged.v AS best_logged, logged.d AS best_decimals, logged.s AS best_step,
    logged.src AS best_source, logged.p AS best_path, logged.l AS best_line, logged.ptr AS best_pointer, restated.p AS refined_path, restated.ptr AS refined_pointer,
    restated.l AS refined_line, restated.src AS refined_source,
    coalesce(restated_last.v, last.v) AS last_loss, last.v AS last_logged, last.d AS last_decimals, last.s AS last_step, last.c AS last_clock_s,
    last.src AS last_source, last.p AS last_path, last.l AS last_line, last.ptr AS last_pointer, restated_last.p AS last_refined_path
FROM found
ORDER BY run
