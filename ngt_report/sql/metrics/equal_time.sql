-- title: Loss at equal training time (a schedule cut short is not a finished run)
-- unit: nats per token
-- better: lower
-- grain: run
WITH
ends AS (
    SELECT c.budget, c.run, e.clock_s
    FROM compared AS c
    JOIN fixed_step AS f USING (budget, run)
    JOIN evals AS e ON e.run = c.run AND e.metric = 'val/loss' AND e.step = f.step
    WHERE e.clock_s IS NOT NULL
),
shortest AS (
    SELECT budget, min(clock_s) AS time_s FROM ends GROUP BY budget HAVING count(*) > 1
),
around AS (
    SELECT
        c.budget, e.run, s.time_s, e.step, e.value, e.clock_s,
        lead(e.clock_s) OVER later AS next_clock_s, lead(e.value) OVER later AS next_value, lead(e.step) OVER later AS next_step
    FROM compared AS c
    JOIN shortest AS s USING (budget)
    JOIN evals AS e ON e.run = c.run AND e.metric = 'val/loss' AND e.clock_s IS NOT NULL AND isfinite(e.value) AND e.step > 0
    WINDOW later AS (PARTITION BY c.budget, e.run ORDER BY e.step)
)
SELECT
    budget, run, time_s,
    CASE WHEN clock_s = time_s THEN value ELSE value + (next_value - value) * (time_s - clock_s) / (next_clock_s - clock_s) END AS loss,
    CASE WHEN clock_s = time_s THEN step::DOUBLE ELSE step + (next_step - step) * (time_s - clock_s) / (next_clock_s - clock_s) END AS step
FROM around
WHERE clock_s = time_s OR (clock_s < time_s AND next_clock_s > time_s)
ORDER BY budget, loss, run
