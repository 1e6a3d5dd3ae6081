-- title: Seed groups: runs that differ in nothing but the seed
-- unit: nats per token
-- better: lower
-- grain: group
WITH
members AS (
    SELECT r.seed_group, r.run, r.name, r.seed, c.budget, coalesce(b.last_loss, f.loss) AS loss, b.best_loss, t.train_time_s
    FROM runs AS r
    JOIN compared AS c USING (run)
    JOIN fixed_step AS f USING (run)
    JOIN best_last AS b USING (run)
    LEFT JOIN train_time AS t USING (run)
    WHERE r.seed_group IS NOT NULL AND f.step IS NOT DISTINCT FROM b.last_step
    UNION ALL
    SELECT r.seed_group, r.run, r.name, r.seed, c.budget, f.loss, b.best_loss, t.train_time_s
    FROM runs AS r
    JOIN compared AS c USING (run)
    JOIN fixed_step AS f USING (run)
    JOIN best_last AS b USING (run)
    LEFT JOIN train_time AS t USING (run)
    WHERE r.seed_group IS NOT NULL AND f.step IS DISTINCT FROM b.last_step
)
SELECT
    budget, seed_group, count(*) AS n, count(DISTINCT seed) AS seeds, list(run ORDER BY seed, run) AS runs, list(seed ORDER BY seed, run) AS seed_list,
    list_avg(list(loss ORDER BY run)) AS mean_loss, CASE WHEN count(*) > 1 THEN list_stddev_samp(list(loss ORDER BY run)) END AS std_loss,
    min(loss) AS min_loss, max(loss) AS max_loss,
    list_avg(list(best_loss ORDER BY run)) AS mean_best, list_avg(list(train_time_s ORDER BY run)) AS mean_time_s
FROM members
GROUP BY budget, seed_group
ORDER BY budget, mean_loss, seed_group
