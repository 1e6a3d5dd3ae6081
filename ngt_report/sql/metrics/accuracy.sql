-- title: Validation accuracy of runs without a validation loss
-- unit: share of tokens
-- better: higher
-- grain: run
-- when: metric val/accuracy
-- columns: run VARCHAR, best_accuracy DOUBLE, best_step BIGINT, last_accuracy DOUBLE, last_step BIGINT, path VARCHAR
SELECT
    r.run, max(e.value) AS best_accuracy, arg_max(e.step, (e.value, -coalesce(e.step, 0))) AS best_step,
    arg_max(e.value, coalesce(e.step, 0)) AS last_accuracy, max(e.step) AS last_step, min(e.path) AS path
FROM evals AS e
JOIN runs AS r ON r.run = e.run
WHERE e.metric = 'val/accuracy' AND isfinite(e.value) AND r.run NOT IN (SELECT run FROM best_last)
GROUP BY r.run
ORDER BY best_accuracy DESC, r.run
