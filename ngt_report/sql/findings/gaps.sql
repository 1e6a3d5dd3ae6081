-- evaluations that are missing in the middle of a run: a step between two neighbours far wider than usual
-- when: uneven | no single curve
WITH
uneven AS (
    -- the steps of most runs are multiples of one width: they have no gaps
    SELECT run
    FROM ends
    LEFT JOIN (
        SELECT run, bool_or(uneven) OR count(*) > 1 AS uneven FROM run_trials JOIN curves USING (source, trial) WHERE metric = 'val/loss' GROUP BY run
    ) USING (run)
    WHERE uneven IS NOT FALSE
),
evaluated AS (
    -- with short curves:
    SELECT run, step, path, line FROM settled SEMI JOIN uneven USING (run) WHERE metric = 'val/loss' AND step > 0
    -- with long curves:
    UNION ALL
    -- end
    -- end
    -- with long curves:
    SELECT l.run, p.step, l.path, p.line
    FROM raw_points AS p
    JOIN (FROM long_curves SEMI JOIN uneven USING (run)) AS l ON l.source = p.source AND l.trial = p.trial
    WHERE p.metric = 'val/loss' AND p.step > 0
    -- end
),
steps AS (
    SELECT *, step - lag(step) OVER (PARTITION BY run ORDER BY step) AS width FROM evaluated
),
usual AS (
    SELECT run, mode(width) AS width FROM steps WHERE width IS NOT NULL GROUP BY run HAVING count(*) >= 5
),
wide AS (
    SELECT
        s.run, any_value(u.width) AS width, count(*) AS gaps,
        arg_min({'from_step': s.step - s.width, 'to_step': s.step, 'path': s.path, 'line': s.line}, s.step) AS first
    FROM steps AS s
    JOIN usual AS u ON u.run = s.run AND s.width >= 2 * u.width
    GROUP BY s.run
    HAVING count(*) <= 3
)
SELECT
    'warning' AS severity, 'gap' AS kind, r.name AS run,
    'run ' || r.name || ' has no evaluation between steps ' || first.from_step || ' and ' || first.to_step || ' (it evaluates every ' || width || ')'
        || CASE WHEN gaps > 1 THEN ', and ' || (gaps - 1) || ' more such gaps' ELSE '' END AS text,
    first.path AS source, first.line
FROM wide
JOIN runs AS r USING (run)
ORDER BY r.name
