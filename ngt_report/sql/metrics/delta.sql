-- title: Difference to the baseline at the common step
-- unit: nats per token, and relative perplexity
-- better: lower
-- grain: run
-- when: baselines
-- columns: budget VARCHAR, run VARCHAR, delta_loss DOUBLE, delta_ppl DOUBLE, baseline VARCHAR, time_ratio DOUBLE
SELECT
    f.budget, f.run, CASE WHEN fk.kind = bk.kind THEN f.loss - b.loss END AS delta_loss, CASE WHEN fk.kind = bk.kind THEN exp(f.loss - b.loss) - 1 END AS delta_ppl,
    b.run AS baseline,
    t.s_per_step / bt.s_per_step AS time_ratio
FROM fixed_step AS f
JOIN baselines AS n ON n.budget = f.budget
JOIN fixed_step AS b ON b.budget = f.budget AND b.run = n.run
JOIN kinds AS fk ON fk.run = f.run
JOIN kinds AS bk ON bk.run = b.run
LEFT JOIN throughput AS t ON t.run = f.run AND t.budget = f.budget
LEFT JOIN throughput AS bt ON bt.run = b.run AND bt.budget = b.budget
ORDER BY f.budget, f.loss, f.run
