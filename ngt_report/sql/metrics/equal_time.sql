-- title: Loss at equal training time (a schedule cut short is not a finished run)
-- unit: nats per token
-- better: lower
-- grain: run
WITH
shortest AS (
    SELECT budget, min(clock_s) AS time_s FROM fixed_step WHERE step IS NOT NULL AND clock_s IS NOT NULL GROUP BY budget HAVING count(*) > 1
),
timed AS (
    SELECT c.budget, e.run, s.time_s, e.step, e.value, e.clock_s
    FROM evals AS e
    JOIN compared AS c ON c.run = e.run
    JOIN shortest AS s ON s.budget = c.budget
    WHERE e.metric = 'val/loss' AND e.clock_s IS NOT NULL AND isfinite(e.value) AND e.step > 0
),
beyond AS (
    SELECT budget, run, min(step) FILTER (clock_s > time_s) AS step FROM timed GROUP BY budget, run
),
around AS (
    SELECT
        t.budget, t.run, any_value(t.time_s) AS time_s,
        max(t.step) FILTER (b.step IS NULL OR t.step < b.step) AS step, any_value(b.step) AS next_step,
        arg_max(t.value, t.step) FILTER (b.step IS NULL OR t.step < b.step) AS value, any_value(t.value) FILTER (t.step = b.step) AS next_value,
        arg_max(t.clock_s, t.step) FILTER (b.step IS NULL OR t.step < b.step) AS clock_s, any_value(t.clock_s) FILTER (t.step = b.step) AS next_clock_s
    FROM timed AS t
    JOIN beyond AS b ON b.budget = t.budget AND b.run = t.run
    GROUP BY t.budget, t.run
)
SELECT
    budget, run, time_s,
    CASE WHEN clock_s = time_s THEN value ELSE value + (next_value - value) * (time_s - clock_s) / (next_clock_s - clock_s) END AS loss,
    CASE WHEN clock_s = time_s THEN step::DOUBLE ELSE step + (next_step - step) * (time_s - clock_s) / (next_clock_s - clock_s) END AS step
FROM around
WHERE clock_s = time_s OR (clock_s < time_s AND next_clock_s > time_s)
ORDER BY budget, loss, run
