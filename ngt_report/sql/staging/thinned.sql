-- title: at most some 500 points of each validation and training curve, each the highest of its stretch, for the audit of curves
-- grain: run, metric, stretch; what is kept with its content (stretches) is left out
WITH
-- with long audits:
kept AS (
    SELECT source, trial FROM long_audits ANTI JOIN segments USING (source, trial) WHERE metric = 'train/loss'
),
-- end
widths AS (
    -- as wide as the stretches that are kept: how a curve is read may not change what is said of it
    SELECT c.run, CASE WHEN e.n_val > 511 OR c.n_train > 511 THEN c.last_step // 256 + 1 ELSE greatest(1, c.last_step // 2000) END AS width
    FROM clocks AS c
    LEFT JOIN ends AS e ON e.run = c.run
    WHERE c.last_step > 0
),
losses AS (
    SELECT run, metric, step, value, source, line, clock_s FROM settled WHERE metric = 'val/loss'
    UNION ALL
    SELECT t.run, p.metric, p.step, p.value, p.source, p.line, NULL
    FROM raw_points AS p
    JOIN (
        FROM run_trials
        -- with long audits:
        ANTI JOIN kept USING (source, trial)
        -- end
    ) AS t ON t.source = p.source AND t.trial = p.trial AND t.main
    -- with restarts:
    LEFT JOIN segments AS g ON g.source = p.source AND g.trial = p.trial AND g.segment = p.segment
    -- end
    WHERE p.metric = 'train/loss'
        -- with restarts:
        AND (g.superseded_from IS NULL OR p.step < g.superseded_from)
        -- end
),
found AS (
    SELECT
        l.run AS curve, l.metric, l.step // w.width AS stretch, max(l.value) AS high, min(l.value) AS low,
        arg_max({'step': l.step, 'source': l.source, 'line': l.line}, l.value) AS peak,
        arg_min({'step': l.step, 'clock': l.clock_s}, l.step) FILTER (l.metric = 'val/loss') AS onset
    FROM losses AS l
    JOIN widths AS w ON w.run = l.run
    WHERE isfinite(l.value) AND l.step > 0
    GROUP BY l.run, l.metric, l.step // w.width
)
SELECT f.curve, f.metric, f.stretch, f.high, f.low, f.peak.step AS peak_step, s.path, f.peak.line AS line, f.onset.step AS step, f.onset.clock AS clock_s
FROM found AS f
JOIN sources AS s ON s.id = f.peak.source
