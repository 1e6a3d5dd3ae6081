-- title: Steps, seconds and tokens to a target loss, linear between evaluations
-- unit: steps, seconds, tokens
-- better: lower
-- grain: run, target
WITH
first AS (
    SELECT t.budget, t.target, e.run, min(e.step) AS at_step
    FROM evals AS e
    JOIN compared AS c ON c.run = e.run
    JOIN targets AS t ON t.budget = c.budget
    WHERE e.metric = 'val/loss' AND e.value <= t.target AND isfinite(e.value) AND e.step IS NOT NULL
    GROUP BY t.budget, t.target, e.run
),
ends AS (
    SELECT
        f.budget, f.target, f.run, f.at_step, any_value({'v': e.value, 's': e.step, 'c': e.clock_s, 'k': e.tokens}) FILTER (e.step = f.at_step) AS b,
        arg_max({'v': e.value, 's': e.step, 'c': e.clock_s, 'k': e.tokens}, e.step) FILTER (e.step < f.at_step) AS a
    FROM evals AS e
    JOIN first AS f ON f.run = e.run
    WHERE e.metric = 'val/loss' AND isfinite(e.value) AND e.step <= f.at_step
    GROUP BY f.budget, f.target, f.run, f.at_step
),
crossed AS (
    SELECT
        budget, target, run, at_step,
        {'f': CASE WHEN a.v > b.v THEN (a.v - target) / (a.v - b.v) ELSE 1.0 END,
            's0': a.s, 's1': b.s, 'c0': a.c, 'c1': b.c, 'k0': a.k, 'k1': b.k} AS x
    FROM ends
)
SELECT
    t.budget, t.target, t.why, c.run, x.at_step IS NOT NULL AS reached,
    coalesce(x.x.s0 + x.x.f * (x.x.s1 - x.x.s0), x.x.s1) AS steps,
    coalesce(x.x.c0 + x.x.f * (x.x.c1 - x.x.c0), CASE WHEN x.x.s0 IS NULL THEN x.x.c1 END) AS seconds,
    coalesce(
        x.x.k0 + x.x.f * (x.x.k1 - x.x.k0), CASE WHEN x.x.s0 IS NULL THEN x.x.k1 END,
        coalesce(x.x.s0 + x.x.f * (x.x.s1 - x.x.s0), x.x.s1) * k.tokens_per_step
    ) AS tokens
FROM targets AS t
JOIN compared AS c ON c.budget = t.budget
LEFT JOIN train_time AS k ON k.run = c.run
LEFT JOIN crossed AS x ON x.budget = t.budget AND x.target = t.target AND x.run = c.run
ORDER BY t.budget, t.target DESC, reached DESC, steps, c.run
