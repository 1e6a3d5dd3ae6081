-- title: Mean validation loss of a group at the steps that all its runs share, with 95 % t intervals
-- unit: nats per token
-- better: lower
-- grain: group, step
-- when: groups
-- columns: budget VARCHAR, seed_group VARCHAR, step BIGINT, n BIGINT, mean_loss DOUBLE, std_loss DOUBLE, ci95_loss DOUBLE
WITH
members AS (
    -- a run to each group of more than one; means over seeds, repeats of one seed averaged first
    SELECT r.seed_group, c.budget, r.run, CASE WHEN r.seed IS NULL OR p.per_run THEN r.run ELSE r.seed::VARCHAR END AS unit
    FROM compared AS c
    JOIN runs AS r USING (run)
    CROSS JOIN params AS p
    WHERE r.seed_group IS NOT NULL AND c.budget IS NOT NULL
),
sizes AS (
    SELECT budget, seed_group, count(*) AS runs, count(DISTINCT unit) AS n FROM members GROUP BY budget, seed_group HAVING count(DISTINCT unit) > 1
),
samples AS (
    SELECT
        m.budget, m.seed_group, e.step, m.unit, count(*) AS runs,
        list_avg(list(CASE WHEN e.step = b.last_step THEN coalesce(b.last_loss, e.value) ELSE e.value END ORDER BY m.run)) AS loss
    FROM evals AS e
    JOIN members AS m ON m.run = e.run
    JOIN best_last AS b ON b.run = e.run
    WHERE e.metric = 'val/loss' AND isfinite(e.value) AND e.step IS NOT NULL
    GROUP BY m.budget, m.seed_group, e.step, m.unit
)
SELECT
    s.budget, s.seed_group, s.step, any_value(z.n) AS n, list_avg(list(s.loss ORDER BY s.unit)) AS mean_loss,
    list_stddev_samp(list(s.loss ORDER BY s.unit)) AS std_loss, any_value(q.q) * list_stddev_samp(list(s.loss ORDER BY s.unit)) / sqrt(any_value(z.n)) AS ci95_loss
FROM samples AS s
JOIN sizes AS z ON z.budget = s.budget AND z.seed_group = s.seed_group
LEFT JOIN t_quantiles AS q ON q.df = z.n - 1
GROUP BY s.budget, s.seed_group, s.step
HAVING sum(s.runs) = any_value(z.runs)
ORDER BY s.budget, s.seed_group, s.step
