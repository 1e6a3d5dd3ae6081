-- title: the curves of a page; a long one keeps, of each bucket of steps, a lowest and a highest point
-- grain: run, metric; points in lists, in the order of their steps
WITH
counted AS (
    SELECT source, trial, metric, count(*) AS n, count(*) FILTER (NOT isfinite(value)) AS bad, max(decimals) AS decimals,
        min(coalesce(step, line)) AS low, max(coalesce(step, line)) AS high
    FROM raw_points
    WHERE NOT starts_with(metric, 'val/') AND NOT starts_with(metric, 'test/') AND NOT starts_with(metric, 'final/')
        AND metric <> 'best/loss' AND metric <> 'eval_loss'
    GROUP BY ALL
    HAVING count(*) > 1
),
-- evaluations come from `evals`; of any other metric, the run's best source that has it
chosen AS (
    SELECT t.run, c.*
    FROM counted AS c
    JOIN run_trials AS t USING (source, trial)
    QUALIFY row_number() OVER (PARTITION BY t.run, c.metric ORDER BY t.precedence, c.n DESC, c.source, c.trial) = 1
),
series AS (
    SELECT run, source, trial, metric, n, bad, decimals, low, high FROM chosen
    UNION ALL
    SELECT run, NULL, NULL, metric, count(*), count(*) FILTER (NOT isfinite(value)), max(decimals), min(coalesce(step, line)), max(coalesce(step, line))
    FROM evals
    WHERE starts_with(metric, 'val/') AND NOT is_final
    GROUP BY run, metric
    HAVING count(*) > 1
),
-- the losses have most of the room, other metrics share the rest; every curve of a metric has the same
room AS (
    SELECT *, greatest($least, CASE WHEN metric IN ('val/loss', 'train/loss') THEN 0.4 ELSE 0.2 END * $budget
        / count(*) OVER (PARTITION BY CASE WHEN metric IN ('val/loss', 'train/loss') THEN metric END)) AS cap
    FROM series
),
gauged AS (
    SELECT *, n <= cap AS whole, greatest(1, ceil((high - low + 1) / (cap / 2)))::BIGINT AS width FROM room
),
live AS (
    SELECT s.run, s.metric, s.whole, s.low, s.high, s.width, coalesce(e.step, e.line) AS x, e.step, e.value, e.clock_s, e.tokens, e.source, e.line
    FROM evals AS e
    JOIN gauged AS s ON s.run = e.run AND s.metric = e.metric AND s.source IS NULL
    WHERE NOT e.is_final
    UNION ALL
    SELECT
        s.run, s.metric, s.whole, s.low, s.high, s.width, coalesce(p.step, p.line), p.step, p.value, p.elapsed_s + coalesce(g.clock_offset_s, 0), p.tokens, p.source, p.line
    FROM raw_points AS p
    JOIN gauged AS s ON s.source = p.source AND s.trial = p.trial AND s.metric = p.metric
    LEFT JOIN segments AS g ON g.source = p.source AND g.trial = p.trial AND g.segment = p.segment
    WHERE g.superseded_from IS NULL OR p.step IS NULL OR p.step < g.superseded_from
),
thinned AS (
    SELECT run, metric, unnest([arg_min(x, value), arg_max(x, value)]) AS x,
        unnest([arg_min_null(step, value), arg_max_null(step, value)]) AS step, unnest([min(value), max(value)]) AS value,
        unnest([arg_min_null(clock_s, value), arg_max_null(clock_s, value)]) AS clock_s,
        unnest([arg_min_null(tokens, value), arg_max_null(tokens, value)]) AS tokens,
        unnest([arg_min(source, value), arg_max(source, value)]) AS source, unnest([arg_min_null(line, value), arg_max_null(line, value)]) AS line
    FROM live
    WHERE NOT whole AND isfinite(value)
    GROUP BY run, metric, CASE WHEN x = high THEN -1 WHEN x = low THEN -2 ELSE (x - low) // width END
),
kept AS (
    SELECT run, metric, x, step, CASE WHEN isfinite(value) THEN value END AS value, clock_s, tokens, source, line FROM live WHERE whole
    UNION ALL
    SELECT DISTINCT * FROM thinned
)
SELECT run, metric, any_value(s.n) AS n, any_value(s.bad) AS bad, any_value(s.decimals) AS decimals,
    list(k.step ORDER BY k.x, k.line) AS step, list(k.value ORDER BY k.x, k.line) AS value, list(k.clock_s ORDER BY k.x, k.line) AS clock,
    list(k.tokens ORDER BY k.x, k.line) AS tokens, list(k.source ORDER BY k.x, k.line) AS source, list(k.line ORDER BY k.x, k.line) AS line
FROM kept AS k
JOIN series AS s USING (run, metric)
GROUP BY run, metric
ORDER BY metric, run
