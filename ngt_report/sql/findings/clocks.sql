-- clocks that fall, stand still or leap
-- when: clock
-- when: odd clocks | odd long clocks
WITH
-- with odd long clocks:
suspects AS (
    SELECT l.* FROM long_curves AS l JOIN curves AS c ON c.source = l.source AND c.trial = l.trial AND c.metric = 'val/loss' AND c.odd_clock
),
-- end
readings AS (
    SELECT curve AS run, stretch AS place, step, path, line, clock_s
    FROM thinned
    WHERE metric = 'val/loss' AND clock_s IS NOT NULL
    -- with odd long clocks:
    UNION ALL
    SELECT l.run, p.step, p.step, l.path, p.line, p.elapsed_s
    FROM raw_points AS p
    JOIN suspects AS l ON l.source = p.source AND l.trial = p.trial
    WHERE p.metric = 'val/loss' AND p.elapsed_s IS NOT NULL AND p.step > 0
    -- end
),
intervals AS (
    SELECT
        run, step, path, line, step - lag(step) OVER w AS steps, clock_s - lag(clock_s) OVER w AS seconds, lag(step) OVER w AS from_step
    FROM readings
    WINDOW w AS (PARTITION BY run ORDER BY place)
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
longest AS (
    -- of each kind one a run; a clock that stands still once is none
    SELECT run, what, unnest(arg_max({'from_step': from_step, 'step': step, 'seconds': seconds, 'usually': usually, 'path': path, 'line': line}, (seconds, -step)))
    FROM odd
    GROUP BY run, what
    HAVING what <> 'stands' OR count(*) >= 2
)
SELECT 'warning' AS severity, 'clock' AS kind, r.name AS run,
    'run ' || r.name || ' has a clock that ' || CASE what WHEN 'stands' THEN 'stands still' ELSE what END || ' between steps ' || from_step || ' and ' || step
        || CASE what WHEN 'leaps' THEN ': ' || printf('%.0f', seconds) || ' s where it usually takes ' || printf('%.0f', usually)
           WHEN 'falls' THEN ' by ' || printf('%.1f', -seconds) || ' s' ELSE '' END AS text, path AS source, line
FROM longest JOIN runs AS r USING (run)
ORDER BY ALL
