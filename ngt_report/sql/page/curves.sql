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
series AS (
    SELECT t.run, c.*
    FROM counted AS c
    JOIN run_trials AS t ON t.source = c.source AND t.trial = c.trial
    QUALIFY row_number() OVER (PARTITION BY t.run, c.metric ORDER BY t.precedence, c.n DESC, c.source, c.trial) = 1
    UNION ALL
    SELECT run, NULL, NULL, metric, count(*), count(*) FILTER (NOT isfinite(value)), max(decimals), min(coalesce(step, line)), max(coalesce(step, line))
    FROM evals
    WHERE starts_with(metric, 'val/') AND NOT is_final
    GROUP BY run, metric
    HAVING count(*) > 1
),
-- the losses have most of the room, other metrics share the rest; every curve of a metric has the same
room AS (
    SELECT *, row_number() OVER (ORDER BY metric, run) AS id, greatest($least, CASE WHEN metric IN ('val/loss', 'train/loss') THEN 0.4 ELSE 0.2 END
        * $budget / count(*) OVER (PARTITION BY CASE WHEN metric IN ('val/loss', 'train/loss') THEN metric END)) AS cap
    FROM series
),
gauged AS (
    SELECT *, n <= cap AS whole, greatest(1, ceil((high - low + 1) / (cap / 2)))::BIGINT AS width FROM room
),
live AS NOT MATERIALIZED (
    SELECT s.id, s.whole, s.low, s.high, s.width, coalesce(e.step, e.line) AS x, e.step, e.value, e.clock_s, e.tokens, e.source, e.line
    FROM evals AS e
    JOIN gauged AS s ON s.run = e.run AND s.metric = e.metric AND s.source IS NULL
    WHERE NOT e.is_final
    UNION ALL
    SELECT
        s.id, s.whole, s.low, s.high, s.width, coalesce(p.step, p.line), p.step, p.value, p.elapsed_s + coalesce(g.clock_offset_s, 0), p.tokens, p.source, p.line
    FROM raw_points AS p
    JOIN gauged AS s ON s.source = p.source AND s.trial = p.trial AND s.metric = p.metric
    LEFT JOIN segments AS g ON g.source = p.source AND g.trial = p.trial AND g.segment = p.segment
    WHERE g.superseded_from IS NULL OR p.step IS NULL OR p.step < g.superseded_from
),
bounds AS (
    SELECT id, arg_min({'x': x, 's': step, 'v': value, 'c': clock_s, 'k': tokens, 'f': source, 'l': line}, value) AS least,
        arg_max({'x': x, 's': step, 'v': value, 'c': clock_s, 'k': tokens, 'f': source, 'l': line}, value) AS most
    FROM live
    WHERE NOT whole AND isfinite(value)
    GROUP BY id, CASE WHEN x = high THEN -1 WHEN x = low THEN -2 ELSE (x - low) // width END
),
kept AS (
    SELECT id, {'x': x, 's': step, 'v': CASE WHEN isfinite(value) THEN value END, 'c': clock_s, 'k': tokens, 'f': source, 'l': line} AS p
    FROM live
    WHERE whole
    UNION ALL
    SELECT id, least FROM bounds
    UNION ALL
    SELECT id, most FROM bounds WHERE most <> least
)
SELECT any_value(s.run) AS run, any_value(s.metric) AS metric, any_value(s.n) AS n, any_value(s.bad) AS bad, any_value(s.decimals) AS decimals,
    list(k.p.s ORDER BY k.p.x, k.p.l) AS step, list(k.p.v ORDER BY k.p.x, k.p.l) AS value, list(k.p.c ORDER BY k.p.x, k.p.l) AS clock,
    list(k.p.k ORDER BY k.p.x, k.p.l) AS tokens, list(k.p.f ORDER BY k.p.x, k.p.l) AS source, list(k.p.l ORDER BY k.p.x, k.p.l) AS line
FROM kept AS k
JOIN gauged AS s USING (id)
GROUP BY id
ORDER BY id
