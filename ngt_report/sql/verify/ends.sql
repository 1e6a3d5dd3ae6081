-- title: the last, the lowest and the highest value of a metric that is no evaluation
-- grain: run
WITH live AS (
    SELECT
        t.run, t.precedence, p.step, p.value,
        {'step': p.step, 'value': p.value, 'decimals': p.decimals, 'path': s.path, 'line': p.line, 'pointer': p.pointer} AS point
    FROM raw_points AS p
    JOIN run_trials AS t ON t.source = p.source AND t.trial = p.trial
    JOIN sources AS s ON s.id = p.source
    LEFT JOIN segments AS g ON g.source = p.source AND g.trial = p.trial AND g.segment = p.segment
    WHERE p.metric = $metric AND isfinite(p.value) AND (g.superseded_from IS NULL OR p.step IS NULL OR p.step < g.superseded_from)
)
SELECT
    run,
    arg_max(point, (coalesce(step, 0), -precedence, coalesce(point.line, 0), point.path)) AS last,
    arg_min(point, (value, coalesce(step, 0), precedence, point.path)) AS low,
    arg_max(point, (value, -coalesce(step, 0), -precedence, point.path)) AS high
FROM live
GROUP BY run
