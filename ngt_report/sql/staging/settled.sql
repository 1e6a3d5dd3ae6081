-- title: live evaluations of all runs but those with a long plain curve: one value per run, metric and step, from the source of best precedence
-- grain: run, metric, step
WITH
several AS (
    SELECT
        e.*, o.val_loss, o.eval_loss, o.final_loss, s.path,
        -- a curve without steps (epochs with fractions) keeps all its points, in the order of its lines
        CASE WHEN e.step IS NULL AND count(*) OVER (PARTITION BY e.run, e.metric, e.source, e.step) > 1 THEN e.line END AS own_line
    FROM stated AS e
    JOIN origins AS o ON o.run = e.run AND NOT o.single
    JOIN sources AS s ON s.id = e.source
),
chosen AS (
    SELECT
        run, metric, step, value, decimals, coalesce(clock_s, max(clock_s) OVER same) AS clock_s, coalesce(tokens, max(tokens) OVER same) AS tokens,
        source, line, pointer, val_loss, eval_loss, final_loss
    FROM several
    WINDOW same AS (PARTITION BY run, metric, step)
    QUALIFY row_number() OVER (
        PARTITION BY run, metric, step, CASE WHEN metric = 'best/loss' THEN source ELSE 0 END, own_line
        ORDER BY precedence // 10 = 1 DESC, decimals IS NULL DESC, precedence // 10 DESC, precedence % 10, line DESC NULLS LAST, path, value
    ) = 1
),
both_kinds AS (
    SELECT * FROM chosen
    UNION ALL
    SELECT e.run, metric, step, value, decimals, clock_s, tokens, source, line, pointer, o.val_loss, o.eval_loss, o.final_loss
    FROM stated AS e
    JOIN origins AS o ON o.run = e.run AND o.single
)
SELECT
    run,
    CASE
        WHEN metric = 'eval_loss' AND val_loss THEN 'val/objective'
        WHEN metric = 'eval_loss' THEN 'val/loss'
        -- a table that tells only the best (a checkpoint, which has no line, is no table)
        WHEN metric = 'best/loss' AND line IS NOT NULL AND NOT val_loss AND NOT eval_loss AND NOT final_loss THEN 'val/loss'
        WHEN metric = 'final/loss' AND NOT val_loss AND NOT eval_loss THEN 'val/loss'
        ELSE metric
    END AS metric,
    step, value, decimals, clock_s, tokens, source, s.path, line, pointer, metric = 'final/loss' AS is_final
FROM both_kinds
JOIN sources AS s ON s.id = source
