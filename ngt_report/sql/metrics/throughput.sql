-- title: Throughput between the first and the last common evaluation with a clock
-- unit: steps per second
-- better: higher
-- grain: run
-- when: clock
-- columns: budget VARCHAR, run VARCHAR, from_step BIGINT, to_step BIGINT, from_clock_s DOUBLE, to_clock_s DOUBLE, steps_per_s DOUBLE, s_per_step DOUBLE, from_source BIGINT, from_line BIGINT, to_source BIGINT, to_line BIGINT, to_path VARCHAR, on_front BOOLEAN
WITH
horizon AS (
    SELECT c.budget, c.run, k.clock_from AS from_step, k.clock_to AS to_step
    FROM compared AS c JOIN common_step AS k USING (budget)
    WHERE k.clock_from < k.clock_to
    UNION ALL
    -- a run that is compared with none has its own horizon
    SELECT NULL, c.run, min(e.step), max(e.step)
    FROM evals AS e
    JOIN compared AS c ON c.run = e.run AND c.budget IS NULL
    WHERE e.metric = 'val/loss' AND e.clock_s IS NOT NULL AND e.step > 0
    GROUP BY c.run
    HAVING count(*) > 1
),
ends_of AS MATERIALIZED (
    SELECT e.run, e.step, e.clock_s, e.source, e.line, e.path
    FROM evals AS e
    SEMI JOIN (SELECT from_step AS step FROM horizon UNION ALL SELECT to_step FROM horizon) AS h ON h.step = e.step
    WHERE e.metric = 'val/loss'
),
rated AS (
    SELECT
        h.budget, h.run, h.from_step, h.to_step, a.clock_s AS from_clock_s, b.clock_s AS to_clock_s,
        (h.to_step - h.from_step) / (b.clock_s - a.clock_s) AS steps_per_s,
        (b.clock_s - a.clock_s) / (h.to_step - h.from_step) AS s_per_step,
        a.source AS from_source, a.line AS from_line, b.source AS to_source, b.line AS to_line, b.path AS to_path, f.loss
    FROM horizon AS h
    JOIN ends_of AS a ON a.run = h.run AND a.step = h.from_step
    JOIN ends_of AS b ON b.run = h.run AND b.step = h.to_step
    LEFT JOIN fixed_step AS f ON f.run = h.run
    WHERE b.clock_s > a.clock_s
)
SELECT
    r.* EXCLUDE (loss),
    -- no compared run is both at least as fast and at least as low, and better in one
    r.loss IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM rated AS o
        WHERE o.budget = r.budget AND o.loss <= r.loss AND o.steps_per_s >= r.steps_per_s AND (o.loss < r.loss OR o.steps_per_s > r.steps_per_s)
    ) AS on_front
FROM rated AS r
ORDER BY r.budget, r.run
