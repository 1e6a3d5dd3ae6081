-- title: Loss at equal training time (a schedule cut short is not a finished run)
-- unit: nats per token
-- better: lower
-- grain: run
-- when: clock
-- columns: budget VARCHAR, run VARCHAR, time_s DOUBLE, loss DOUBLE, step DOUBLE
WITH
shortest AS (
    SELECT budget, min(clock_s) AS time_s FROM fixed_step WHERE step IS NOT NULL AND clock_s IS NOT NULL GROUP BY budget HAVING count(*) > 1
),
timed_sets AS (
    SELECT c.run, c.budget, s.time_s FROM compared AS c JOIN shortest AS s ON s.budget = c.budget
),
-- with long curves:
long AS (
    SELECT s.budget, s.run, s.time_s, l.source, l.trial FROM timed_sets AS s JOIN long_curves AS l USING (run)
),
stretched AS (
    -- of a long curve only the stretch in which the time falls, up to where the next one begins
    SELECT h.source, h.trial, max(h.first_step) FILTER (h.first_clock <= l.time_s) AS low, min(h.first_step) FILTER (h.first_clock > l.time_s) AS high
    FROM stretches AS h
    JOIN long AS l ON l.source = h.source AND l.trial = h.trial
    WHERE h.metric = 'val/loss'
    GROUP BY h.source, h.trial
),
-- end
near AS (
    -- with short curves:
    SELECT s.budget, s.run, s.time_s, e.step, e.value, e.clock_s
    FROM settled AS e
    JOIN timed_sets AS s ON s.run = e.run
    WHERE e.metric = 'val/loss' AND e.clock_s IS NOT NULL AND isfinite(e.value) AND e.step > 0
    -- with long curves:
    UNION ALL
    -- end
    -- end
    -- with long curves:
    SELECT s.budget, s.run, s.time_s, p.step, p.value, p.elapsed_s AS clock_s
    FROM raw_points AS p
    JOIN (SELECT * FROM long JOIN stretched USING (source, trial)) AS s
        ON s.source = p.source AND s.trial = p.trial AND p.step >= s.low AND p.step <= coalesce(s.high, p.step)
    WHERE p.metric = 'val/loss' AND p.elapsed_s IS NOT NULL AND isfinite(p.value) AND p.step > 0
    -- end
),
timed AS (
    SELECT
        any_value(budget) AS budget, run, any_value(time_s) AS time_s,
        arg_max({'v': value, 's': step, 'c': clock_s}, step) FILTER (clock_s <= time_s) AS a,
        arg_min({'v': value, 's': step, 'c': clock_s}, step) FILTER (clock_s > time_s) AS b
    FROM near
    GROUP BY run
),
around AS (
    SELECT budget, run, time_s, a.s AS step, b.s AS next_step, a.v AS value, b.v AS next_value, a.c AS clock_s, b.c AS next_clock_s
    FROM timed
    WHERE a IS NOT NULL AND (b IS NULL OR a.s < b.s)
)
SELECT
    budget, run, time_s,
    CASE WHEN clock_s = time_s THEN value ELSE value + (next_value - value) * (time_s - clock_s) / (next_clock_s - clock_s) END AS loss,
    CASE WHEN clock_s = time_s THEN step::DOUBLE ELSE step + (next_step - step) * (time_s - clock_s) / (next_clock_s - clock_s) END AS step
FROM around
WHERE clock_s = time_s OR (clock_s < time_s AND next_clock_s > time_s)
ORDER BY budget, loss, run
