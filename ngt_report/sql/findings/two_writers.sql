-- logs whose step falls again and again: two processes wrote into one file, and what is left of the curve is a mixture
-- when: clock that continues
WITH falls AS (
    SELECT source, trial, count(*) AS n, min(line) AS line
    FROM raw_segments
    WHERE segment > 0 AND clock = 'continues'
    GROUP BY source, trial
)
SELECT
    'error' AS severity, 'two_writers' AS kind, r.name AS run,
    'run ' || r.name || ' has a step that falls ' || f.n || ' times in ' || s.lines_used
        || ' lines, as when two processes write into one file: its numbers may belong to either' AS text,
    s.path AS source, f.line AS line
FROM falls AS f
JOIN run_trials AS t ON t.source = f.source AND t.trial = f.trial
JOIN runs AS r ON r.run = t.run
JOIN sources AS s ON s.id = f.source
WHERE f.n >= 3 AND f.n * 8 >= s.lines_used
ORDER BY r.name
