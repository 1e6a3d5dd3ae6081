-- title: live evaluations of all runs but those with a long plain curve: one value per run, metric and step, by the name that it is compared under
-- grain: run, metric, step
SELECT
    c.run,
    CASE
        WHEN metric = 'eval_loss' AND val_loss THEN 'val/objective'
        WHEN metric = 'eval_loss' THEN 'val/loss'
        -- a table that tells only the best (a checkpoint, which has no line, is no table)
        WHEN metric = 'best/loss' AND line IS NOT NULL AND NOT val_loss AND NOT eval_loss AND NOT final_loss THEN 'val/loss'
        WHEN metric = 'final/loss' AND NOT val_loss AND NOT eval_loss THEN 'val/loss'
        ELSE metric
    END AS metric,
    step, value, decimals, clock_s, tokens, source, s.path, line, pointer, metric = 'final/loss' AS is_final
FROM chosen AS c
JOIN origins AS o ON o.run = c.run
JOIN sources AS s ON s.id = source
