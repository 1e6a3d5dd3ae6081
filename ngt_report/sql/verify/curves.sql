-- title: one metric of all runs: their live evaluations
-- grain: run, step
SELECT run, step, value, decimals, clock_s, source, path, line, pointer
FROM evals
WHERE metric = $metric
ORDER BY run, step NULLS FIRST, path, line
