-- title: Difference to the baseline at the common step
-- unit: nats per token, and relative perplexity
-- better: lower
-- grain: run
-- when: baselines
-- columns: budget VARCHAR, run VARCHAR, delta_loss DOUBLE, delta_ppl DOUBLE, baseline VARCHAR, time_ratio DOUBLE
WITH figures AS (
    SELECT f.budget, f.run, f.loss, k.kind, t.s_per_step
    FROM fixed_step AS f
    JOIN kinds AS k ON k.run = f.run
    LEFT JOIN throughput AS t ON t.run = f.run AND t.budget = f.budget
)
SELECT
    f.budget, f.run, CASE WHEN f.kind = b.kind THEN f.loss - b.loss END AS delta_loss, CASE WHEN f.kind = b.kind THEN exp(f.loss - b.loss) - 1 END AS delta_ppl,
    b.run AS baseline, f.s_per_step / b.s_per_step AS time_ratio
FROM figures AS f
JOIN baselines AS n ON n.budget = f.budget
JOIN figures AS b ON b.budget = n.budget AND b.run = n.run
ORDER BY f.budget, f.loss, f.run
