-- title: Noise of a run's loss: between seeds, between repeats, or of late evaluations (which is not seed noise)
-- unit: nats per token
-- better: lower
-- grain: budget, source
WITH
-- with groups:
seeded AS (
    SELECT
        budget, 'seeds' AS source, 1 AS preference,
        sqrt(list_sum(list((n - 1) * std_loss * std_loss ORDER BY seed_group)) / sum(n - 1)) AS std, sum(n - 1)::BIGINT AS df, count(*) AS samples
    FROM seeds
    WHERE n > 1
    GROUP BY budget
),
repeated AS (
    -- equal settings and equal seed, or no seed at all
    SELECT c.budget, r.config_group, r.seed, count(*) - 1 AS df, list_var_samp(list(f.loss ORDER BY r.run)) AS variance
    FROM compared AS c
    JOIN runs AS r USING (run)
    JOIN fixed_step AS f USING (run)
    CROSS JOIN params AS p
    WHERE r.config_group IS NOT NULL AND NOT p.per_run
    GROUP BY c.budget, r.config_group, r.seed
    HAVING count(*) > 1
),
repeats AS (
    SELECT
        budget, 'repeats' AS source, 2 AS preference,
        sqrt(list_sum(list(df * variance ORDER BY config_group, seed)) / sum(df)) AS std, sum(df)::BIGINT AS df, count(*) AS samples
    FROM repeated
    GROUP BY budget
),
-- end
ends AS (
    -- the last evaluations of each run, newest first
    -- with short curves:
    SELECT c.budget, e.run, arg_max({'v': e.value, 's': e.step}, e.step, 12) AS late
    FROM settled AS e
    JOIN compared AS c ON c.run = e.run
    WHERE e.metric = 'val/loss' AND isfinite(e.value) AND e.step > 0 AND c.budget IS NOT NULL
    GROUP BY c.budget, e.run
    HAVING count(*) >= 8
    -- with long curves:
    UNION ALL
    -- end
    -- end
    -- with long curves:
    SELECT c.budget, l.run, k.late
    FROM compared AS c
    JOIN long_curves AS l USING (run)
    JOIN trial_values AS k ON k.source = l.source AND k.trial = l.trial
    WHERE c.budget IS NOT NULL AND len(k.late) >= 8
    -- end
),
bends AS (
    -- second differences do not see a linear trend: their mean square is 6 times the variance of one evaluation
    SELECT
        budget, run, unnest(list_transform(
            list_filter(range(2, least(len(late), greatest(5, len(late) - 2))), lambda i: late[i - 1].s - late[i].s = late[i].s - late[i + 1].s),
            lambda i: power(late[i - 1].v - 2 * late[i].v + late[i + 1].v, 2) / 6)) AS square
    FROM ends
),
each AS (SELECT budget, run, list_sum(list(square ORDER BY square)) AS squares, count(*) AS n FROM bends GROUP BY budget, run),
late AS (
    -- without runs of more than ten times the usual noise: one that diverged says nothing of the others
    SELECT
        budget, 'late evaluations' AS source, 3 AS preference,
        sqrt(list_sum(list(squares ORDER BY run)) / sum(n)) AS std, sum(n)::BIGINT AS df, count(*) AS samples
    FROM (FROM each QUALIFY (squares / n <= 100 * nullif(median(squares / n) OVER (PARTITION BY budget), 0)) IS NOT FALSE)
    GROUP BY budget
)
SELECT budget, source, std, df, samples
FROM (
    FROM late
    -- with groups:
    UNION ALL FROM seeded UNION ALL FROM repeats
    -- end
)
ORDER BY budget, preference
