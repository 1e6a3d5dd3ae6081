-- title: Groups of runs that differ in nothing but the seed: loss at the common step and at best, with 95 % t intervals
-- unit: nats per token
-- better: lower
-- grain: group; repeats of one seed are averaged first, so n counts seeds
WITH
members AS (
    SELECT
        c.budget, coalesce(r.seed_group, r.run) AS seed_group, r.run, r.seed,
        CASE WHEN r.seed IS NULL OR p.per_run THEN r.run ELSE r.seed::VARCHAR END AS unit,
        CASE WHEN f.step IS NOT DISTINCT FROM b.last_step THEN coalesce(b.last_loss, f.loss) ELSE f.loss END AS loss,
        b.best_loss, t.train_time_s
    FROM compared AS c
    JOIN runs AS r USING (run)
    JOIN fixed_step AS f USING (run)
    JOIN best_last AS b USING (run)
    LEFT JOIN train_time AS t USING (run)
    CROSS JOIN params AS p
),
-- with groups:
samples AS (
    SELECT
        budget, seed_group, unit, list(run ORDER BY run) AS runs, any_value(seed) AS seed,
        list_avg(list(loss ORDER BY run)) AS loss, list_avg(list(best_loss ORDER BY run)) AS best, list_avg(list(train_time_s ORDER BY run)) AS time_s
    FROM members
    GROUP BY budget, seed_group, unit
),
groups AS (
    SELECT
        budget, seed_group, count(*) AS n, flatten(list(runs ORDER BY seed, unit)) AS runs, list(seed ORDER BY seed, unit) AS seed_list,
        list(loss ORDER BY seed, unit) AS losses, list(best ORDER BY seed, unit) AS bests,
        list_avg(list(loss ORDER BY unit)) AS mean_loss, CASE WHEN count(*) > 1 THEN list_stddev_samp(list(loss ORDER BY unit)) END AS std_loss,
        min(loss) AS min_loss, max(loss) AS max_loss,
        list_avg(list(best ORDER BY unit)) AS mean_best, CASE WHEN count(*) > 1 THEN list_stddev_samp(list(best ORDER BY unit)) END AS std_best,
        min(best) AS min_best, max(best) AS max_best, list_avg(list(time_s ORDER BY unit)) AS mean_time_s
    FROM samples
    GROUP BY budget, seed_group
)
-- else:
groups AS (
    SELECT
        budget, seed_group, 1::BIGINT AS n, [run] AS runs, [seed] AS seed_list, [loss] AS losses, [best_loss] AS bests,
        loss AS mean_loss, NULL::DOUBLE AS std_loss, loss AS min_loss, loss AS max_loss, best_loss AS mean_best, NULL::DOUBLE AS std_best,
        best_loss AS min_best, best_loss AS max_best, train_time_s AS mean_time_s
    FROM members
)
-- end
-- with kind row:
, named AS ( -- the results tables that list a run
    SELECT unnest(list(t.run)) AS run, s.path, count(*) AS rows
    FROM run_trials AS t
    JOIN raw_trials AS w ON w.source = t.source AND w.trial = t.trial AND w.kind = 'row'
    JOIN sources AS s ON s.id = t.source AND s.format IN ('results_csv', 'sweep_jsonl')
    GROUP BY s.path
),
stages AS ( -- of several tables, the one with most of the group's runs, then the narrowest
    SELECT budget, seed_group, arg_min(path, (-runs, rows, path)) AS stage
    FROM (SELECT budget, seed_group, path, rows, count(*) AS runs FROM members JOIN named USING (run) GROUP BY budget, seed_group, path, rows)
    GROUP BY budget, seed_group
),
homes AS (
    -- a table of a single run, such as a reference run, stands with the only larger table of its budget
    SELECT budget, any_value(stage) FILTER (runs > 1) AS home
    FROM (SELECT s.budget, s.stage, sum(len(g.runs)) AS runs FROM stages AS s JOIN groups AS g USING (budget, seed_group) GROUP BY s.budget, s.stage)
    GROUP BY budget HAVING count(*) FILTER (runs > 1) = 1
)
-- end
SELECT
    g.*,
    -- with kind row:
    CASE WHEN s.stage IS NOT NULL THEN coalesce(h.home, s.stage) END AS stage, s.stage AS listed_in,
    -- else:
    NULL::VARCHAR AS stage, NULL::VARCHAR AS listed_in,
    -- end
    g.std_loss * q.q / sqrt(g.n) AS ci95_loss, g.std_best * q.q / sqrt(g.n) AS ci95_best
FROM groups AS g
-- with kind row:
LEFT JOIN stages AS s ON s.budget = g.budget AND s.seed_group = g.seed_group LEFT JOIN homes AS h ON h.budget = g.budget
-- end
LEFT JOIN t_quantiles AS q ON q.df = g.n - 1
ORDER BY g.budget, stage NULLS LAST, g.mean_loss, g.seed_group
