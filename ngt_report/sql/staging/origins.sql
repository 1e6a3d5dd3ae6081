-- title: which losses a run states, and whether its evaluations come from one source and never repeat a step
-- grain: run
WITH
ordered AS (
    -- in the order of the table: a run whose steps only rise there is known to repeat none
    SELECT
        run, metric, source, step, coalesce(lag(run) OVER () = run AND lag(metric) OVER () = metric, false) AS follows,
        coalesce(step > lag(step) OVER (), false) AS rises
    FROM stated
),
per_metric AS (
    SELECT
        run, metric, min(source) AS first_source, max(source) AS last_source,
        count(*) FILTER (NOT follows) = 1 AND count(*) FILTER (follows AND NOT rises) = 0 AND count(step) = count(*) AS rising
    FROM ordered
    GROUP BY run, metric
)
SELECT
    run, bool_or(metric = 'val/loss') AS val_loss, bool_or(metric = 'eval_loss') AS eval_loss,
    min(first_source) = max(last_source) AND bool_and(rising) AS single
FROM per_metric
GROUP BY run
