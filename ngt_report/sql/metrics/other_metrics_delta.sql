-- title: Difference to the baseline on validation and test
-- unit: nats per token, perplexity, share of tokens
-- better: as named
-- grain: run
-- when: metric test/loss
-- columns: run VARCHAR, baseline VARCHAR, delta_val_loss DOUBLE, delta_val_ppl DOUBLE, delta_val_accuracy DOUBLE, delta_test_loss DOUBLE,
--   delta_test_ppl DOUBLE, delta_test_accuracy DOUBLE
WITH
figures AS (
    SELECT
        run, max(last.v) FILTER (metric = 'val/accuracy') AS val_accuracy, max(last.v) FILTER (metric = 'test/loss') AS test_loss,
        max(last.v) FILTER (metric = 'test/accuracy') AS test_accuracy
    FROM other_metrics
    GROUP BY run
),
whole AS (
    SELECT budget, run, loss AS val_loss, exp(loss) AS val_ppl, val_accuracy, test_loss, exp(test_loss) AS test_ppl, test_accuracy
    FROM fixed_step
    JOIN figures USING (run)
    WHERE test_loss IS NOT NULL
)
SELECT
    w.run, r.name AS baseline, round(w.val_loss - b.val_loss, 6) AS delta_val_loss, round(w.val_ppl - b.val_ppl, 6) AS delta_val_ppl,
    round(w.val_accuracy - b.val_accuracy, 6) AS delta_val_accuracy, round(w.test_loss - b.test_loss, 6) AS delta_test_loss,
    round(w.test_ppl - b.test_ppl, 6) AS delta_test_ppl, round(w.test_accuracy - b.test_accuracy, 6) AS delta_test_accuracy
FROM whole AS w
JOIN baselines AS n ON n.budget = w.budget AND n.run <> w.run
JOIN whole AS b ON b.budget = n.budget AND b.run = n.run
JOIN runs AS r ON r.run = n.run
ORDER BY w.budget, w.val_loss, w.run
