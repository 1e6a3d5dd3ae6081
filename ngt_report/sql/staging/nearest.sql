-- title: of the steps that all runs of a compared set share, those next to the one that was asked for
-- grain: one row
WITH
shared AS (
    SELECT k.budget, e.step
    FROM evals AS e
    JOIN compared AS c ON c.run = e.run
    JOIN common_step AS k ON k.budget = c.budget AND k.runs > 1
    WHERE e.metric = 'val/loss' AND isfinite(e.value) AND e.step IS NOT NULL
    GROUP BY k.budget, k.runs, e.step
    HAVING count(DISTINCT e.run) = k.runs
)
SELECT max(s.step) FILTER (s.step < p.step) AS below, min(s.step) FILTER (s.step > p.step) AS above
FROM shared AS s
CROSS JOIN params AS p
