-- title: long curves of validation loss, training loss and learning rate in at most some 256 stretches of steps
-- grain: source, trial, metric, stretch; computed once per content, for the sources in fresh
WITH
long AS MATERIALIZED (
    -- curve and stretch as one number: a thousand places a trial
    SELECT source, trial, max(last_step) // 256 + 1 AS width, row_number() OVER () * 1000 AS places
    FROM spans
    SEMI JOIN fresh USING (source)
    GROUP BY source, trial
    HAVING sum(n_val) >= 512 OR sum(n_train) >= 512
),
found AS (
    SELECT
        p.metric, l.places + p.step // l.width AS place, max(p.value) AS high, min(p.value) AS low,
        arg_max(p.step, p.value) AS peak_step, arg_max(p.line, p.value) AS peak_line, min(p.step) AS first_step, arg_min(p.elapsed_s, p.step) AS first_clock
    FROM raw_points AS p
    JOIN long AS l ON l.source = p.source AND l.trial = p.trial
    WHERE p.metric IN ('val/loss', 'train/loss', 'lr') AND isfinite(p.value) AND p.step > 0
    GROUP BY p.metric, l.places + p.step // l.width
)
SELECT l.source, l.trial, f.metric, f.place - l.places AS stretch, f.high, f.low, f.peak_step, f.peak_line, f.first_step, f.first_clock
FROM found AS f
JOIN long AS l ON l.places = f.place // 1000 * 1000
