-- title: which losses a run states, and whether its evaluations come from one source and never repeat a step
-- grain: run
WITH
ordered AS (
    -- in the order of the table: a trial whose steps only rise there is known to repeat none
    SELECT
        source, trial, metric, step, coalesce(step > lag(step) OVER (), false) AS rises,
        coalesce(lag(source) OVER () = source AND lag(trial) OVER () = trial AND lag(metric) OVER () = metric, false) AS follows
    FROM raw_points
    WHERE starts_with(metric, 'val/') OR starts_with(metric, 'test/') OR starts_with(metric, 'final/') OR metric IN ('best/loss', 'eval_loss')
),
rising AS (
    SELECT
        source, trial, metric,
        count(*) FILTER (NOT follows) = 1 AND count(*) FILTER (follows AND NOT rises) = 0 AND count(step) = count(*) AS rising
    FROM ordered
    GROUP BY source, trial, metric
),
restarted AS (
    SELECT DISTINCT source, trial FROM segments WHERE superseded_from IS NOT NULL
),
per_metric AS (
    SELECT t.run, r.source, r.trial, r.metric, r.rising
    FROM rising AS r
    JOIN run_trials AS t USING (source, trial)
    ANTI JOIN restarted USING (source, trial)
    UNION ALL
    SELECT DISTINCT s.run, s.source, NULL, s.metric, false
    FROM stated AS s
    JOIN run_trials AS t ON t.run = s.run AND t.source = s.source
    JOIN restarted AS r ON r.source = t.source AND r.trial = t.trial
)
SELECT
    run, bool_or(metric = 'val/loss') AS val_loss, bool_or(metric = 'eval_loss') AS eval_loss,
    min(source) = max(source) AND min(trial) IS NOT DISTINCT FROM max(trial) AND bool_and(rising) AS single
FROM per_metric
GROUP BY run
