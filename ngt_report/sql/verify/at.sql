-- title: a metric that is no evaluation, at one step
-- grain: run
SELECT t.run, p.step, p.value, p.decimals, s.path, p.line, p.pointer
FROM raw_points AS p
JOIN run_trials AS t ON t.source = p.source AND t.trial = p.trial
JOIN sources AS s ON s.id = p.source
LEFT JOIN segments AS g ON g.source = p.source AND g.trial = p.trial AND g.segment = p.segment
WHERE p.metric = $metric AND p.step = $step AND isfinite(p.value) AND (g.superseded_from IS NULL OR p.step < g.superseded_from)
QUALIFY row_number() OVER (PARTITION BY t.run ORDER BY t.precedence, p.line DESC NULLS LAST, s.path, p.value) = 1
