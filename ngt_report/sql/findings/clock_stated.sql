-- train times of results files that are not those of the logs
-- when: timed rows
WITH
stated AS (
    SELECT r.run, r.name, r.clock_scope, any_value(s.path) AS path, any_value(p.line) AS line, max(p.elapsed_s) AS said,
        max(l.last_elapsed + coalesce(g.clock_offset_s, 0)) AS train_time_s
    FROM raw_points AS p
    JOIN raw_trials AS w ON w.source = p.source AND w.trial = p.trial AND w.kind = 'row'
    JOIN run_trials AS own ON own.source = p.source AND own.trial = p.trial AND NOT own.main
    JOIN runs AS r ON r.run = own.run
    JOIN sources AS s ON s.id = p.source
    JOIN run_trials AS m ON m.run = own.run AND m.main
    JOIN raw_trials AS mw ON mw.source = m.source AND mw.trial = m.trial AND mw.kind = 'curve'
    JOIN spans AS l ON l.source = m.source AND l.trial = m.trial
    LEFT JOIN segments AS g ON g.source = l.source AND g.trial = l.trial AND g.segment = l.segment
    WHERE p.elapsed_s > 0
    GROUP BY r.run, r.name, r.clock_scope, p.source
)
SELECT
    CASE WHEN said > train_time_s THEN 'info' WHEN clock_scope = 'training' THEN 'error' ELSE 'warning' END AS severity, 'contradiction' AS kind, name AS run,
    path || ' gives run ' || name || ' a train time of ' || printf('%.1f', said) || ' s, but its log''s clock ends at '
        || printf('%.1f', train_time_s) || ' s' AS text,
    path AS source, line
FROM stated WHERE abs(said - train_time_s) > 0.02 * train_time_s + 1
ORDER BY ALL
