-- title: one metric of one run: its live evaluations, else its live points
-- grain: step
WITH
evaluated AS (
    SELECT step, value, decimals, clock_s, source, path, line, pointer
    FROM evals
    WHERE run = $run AND metric = $metric
),
others AS (
    SELECT p.step, p.value, p.decimals, p.elapsed_s + coalesce(g.clock_offset_s, 0) AS clock_s, p.source, s.path, p.line, p.pointer
    FROM raw_points AS p
    JOIN run_trials AS t ON t.source = p.source AND t.trial = p.trial
    JOIN sources AS s ON s.id = p.source
    LEFT JOIN segments AS g ON g.source = p.source AND g.trial = p.trial AND g.segment = p.segment
    WHERE t.run = $run AND p.metric = $metric AND (g.superseded_from IS NULL OR p.step IS NULL OR p.step < g.superseded_from)
    QUALIFY row_number() OVER (PARTITION BY p.step ORDER BY t.precedence, p.line DESC NULLS LAST, s.path, p.value) = 1
)
SELECT * FROM evaluated
UNION ALL
SELECT * FROM others WHERE NOT EXISTS (SELECT 1 FROM evaluated)
ORDER BY step NULLS FIRST, path, line
