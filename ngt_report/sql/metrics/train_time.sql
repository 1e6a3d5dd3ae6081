-- title: Train time, the clock at the last step
-- unit: seconds
-- better: lower
-- grain: run
SELECT run, train_time_s, n_train, last_step, tokens
FROM clocks
ORDER BY run
