-- clocks that go back to something that is no beginning
-- when: clock that restarts
WITH
intervals AS (
    SELECT curve AS run, step - lag(step) OVER w AS steps, clock_s - lag(clock_s) OVER w AS seconds
    FROM thinned
    WHERE metric = 'val/loss' AND clock_s IS NOT NULL
    WINDOW w AS (PARTITION BY curve ORDER BY stretch)
),
usual AS (
    SELECT run, median(seconds) AS seconds FROM intervals WHERE steps > 0 GROUP BY run
),
restarts AS (
    -- a clock that begins anew begins near 0: one that falls to something else is no restart
    SELECT g.source, g.trial, g.line, g.start_step, min(p.elapsed_s) AS reading
    FROM raw_segments AS g
    JOIN raw_lines AS p ON p.source = g.source AND p.trial = g.trial AND p.line = g.line
    WHERE g.clock = 'restarts' AND g.reset_line IS NULL AND p.elapsed_s IS NOT NULL
    GROUP BY g.source, g.trial, g.line, g.start_step
)
SELECT 'warning' AS severity, 'clock' AS kind, r.name AS run,
    'run ' || r.name || ' has a clock that falls to ' || printf('%.1f', f.reading) || ' s at step ' || f.start_step
    || ', which is no restart from 0: its times after that may be wrong' AS text, s.path AS source, f.line
FROM restarts AS f
JOIN run_trials AS t ON t.source = f.source AND t.trial = f.trial
JOIN runs AS r ON r.run = t.run
JOIN sources AS s ON s.id = f.source
JOIN usual AS u ON u.run = t.run
WHERE f.reading > 3 * u.seconds
ORDER BY ALL
