-- title: Steps and seconds to a target loss, linear between evaluations
-- unit: steps, seconds
-- better: lower
-- grain: run, target
WITH
pairs AS (
    SELECT
        c.budget, e.run, e.step, e.value, e.clock_s, e.tokens,
        lag(e.step) OVER earlier AS step0, lag(e.value) OVER earlier AS value0, lag(e.clock_s) OVER earlier AS clock0, lag(e.tokens) OVER earlier AS tokens0
    FROM compared AS c
    JOIN evals AS e ON e.run = c.run AND e.metric = 'val/loss' AND isfinite(e.value) AND e.step IS NOT NULL
    WHERE c.budget IS NOT NULL
    WINDOW earlier AS (PARTITION BY e.run ORDER BY e.step)
),
crossed AS (
    SELECT
        t.budget, t.target, p.run, min(p.step) AS at_step,
        arg_min({'f': CASE WHEN p.value0 > p.value THEN (p.value0 - t.target) / (p.value0 - p.value) ELSE 1.0 END,
            's0': p.step0, 's1': p.step, 'c0': p.clock0, 'c1': p.clock_s, 'k0': p.tokens0, 'k1': p.tokens}, p.step) AS x
    FROM targets AS t
    JOIN pairs AS p ON p.budget = t.budget AND p.value <= t.target
    GROUP BY t.budget, t.target, p.run
)
SELECT
    t.budget, t.target, t.why, c.run, x.at_step IS NOT NULL AS reached,
    coalesce(x.x.s0 + x.x.f * (x.x.s1 - x.x.s0), x.x.s1) AS steps,
    coalesce(x.x.c0 + x.x.f * (x.x.c1 - x.x.c0), CASE WHEN x.x.s0 IS NULL THEN x.x.c1 END) AS seconds,
    coalesce(x.x.k0 + x.x.f * (x.x.k1 - x.x.k0), CASE WHEN x.x.s0 IS NULL THEN x.x.k1 END) AS tokens
FROM targets AS t
JOIN compared AS c ON c.budget = t.budget
LEFT JOIN crossed AS x ON x.budget = t.budget AND x.target = t.target AND x.run = c.run
ORDER BY t.budget, t.target DESC, reached DESC, steps, c.run
