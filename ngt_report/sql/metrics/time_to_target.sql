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
low_enough AS (
    -- the first stretch of a long curve that comes down to the target
    SELECT w.run, w.budget, w.target, l.source, l.trial, min(h.stretch) FILTER (h.low <= w.target) AS stretch
    FROM wanted AS w
    LEFT JOIN long_curves AS l ON l.run = w.run
    LEFT JOIN stretches AS h ON h.source = l.source AND h.trial = l.trial AND h.metric = 'val/loss'
    GROUP BY w.run, w.budget, w.target, l.source, l.trial
),
bounded AS (
    -- of a long curve only that stretch and the one before it
    SELECT
        s.run, s.budget, s.target, max(h.first_step) FILTER (h.stretch < s.stretch) AS low, min(h.first_step) FILTER (h.stretch > s.stretch) AS high
    FROM low_enough AS s
    LEFT JOIN stretches AS h ON h.source = s.source AND h.trial = s.trial AND h.metric = 'val/loss'
    WHERE s.source IS NULL OR s.stretch IS NOT NULL
    GROUP BY s.run, s.budget, s.target
),
-- else:
bounded AS (
    SELECT *, NULL::BIGINT AS low, NULL::BIGINT AS high FROM wanted
),
-- end
near AS (
    SELECT * FROM losses_within(bounded) WHERE isfinite(value)
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
