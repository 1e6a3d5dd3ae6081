-- title: long curves of validation loss, training loss and learning rate in at most some 256 stretches of steps
-- grain: source, trial, metric, stretch; computed once per content, for the sources in fresh
WITH long AS (
    SELECT source, trial, max(last_step) // 256 + 1 AS width
    FROM spans
    SEMI JOIN fresh USING (source)
    GROUP BY source, trial
    HAVING sum(n_val) >= 512 OR sum(n_train) >= 512
)
SELECT
    p.source, p.trial, p.metric, p.step // l.width AS stretch, max(p.value) AS high, min(p.value) AS low,
    arg_max(p.step, p.value) AS peak_step, arg_max(p.line, p.value) AS peak_line, min(p.step) AS first_step, arg_min(p.elapsed_s, p.step) AS first_clock
FROM raw_points AS p
JOIN long AS l ON l.source = p.source AND l.trial = p.trial
WHERE p.metric IN ('val/loss', 'train/loss', 'lr') AND isfinite(p.value) AND p.step > 0
GROUP BY p.source, p.trial, p.metric, p.step // l.width
