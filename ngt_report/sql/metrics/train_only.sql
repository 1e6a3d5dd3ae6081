-- title: Training loss of runs without any validation
-- unit: nats per token
-- better: lower
-- grain: run
-- when: runs without validation
-- columns: run VARCHAR, n_train BIGINT, last_step BIGINT, last STRUCT(v DOUBLE, d TINYINT, l BIGINT, src BIGINT)
SELECT
    t.run, count(*) AS n_train, max(p.step) AS last_step,
    arg_max({'v': p.value, 'd': p.decimals, 'l': p.line, 'src': p.source}, (coalesce(p.step, 0), p.line)) AS last
FROM raw_points AS p
JOIN (SELECT run, source, trial FROM run_trials ANTI JOIN best_last USING (run)) AS t USING (source, trial)
WHERE p.metric IN ('train/loss', 'final/train_loss')
GROUP BY t.run
ORDER BY t.run
