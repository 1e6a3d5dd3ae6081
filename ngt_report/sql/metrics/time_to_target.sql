-- title: Steps, seconds and tokens to a target loss, linear between evaluations
-- unit: steps, seconds, tokens
-- better: lower
-- grain: run, target
-- when: targets
-- columns: budget VARCHAR, target DOUBLE, why VARCHAR, run VARCHAR, reached BOOLEAN, steps DOUBLE, seconds DOUBLE, tokens DOUBLE
WITH
wanted AS (
    SELECT c.run, t.budget, t.target FROM targets AS t JOIN compared AS c ON c.budget = t.budget
),
-- with long curves:
stretched AS (
    -- of a long curve only the stretch in which it first comes so low, and the one before it
    SELECT w.budget, w.target, w.run, l.source, l.trial, min(h.stretch) FILTER (h.low <= w.target) AS stretch
    FROM wanted AS w
    JOIN long_curves AS l USING (run)
    JOIN stretches AS h ON h.source = l.source AND h.trial = l.trial AND h.metric = 'val/loss'
    GROUP BY w.budget, w.target, w.run, l.source, l.trial
),
bounded AS (
    SELECT
        s.budget, s.target, s.run, s.source, s.trial, max(h.first_step) FILTER (h.stretch < s.stretch) AS low,
        min(h.first_step) FILTER (h.stretch > s.stretch) AS high
    FROM stretched AS s
    JOIN stretches AS h ON h.source = s.source AND h.trial = s.trial AND h.metric = 'val/loss'
    WHERE s.stretch IS NOT NULL
    GROUP BY s.budget, s.target, s.run, s.source, s.trial
),
-- end
near AS (
    SELECT w.budget, w.target, w.run, e.step, e.value, e.clock_s, e.tokens
    FROM settled AS e
    JOIN wanted AS w ON w.run = e.run
    WHERE e.metric = 'val/loss' AND isfinite(e.value) AND e.step IS NOT NULL
    -- with long curves:
    UNION ALL
    SELECT b.budget, b.target, b.run, p.step, p.value, p.elapsed_s, p.tokens
    FROM raw_points AS p
    JOIN bounded AS b ON b.source = p.source AND b.trial = p.trial AND p.step >= coalesce(b.low, p.step) AND p.step < coalesce(b.high, p.step + 1)
    WHERE p.metric = 'val/loss' AND isfinite(p.value)
    -- end
),
first AS (
    SELECT budget, target, run, min(step) AS at_step FROM near WHERE value <= target GROUP BY budget, target, run
),
ends AS (
    SELECT
        f.budget, f.target, f.run, f.at_step, any_value({'v': e.value, 's': e.step, 'c': e.clock_s, 'k': e.tokens}) FILTER (e.step = f.at_step) AS b,
        arg_max({'v': e.value, 's': e.step, 'c': e.clock_s, 'k': e.tokens}, e.step) FILTER (e.step < f.at_step) AS a
    FROM near AS e
    JOIN first AS f ON f.run = e.run AND f.budget = e.budget AND f.target = e.target
    WHERE e.step <= f.at_step
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
