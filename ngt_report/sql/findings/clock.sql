-- clocks that restarted, and segments that superseded earlier points
-- when: clock that restarts | clock that continues
SELECT
    'info' AS severity, 'restarted' AS kind, r.name AS run,
    'run ' || r.name || ' restarted ' || count(*) || CASE WHEN count(*) = 1 THEN ' time' ELSE ' times' END
        || coalesce('; earlier points from step ' || min(g.start_step) || ' on are superseded', '; its clock went on from 0') AS text,
    any_value(s.path) AS source, min(g.line) AS line
FROM raw_segments AS g
JOIN run_trials AS t ON t.source = g.source AND t.trial = g.trial
JOIN runs AS r ON r.run = t.run
JOIN sources AS s ON s.id = g.source
WHERE g.segment > 0 AND g.reset_line IS NULL
GROUP BY r.name, g.source
ORDER BY r.name
