-- title: Steps, seconds and tokens to a target loss, linear between evaluations
-- unit: steps, seconds, tokens
-- better: lower
-- grain: run, target
-- when: targets
-- columns: budget VARCHAR, target DOUBLE, why VARCHAR, run VARCHAR, reached BOOLEAN, steps DOUBLE, seconds DOUBLE, tokens DOUBLE
WITH
wanted AS (
    SELECT c.run, t.budget, t.target, t.why FROM targets AS t JOIN compared AS c ON c.budget = t.budget
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
    -- with short curves:
    SELECT w.budget, w.target, w.run, e.step, e.value, e.clock_s, e.tokens
    FROM settled AS e
    JOIN wanted AS w ON w.run = e.run
    WHERE e.metric = 'val/loss' AND isfinite(e.value) AND e.step IS NOT NULL
    -- with long curves:
    UNION ALL
    -- end
    -- end
    -- with long curves:
    SELECT b.budget, b.target, b.run, p.step, p.value, p.elapsed_s AS clock_s, p.tokens
    FROM raw_points AS p
    JOIN bounded AS b ON b.source = p.source AND b.trial = p.trial AND p.step >= coalesce(b.low, p.step) AND p.step < coalesce(b.high, p.step + 1)
    WHERE p.metric = 'val/loss' AND isfinite(p.value)
    -- end
),
first AS (
    SELECT budget, target, run, arg_min({'v': value, 's': step, 'c': clock_s, 'k': tokens}, step) AS b FROM near WHERE value <= target GROUP BY budget, target, run
),
before AS (
    SELECT f.budget, f.target, f.run, arg_max({'v': e.value, 's': e.step, 'c': e.clock_s, 'k': e.tokens}, e.step) AS a
    FROM near AS e
    JOIN first AS f ON f.run = e.run AND f.budget = e.budget AND f.target = e.target AND e.step < f.b.s
    GROUP BY f.budget, f.target, f.run
),
crossed AS (
    SELECT f.*, p.a, CASE WHEN p.a.v > f.b.v THEN (p.a.v - f.target) / (p.a.v - f.b.v) ELSE 1.0 END AS x
    FROM first AS f
    LEFT JOIN before AS p ON p.budget = f.budget AND p.target = f.target AND p.run = f.run
)
SELECT
    w.budget, w.target, w.why, w.run, c.b IS NOT NULL AS reached,
    coalesce(c.a.s + c.x * (c.b.s - c.a.s), c.b.s) AS steps,
    coalesce(c.a.c + c.x * (c.b.c - c.a.c), CASE WHEN c.a.s IS NULL THEN c.b.c END) AS seconds,
    coalesce(c.a.k + c.x * (c.b.k - c.a.k), CASE WHEN c.a.s IS NULL THEN c.b.k END, steps * t.tokens_per_step) AS tokens
FROM wanted AS w
LEFT JOIN train_time AS t ON t.run = w.run
LEFT JOIN crossed AS c ON c.budget = w.budget AND c.target = w.target AND c.run = w.run
ORDER BY w.budget, w.target DESC, reached DESC, steps, w.run
