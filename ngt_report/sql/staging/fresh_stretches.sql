-- title: the stretches of long curves in the form of `thinned`, for the sources in fresh
-- grain: source, trial, metric, stretch
SELECT
    {'source': source, 'trial': trial} AS curve, metric, stretch, high, low, peak_step, NULL::VARCHAR AS path, peak_line AS line,
    CASE WHEN metric = 'val/loss' THEN first_step END AS step, CASE WHEN metric = 'val/loss' THEN first_clock END AS clock_s
FROM stretches
SEMI JOIN fresh USING (source)
WHERE metric <> 'lr'
