-- title: the lines that the report cites, whose text is kept
-- grain: source, line
WITH found AS (
    SELECT best_source AS source, best_line AS line FROM best_last UNION ALL SELECT last_source, last_line FROM best_last
    UNION ALL SELECT refined_source, refined_line FROM best_last
    UNION ALL SELECT source, line FROM fixed_step
    UNION ALL SELECT from_source, from_line FROM throughput UNION ALL SELECT to_source, to_line FROM throughput
    UNION ALL SELECT s.id, f.line FROM findings AS f JOIN sources AS s ON s.path = f.source
)
SELECT DISTINCT s.path, f.source, f.line
FROM found AS f
JOIN sources AS s ON s.id = f.source
WHERE f.line IS NOT NULL AND s.format <> 'checkpoint' AND s.format <> 'tfevents'
