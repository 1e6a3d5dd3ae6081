-- title: the metrics of one run
-- grain: metric
SELECT metric FROM evals WHERE run = $run
UNION
SELECT p.metric
FROM raw_points AS p
JOIN run_trials AS t ON t.source = p.source AND t.trial = p.trial
WHERE t.run = $run
ORDER BY metric
