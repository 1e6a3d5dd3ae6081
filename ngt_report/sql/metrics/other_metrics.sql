-- title: Other evaluations: test metrics, accuracies, objectives and closing evaluations, never ranked
-- unit: as named
-- better: as named
-- grain: run, metric
SELECT run, metric, arg_max({'v': value, 'd': decimals, 's': step, 'p': path, 'l': line, 'ptr': pointer}, coalesce(step, 0)) AS last
FROM evals
WHERE metric NOT IN ('val/loss', 'best/loss') AND isfinite(value)
GROUP BY run, metric
ORDER BY run, metric
