-- title: at most some 500 points of each validation and training curve, each the highest of its stretch, for the audit of curves
-- grain: run, metric, stretch; what is kept with its content (stretches) is left out
WITH
kept AS (
    SELECT source, trial FROM long_audits ANTI JOIN segments USING (source, trial) WHERE metric = 'train/loss'
),
widths AS (
    -- as wide as the stretches that are kept: how a curve is read may not change what is said of it
    SELECT c.run, CASE WHEN e.n_val > 511 OR c.n_train > 511 THEN c.last_step // 256 + 1 ELSE greatest(1, c.last_step // 2000) END AS width
    FROM clocks AS c
    LEFT JOIN ends AS e ON e.run = c.run
    WHERE c.last_step > 0
),
validation AS (
    SELECT
        e.run, e.step // w.width AS stretch, max(e.value) AS high, min(e.value) AS low,
        arg_max({'step': e.step, 'path': e.path, 'line': e.line}, e.value) AS peak, arg_min({'step': e.step, 'clock': e.clock_s}, e.step) AS onset
    FROM settled AS e
    JOIN widths AS w ON w.run = e.run
    WHERE e.metric = 'val/loss' AND isfinite(e.value) AND e.step > 0
    GROUP BY e.run, e.step // w.width
),
training AS (
    SELECT
        t.run, p.step // w.width AS stretch, max(p.value) AS high, min(p.value) AS low,
        arg_max({'step': p.step, 'source': p.source, 'line': p.line}, p.value) AS peak
    FROM raw_points AS p
    JOIN (FROM run_trials ANTI JOIN kept USING (source, trial)) AS t ON t.source = p.source AND t.trial = p.trial AND t.main
    JOIN widths AS w ON w.run = t.run
    LEFT JOIN segments AS g ON g.source = p.source AND g.trial = p.trial AND g.segment = p.segment
    WHERE p.metric = 'train/loss' AND isfinite(p.value) AND p.step > 0 AND (g.superseded_from IS NULL OR p.step < g.superseded_from)
    GROUP BY t.run, p.step // w.width
)
SELECT run AS curve, 'val/loss' AS metric, stretch, high, low, peak.step AS peak_step, peak.path AS path, peak.line AS line, onset.step AS step, onset.clock AS clock_s FROM validation
UNION ALL
SELECT g.run, 'train/loss', g.stretch, g.high, g.low, g.peak.step, s.path, g.peak.line, NULL, NULL FROM training AS g JOIN sources AS s ON s.id = g.peak.source
