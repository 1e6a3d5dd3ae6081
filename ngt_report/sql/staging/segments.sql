-- title: segments of runs that restarted: which points a later segment supersedes, and what to add to the clock
-- grain: source, trial, segment
WITH
starts AS (
    SELECT source, trial, segment, min(start_step) AS start_step, bool_or(clock = 'restarts') AS said_restart
    FROM raw_segments
    WHERE reset_line IS NULL OR segment > 0
    GROUP BY source, trial, segment
),
all_segments AS (
    SELECT DISTINCT source, trial, 0 AS segment FROM raw_segments
    UNION
    SELECT source, trial, segment FROM starts
),
bounds AS (
    SELECT a.source, a.trial, a.segment, min(later.start_step) AS superseded_from
    FROM all_segments AS a
    LEFT JOIN starts AS later ON later.source = a.source AND later.trial = a.trial AND later.segment > a.segment
    GROUP BY a.source, a.trial, a.segment
),
resets AS (
    SELECT source, trial, segment, max(reset_line) AS reset_line FROM raw_segments WHERE reset_line IS NOT NULL GROUP BY source, trial, segment
),
clocked AS (
    SELECT
        source, trial, segment, arg_min(p.elapsed_s, p.line) AS first_elapsed,
        max(p.elapsed_s) FILTER (b.superseded_from IS NULL OR p.step < b.superseded_from) AS last_elapsed
    FROM raw_lines AS p
    JOIN bounds AS b USING (source, trial, segment)
    LEFT JOIN resets AS r USING (source, trial, segment)
    WHERE p.elapsed_s IS NOT NULL AND (r.reset_line IS NULL OR p.line >= r.reset_line)
    GROUP BY source, trial, segment
),
readings AS (
    SELECT b.*, r.reset_line, c.first_elapsed, c.last_elapsed
    FROM bounds AS b
    LEFT JOIN resets AS r USING (source, trial, segment)
    LEFT JOIN clocked AS c USING (source, trial, segment)
),
compared AS (
    SELECT
        readings.*, coalesce(s.said_restart, false) AS said_restart,
        lag(last_elapsed) OVER (PARTITION BY source, trial ORDER BY segment) AS before_elapsed
    FROM readings
    LEFT JOIN starts AS s USING (source, trial, segment)
)
SELECT
    source, trial, segment, superseded_from, reset_line,
    sum(CASE WHEN said_restart OR first_elapsed < before_elapsed THEN coalesce(before_elapsed, 0) ELSE 0 END)
        OVER (PARTITION BY source, trial ORDER BY segment) AS clock_offset_s
FROM compared
