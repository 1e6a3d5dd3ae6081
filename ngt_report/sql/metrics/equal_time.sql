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
bounded AS (
    -- with long curves:
    -- of a long curve only the stretch in which the time falls, up to where the next one begins
    SELECT
        s.run, s.budget, s.time_s, max(h.first_step) FILTER (h.first_clock <= s.time_s) AS low, min(h.first_step) FILTER (h.first_clock > s.time_s) AS high
    FROM timed_sets AS s
    LEFT JOIN long_curves AS l ON l.run = s.run
    LEFT JOIN stretches AS h ON h.source = l.source AND h.trial = l.trial AND h.metric = 'val/loss'
    GROUP BY s.run, s.budget, s.time_s
    -- else:
    SELECT *, NULL::BIGINT AS low, NULL::BIGINT AS high FROM timed_sets
    -- end
),
timed AS (
    SELECT
        any_value(budget) AS budget, run, any_value(time_s) AS time_s,
        arg_max({'v': value, 's': step, 'c': clock_s}, step) FILTER (clock_s <= time_s) AS a,
        arg_min({'v': value, 's': step, 'c': clock_s}, step) FILTER (clock_s > time_s) AS b
    FROM losses_within(bounded)
    WHERE clock_s IS NOT NULL AND isfinite(value) AND step > 0
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
