-- evaluations that are missing in the middle of a run: a step between two neighbours far wider than usual
WITH
ranges AS (
    SELECT run, min(step) AS first_step, (max(step) - min(step)) / (count(*) - 1) AS width
    FROM evals
    WHERE metric = 'val/loss' AND step > 0
    GROUP BY run
    HAVING count(*) > 5
),
uneven AS (
    -- the steps of most runs are multiples of one width: they have no gaps
    SELECT e.run
    FROM evals AS e
    JOIN ranges AS r ON r.run = e.run
    WHERE e.metric = 'val/loss' AND e.step > 0
    GROUP BY e.run
    HAVING bool_or((e.step - r.first_step) % r.width <> 0)
),
steps AS (
    SELECT run, step, path, line, step - lag(step) OVER (PARTITION BY run ORDER BY step) AS width
    FROM evals
    SEMI JOIN uneven USING (run)
    WHERE metric = 'val/loss' AND step > 0
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
