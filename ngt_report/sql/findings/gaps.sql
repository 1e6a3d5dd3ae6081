-- evaluations that are missing in the middle of a run: a step between two neighbours far wider than usual
-- when: uneven | no single curve
WITH
uneven AS (
    -- the steps of most runs are multiples of one width: they have no gaps
    SELECT run FROM run_trials JOIN curves USING (source, trial) WHERE metric = 'val/loss' GROUP BY run HAVING bool_or(uneven) OR count(*) > 1
    UNION ALL
    SELECT run FROM ends ANTI JOIN (SELECT run FROM run_trials JOIN curves USING (source, trial) WHERE metric = 'val/loss') USING (run)
),
evaluated AS (
    SELECT run, step, path, line FROM settled SEMI JOIN uneven USING (run) WHERE metric = 'val/loss' AND step > 0
    UNION ALL
    SELECT l.run, p.step, l.path, p.line
    FROM raw_points AS p
    JOIN (FROM long_curves SEMI JOIN uneven USING (run)) AS l ON l.source = p.source AND l.trial = p.trial
    WHERE p.metric = 'val/loss' AND p.step > 0
),
steps AS (
    SELECT *, step - lag(step) OVER (PARTITION BY run ORDER BY step) AS width FROM evaluated
),
usual AS (
    SELECT run, mode(width) AS width, count(*) AS n FROM steps WHERE width IS NOT NULL GROUP BY run
),
wide AS (
    SELECT s.run, s.step - s.width AS from_step, s.step AS to_step, u.width, s.path, s.line, count(*) OVER (PARTITION BY s.run) AS gaps
    FROM steps AS s
    JOIN usual AS u USING (run)
    WHERE u.n >= 5 AND s.width >= 2 * u.width
)
SELECT
    'warning' AS severity, 'gap' AS kind, r.name AS run,
    'run ' || r.name || ' has no evaluation between steps ' || from_step || ' and ' || to_step || ' (it evaluates every ' || width || ')'
        || CASE WHEN gaps > 1 THEN ', and ' || (gaps - 1) || ' more such gaps' ELSE '' END AS text,
    path AS source, line
FROM wide
JOIN runs AS r USING (run)
WHERE gaps <= 3
QUALIFY row_number() OVER (PARTITION BY run ORDER BY from_step) = 1
ORDER BY r.name
