-- title: live evaluations: one value per run, metric and step, from the source of best precedence
-- grain: run, metric, step
WITH
stated AS (
    SELECT * FROM raw_points
    WHERE starts_with(metric, 'val/') OR starts_with(metric, 'test/') OR starts_with(metric, 'final/') OR metric IN ('best/loss', 'eval_loss')
),
owned AS (
    SELECT
        t.run, t.precedence, p.*, s.path,
        CASE WHEN g.reset_line IS NULL OR p.line >= g.reset_line THEN p.elapsed_s + coalesce(g.clock_offset_s, 0) END AS clock_s
    FROM stated AS p
    JOIN run_trials AS t ON t.source = p.source AND t.trial = p.trial
    JOIN sources AS s ON s.id = p.source
    LEFT JOIN segments AS g ON g.source = p.source AND g.trial = p.trial AND g.segment = p.segment
    WHERE g.superseded_from IS NULL OR p.step IS NULL OR p.step < g.superseded_from
),
has AS (
    SELECT run, bool_or(metric = 'val/loss') AS val_loss, bool_or(metric = 'eval_loss') AS eval_loss FROM owned GROUP BY run
),
named AS (
    SELECT
        owned.* EXCLUDE (metric),
        CASE
            WHEN metric = 'eval_loss' AND has.val_loss THEN 'val/objective'
            WHEN metric = 'eval_loss' THEN 'val/loss'
            WHEN metric = 'final/loss' AND NOT has.val_loss AND NOT has.eval_loss THEN 'val/loss'
            ELSE metric
        END AS metric,
        metric = 'final/loss' AS is_final
    FROM owned JOIN has USING (run)
)
SELECT
    run, metric, step, value, decimals,
    coalesce(clock_s, max(clock_s) OVER same) AS clock_s,
    coalesce(tokens, max(tokens) OVER same) AS tokens,
    source, path, line, pointer, is_final
FROM named
WINDOW same AS (PARTITION BY run, metric, step)
QUALIFY row_number() OVER (
    PARTITION BY run, metric, step, CASE WHEN metric = 'best/loss' THEN path ELSE '' END
    ORDER BY precedence // 10 = 1 DESC, decimals IS NULL DESC, precedence // 10 DESC, precedence % 10, line DESC NULLS LAST, path, value
) = 1
ORDER BY run, metric, step
