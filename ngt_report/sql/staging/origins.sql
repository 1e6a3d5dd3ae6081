-- title: which losses a run states, and whether its evaluations come from one source and never repeat a step
-- grain: run
WITH
-- with restarts:
restarted AS (
    SELECT DISTINCT source, trial FROM segments WHERE superseded_from IS NOT NULL
),
-- end
per_metric AS (
    SELECT t.run, c.source, c.trial, c.metric, c.rising
    FROM curves AS c
    JOIN run_trials AS t USING (source, trial)
    -- with restarts:
    ANTI JOIN restarted USING (source, trial)
    UNION ALL
    SELECT DISTINCT t.run, p.source, NULL, p.metric, false
    FROM raw_points AS p
    JOIN segments AS g ON g.source = p.source AND g.trial = p.trial AND g.segment = p.segment
    JOIN run_trials AS t ON t.source = p.source AND t.trial = p.trial
    JOIN restarted AS r ON r.source = t.source AND r.trial = t.trial
    WHERE (g.superseded_from IS NULL OR p.step IS NULL OR p.step < g.superseded_from)
        AND (starts_with(p.metric, 'val/') OR starts_with(p.metric, 'test/') OR starts_with(p.metric, 'final/') OR p.metric IN ('best/loss', 'eval_loss'))
    -- end
)
SELECT
    run, bool_or(metric = 'val/loss') AS val_loss, bool_or(metric = 'eval_loss') AS eval_loss, bool_or(metric = 'final/loss') AS final_loss,
    min(source) = max(source) AND min(trial) IS NOT DISTINCT FROM max(trial) AND bool_and(rising) AS single
FROM per_metric
GROUP BY run
