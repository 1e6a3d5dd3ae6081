-- clocks that cannot be right: they fall, stand still or leap, or disagree with what a results file says
WITH
intervals AS (
    SELECT
        run, step, path, line, step - lag(step) OVER w AS steps, clock_s - lag(clock_s) OVER w AS seconds, lag(step) OVER w AS from_step
    FROM thinned
    WHERE metric = 'val/loss' AND clock_s IS NOT NULL
    WINDOW w AS (PARTITION BY run ORDER BY stretch)
),
usual AS (
    SELECT run, median(seconds / steps) AS per_step, median(seconds) AS seconds, count(*) AS intervals FROM intervals WHERE steps > 0 GROUP BY run
),
odd AS (
    SELECT
        i.*, u.per_step * i.steps AS usually,
        CASE WHEN i.seconds < 0 THEN 'falls' WHEN i.seconds = 0 THEN 'stands' WHEN i.seconds > 5 * u.per_step * i.steps THEN 'leaps' END AS what
    FROM intervals AS i
    JOIN usual AS u USING (run)
    WHERE u.intervals >= 5 AND u.seconds >= 1 AND i.steps > 0
        AND (i.seconds < 0 OR i.seconds = 0 OR i.seconds > 5 * u.per_step * i.steps AND i.seconds - u.per_step * i.steps > 30)
),
restarts AS (
    -- a clock that begins anew begins near 0: one that falls to something else is no restart
    SELECT g.source, g.trial, g.line, g.start_step, arg_min(p.elapsed_s, p.line) AS first, max(p.elapsed_s) FILTER (p.line < g.line) AS before
    FROM raw_segments AS g
    JOIN raw_lines AS p ON p.source = g.source AND p.trial = g.trial AND (p.segment = g.segment OR p.segment = g.segment - 1)
    WHERE g.clock = 'restarts' AND g.reset_line IS NULL AND p.elapsed_s IS NOT NULL
    GROUP BY g.source, g.trial, g.line, g.start_step
),
first_readings AS (
    SELECT r.*, p.elapsed_s AS reading
    FROM restarts AS r
    JOIN raw_lines AS p ON p.source = r.source AND p.trial = r.trial AND p.line = r.line
),
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
SELECT 'warning' AS severity, 'clock' AS kind, r.name AS run,
    'run ' || r.name || ' has a clock that ' || CASE what WHEN 'stands' THEN 'stands still' ELSE what END || ' between steps ' || from_step || ' and ' || step
        || CASE what WHEN 'leaps' THEN ': ' || printf('%.0f', seconds) || ' s where it usually takes ' || printf('%.0f', usually)
           WHEN 'falls' THEN ' by ' || printf('%.1f', -seconds) || ' s' ELSE '' END AS text, path AS source, line
FROM odd JOIN runs AS r USING (run)
WHERE what <> 'stands' OR (SELECT count(*) FROM odd AS o WHERE o.run = odd.run AND o.what = 'stands') >= 2
QUALIFY row_number() OVER (PARTITION BY run, what ORDER BY seconds DESC, step) = 1
UNION ALL
SELECT 'warning', 'clock', r.name, 'run ' || r.name || ' has a clock that falls to ' || printf('%.1f', f.reading) || ' s at step ' || f.start_step
    || ', which is no restart from 0: its times after that may be wrong', s.path, f.line
FROM first_readings AS f
JOIN run_trials AS t ON t.source = f.source AND t.trial = f.trial
JOIN runs AS r ON r.run = t.run
JOIN sources AS s ON s.id = f.source
JOIN usual AS u ON u.run = t.run
WHERE f.reading > 3 * u.seconds
UNION ALL
SELECT
    CASE WHEN said > train_time_s THEN 'info' WHEN clock_scope = 'training' THEN 'error' ELSE 'warning' END, 'contradiction', name,
    path || ' gives run ' || name || ' a train time of ' || printf('%.1f', said) || ' s, but its log''s clock ends at ' || printf('%.1f', train_time_s) || ' s', path, line
FROM stated WHERE abs(said - train_time_s) > 0.02 * train_time_s + 1
ORDER BY ALL
