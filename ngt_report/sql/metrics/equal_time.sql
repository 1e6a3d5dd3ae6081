-- title: Loss at equal training time (a schedule cut short is not a finished run)
-- unit: nats per token
-- better: lower
-- grain: run
WITH
shortest AS (
    SELECT budget, min(clock_s) AS time_s FROM fixed_step WHERE step IS NOT NULL AND clock_s IS NOT NULL GROUP BY budget HAVING count(*) > 1
),
timed_sets AS (
    SELECT c.run, c.budget, s.time_s FROM compared AS c JOIN shortest AS s ON s.budget = c.budget
),
timed AS (
    SELECT
        any_value(s.budget) AS budget, e.run, any_value(s.time_s) AS time_s,
        min(e.step) FILTER (e.clock_s > s.time_s) AS next_step, max(e.step) FILTER (e.clock_s <= s.time_s) AS step
    FROM evals AS e
    JOIN timed_sets AS s ON s.run = e.run
    WHERE e.metric = 'val/loss' AND e.clock_s IS NOT NULL AND isfinite(e.value) AND e.step > 0
    GROUP BY e.run
),
around AS (
    SELECT
        t.budget, t.run, any_value(t.time_s) AS time_s, any_value(t.step) AS step, any_value(t.next_step) AS next_step,
        any_value(e.value) FILTER (e.step = t.step) AS value, any_value(e.value) FILTER (e.step = t.next_step) AS next_value,
        any_value(e.clock_s) FILTER (e.step = t.step) AS clock_s, any_value(e.clock_s) FILTER (e.step = t.next_step) AS next_clock_s
    FROM evals AS e
    JOIN timed AS t ON t.run = e.run
    WHERE e.metric = 'val/loss' AND isfinite(e.value) AND e.step IN (t.step, t.next_step) AND (t.next_step IS NULL OR t.step < t.next_step)
    GROUP BY t.budget, t.run
)
SELECT
    budget, run, time_s,
    CASE WHEN clock_s = time_s THEN value ELSE value + (next_value - value) * (time_s - clock_s) / (next_clock_s - clock_s) END AS loss,
    CASE WHEN clock_s = time_s THEN step::DOUBLE ELSE step + (next_step - step) * (time_s - clock_s) / (next_clock_s - clock_s) END AS step
FROM around
WHERE clock_s = time_s OR (clock_s < time_s AND next_clock_s > time_s)
ORDER BY budget, loss, run
