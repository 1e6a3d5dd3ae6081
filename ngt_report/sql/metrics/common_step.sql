-- title: Common step
-- unit: steps
-- better: none
-- grain: budget (the runs of one declared total)
WITH
sizes AS (
    SELECT c.budget, any_value(c.total) AS total, count(*) AS runs, nullif(count(*) FILTER (e.clocked), 0) AS clocked_runs
    FROM compared AS c
    LEFT JOIN ends AS e ON e.run = c.run
    WHERE c.budget IS NOT NULL
    GROUP BY c.budget
),
-- with long curves:
alike AS (
    -- long curves that are evaluated at the same steps: one of them tells the steps of all
    SELECT
        c.budget, k.steps_print, count(*) AS runs, unnest(arg_min({
            'source': l.source, 'trial': l.trial, 'first_step': k.first_step, 'end_step': k.end_step, 'n': k.n,
            -- evenly, each with a number and a clock: they are known without looking
            'even': NOT k.uneven AND k.n_finite = k.n AND split_part(k.steps_print, ':', 2) = split_part(k.steps_print, ':', 3)
        }, l.run))
    FROM compared AS c
    JOIN long_curves AS l USING (run)
    JOIN curves AS k ON k.source = l.source AND k.trial = l.trial AND k.metric = 'val/loss'
    WHERE c.budget IS NOT NULL
    GROUP BY c.budget, k.steps_print
),
-- end
stepped AS (
    -- at which steps runs were evaluated; of a run there is one evaluation a step
    -- with short curves:
    SELECT c.budget, e.step, count(*) AS runs, count(e.clock_s) AS clocked
    FROM settled AS e
    JOIN compared AS c ON c.run = e.run AND c.budget IS NOT NULL
    WHERE e.metric = 'val/loss' AND isfinite(e.value) AND e.step IS NOT NULL
    GROUP BY c.budget, e.step
    -- with long curves:
    UNION ALL
    -- end
    -- end
    -- with long curves:
    SELECT budget, unnest(range(first_step, end_step + 1, (end_step - first_step) // (n - 1))) AS step, runs, runs AS clocked FROM alike WHERE even
    UNION ALL
    SELECT a.budget, p.step, a.runs, CASE WHEN p.elapsed_s IS NULL THEN 0 ELSE a.runs END
    FROM raw_points AS p
    JOIN (FROM alike WHERE NOT even) AS a ON a.source = p.source AND a.trial = p.trial
    WHERE p.metric = 'val/loss' AND isfinite(p.value)
    -- end
),
shared AS (
    SELECT budget, step, sum(runs) AS runs, sum(clocked) AS clocked FROM stepped GROUP BY budget, step
)
SELECT
    z.budget, z.total, z.runs,
    -- runs without steps are compared by their final values, whatever step was asked for
    coalesce((SELECT step FROM params WHERE step IS NOT NULL AND z.budget <> 'final'), max(s.step) FILTER (s.runs = z.runs)) AS common_step,
    min(s.step) FILTER (s.step > 0 AND s.clocked = z.clocked_runs) AS clock_from,
    max(s.step) FILTER (s.step > 0 AND s.clocked = z.clocked_runs) AS clock_to
FROM sizes AS z
LEFT JOIN shared AS s USING (budget)
GROUP BY z.budget, z.total, z.runs
ORDER BY z.total NULLS FIRST
