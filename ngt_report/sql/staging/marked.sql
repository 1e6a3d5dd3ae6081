-- title: the evaluations at the steps by which runs are compared, looked up once; {steps} are numbers: asked for so, they are found quickly
-- grain: run, step; evaluations without a step are among them
SELECT run, step, value, decimals, clock_s, source, path, line, pointer
FROM evals
WHERE metric = 'val/loss' AND step IN ({steps})
-- with short curves:
UNION ALL
SELECT run, step, value, decimals, clock_s, source, path, line, pointer FROM settled WHERE metric = 'val/loss' AND step IS NULL
-- end
