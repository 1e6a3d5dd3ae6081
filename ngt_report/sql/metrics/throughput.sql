-- title: Throughput between the first and the last common evaluation with a clock
-- unit: steps per second
-- better: higher
-- grain: run
-- when: clock
-- columns: budget VARCHAR, run VARCHAR, from_step BIGINT, to_step BIGINT, from_clock_s DOUBLE, to_clock_s DOUBLE, steps_per_s DOUBLE,
--   s_per_step DOUBLE, from_source BIGINT, from_line BIGINT, to_source BIGINT, to_line BIGINT, to_path VARCHAR, on_front BOOLEAN
WITH
-- with runs apart:
apart AS (
    SELECT run, 1 AS low, NULL::BIGINT AS high FROM compared WHERE budget IS NULL
),
-- end
timed AS (
    SELECT run, step, clock_s, source, line, path
    -- with long curves:
    FROM marked
    -- else:
    FROM settled WHERE metric = 'val/loss'
    -- end
),
paired AS (
    SELECT
        c.budget, c.run, k.clock_from AS from_step, k.clock_to AS to_step, a.clock_s AS from_clock_s, b.clock_s AS to_clock_s,
        a.source AS from_source, a.line AS from_line, b.source AS to_source, b.line AS to_line, b.path AS to_path, f.loss
    FROM compared AS c
    JOIN common_step AS k ON k.budget = c.budget AND k.clock_from < k.clock_to
    JOIN timed AS a ON a.run = c.run AND a.step = k.clock_from
    JOIN timed AS b ON b.run = c.run AND b.step = k.clock_to
    LEFT JOIN fixed_step AS f ON f.run = c.run
    -- with runs apart:
    UNION ALL
    -- a run that is compared with none has its own horizon
    SELECT NULL, run, a.s, b.s, a.c, b.c, a.src, a.l, b.src, b.l, b.p, NULL
    FROM (
        SELECT
            run, arg_min({'s': step, 'c': clock_s, 'src': source, 'l': line}, step) AS a,
            arg_max({'s': step, 'c': clock_s, 'src': source, 'l': line, 'p': path}, step) AS b
        FROM losses_within(apart)
        WHERE clock_s IS NOT NULL
        GROUP BY run
        HAVING count(*) > 1
    )
    -- end
),
rated AS (
    SELECT
        budget, run, from_step, to_step, from_clock_s, to_clock_s, (to_step - from_step) / (to_clock_s - from_clock_s) AS steps_per_s,
        (to_clock_s - from_clock_s) / (to_step - from_step) AS s_per_step, from_source, from_line, to_source, to_line, to_path, loss
    FROM paired
    WHERE to_clock_s > from_clock_s
),
beaten AS (
    -- another compared run is both at least as fast and at least as low, and better in one
    SELECT r.run
    FROM rated AS r
    JOIN rated AS o ON o.budget = r.budget AND o.loss <= r.loss AND o.steps_per_s >= r.steps_per_s AND (o.loss < r.loss OR o.steps_per_s > r.steps_per_s)
)
SELECT * EXCLUDE (loss), loss IS NOT NULL AND run NOT IN (FROM beaten) AS on_front
FROM rated
ORDER BY budget, run
