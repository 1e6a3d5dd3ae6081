-- title: which losses a run states, and whether its evaluations come from one source and never repeat a step
-- grain: run
WITH per_metric AS (
    SELECT run, metric, min(source) AS first_source, max(source) AS last_source, count(*) = count(DISTINCT step) AS distinct_steps
    FROM stated
    GROUP BY run, metric
)
SELECT
    run, bool_or(metric = 'val/loss') AS val_loss, bool_or(metric = 'eval_loss') AS eval_loss,
    min(first_source) = max(last_source) AND bool_and(distinct_steps) AS single
FROM per_metric
GROUP BY run
