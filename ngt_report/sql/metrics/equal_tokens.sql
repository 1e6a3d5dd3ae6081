-- title: Loss at equal tokens, where the compared runs take other numbers of tokens a step
-- unit: nats per token
-- better: lower
-- grain: run
-- when: tokens | batch
-- columns: budget VARCHAR, run VARCHAR, at_tokens DOUBLE, loss DOUBLE, step DOUBLE
WITH
uneven AS (
    -- the fewest tokens that any of the runs saw at the common step
    SELECT c.budget, min(f.step * t.tokens_per_step) AS at_tokens
    FROM compared AS c
    JOIN fixed_step AS f USING (run)
    JOIN train_time AS t USING (run)
    WHERE t.tokens_per_step > 0 AND f.step > 0
    GROUP BY c.budget
    HAVING max(t.tokens_per_step) > 1.001 * min(t.tokens_per_step)
),
counted AS (
    SELECT c.budget, e.run, u.at_tokens, e.step, e.value, coalesce(e.tokens, e.step * t.tokens_per_step) AS tokens
    FROM evals AS e
    JOIN compared AS c ON c.run = e.run
    JOIN uneven AS u ON u.budget = c.budget
    JOIN train_time AS t ON t.run = e.run
    WHERE e.metric = 'val/loss' AND isfinite(e.value) AND e.step > 0
),
around AS (
    SELECT
        budget, run, any_value(at_tokens) AS at_tokens,
        arg_max({'v': value, 's': step, 'k': tokens}, tokens) FILTER (tokens <= at_tokens) AS a,
        arg_min({'v': value, 's': step, 'k': tokens}, tokens) FILTER (tokens >= at_tokens) AS b
    FROM counted
    GROUP BY budget, run
)
SELECT
    budget, run, at_tokens,
    CASE WHEN b.k = a.k THEN a.v ELSE a.v + (b.v - a.v) * (at_tokens - a.k) / (b.k - a.k) END AS loss,
    CASE WHEN b.k = a.k THEN a.s::DOUBLE ELSE a.s + (b.s - a.s) * (at_tokens - a.k) / (b.k - a.k) END AS step
FROM around
WHERE a IS NOT NULL AND b IS NOT NULL
ORDER BY budget, loss, run
