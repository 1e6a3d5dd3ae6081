-- title: Training loss of runs without any validation
-- unit: nats per token
-- better: lower
-- grain: run
SELECT
    t.run, count(*) AS n_train, max(p.step) AS last_step,
    arg_max({'v': p.value, 'd': p.decimals, 'l': p.line, 'src': p.source}, (coalesce(p.step, 0), p.line)) AS last
FROM raw_points AS p
JOIN run_trials AS t USING (source, trial)
WHERE p.metric IN ('train/loss', 'final/train_loss') AND t.run NOT IN (SELECT run FROM best_last)
GROUP BY t.run
ORDER BY t.run
