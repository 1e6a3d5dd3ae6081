-- title: how long the validation curve of every run is, and its best and last evaluation as logged
-- grain: run
WITH
gathered AS (
    SELECT
        run, count(*) AS n_val, min(step) AS first_step, min(step) FILTER (step > 0 AND isfinite(value)) AS first_eval,
        max(step) FILTER (isfinite(value)) AS last_eval, count(*) FILTER (isfinite(value)) AS n_finite,
        coalesce(bool_and(step IS NULL) FILTER (isfinite(value)), false) AS unstepped, bool_or(is_final) AS from_final,
        coalesce(bool_or(step > 0 AND clock_s IS NOT NULL), false) AS clocked,
        arg_min({'v': value, 's': step, 'd': decimals, 'c': clock_s, 'src': source, 'p': path, 'l': line, 'ptr': pointer},
            (value, coalesce(step, 0), coalesce(line, 0))) FILTER (isfinite(value)) AS best,
        arg_max({'v': value, 's': step, 'd': decimals, 'c': clock_s, 'src': source, 'p': path, 'l': line, 'ptr': pointer},
            (coalesce(step, 0), coalesce(line, 0))) AS last
    FROM settled
    WHERE metric = 'val/loss'
    GROUP BY run
),
long AS (
    SELECT l.run, l.source, l.trial, c.* EXCLUDE (source, trial), v.best_line, v.last_line
    FROM long_curves AS l
    JOIN curves AS c ON c.source = l.source AND c.trial = l.trial AND c.metric = 'val/loss'
    JOIN trial_values AS v ON v.source = l.source AND v.trial = l.trial
),
wanted AS (
    SELECT run, source, best_line AS line FROM long UNION SELECT run, source, last_line FROM long
),
cited AS (
    SELECT
        w.run, e.line, {'v': e.value, 's': e.step, 'd': e.decimals, 'c': e.clock_s, 'src': e.source, 'p': e.path, 'l': e.line, 'ptr': e.pointer} AS point
    FROM evals AS e
    JOIN wanted AS w ON w.source = e.source AND w.line = e.line
    WHERE e.metric = 'val/loss'
)
SELECT run, n_val, n_finite, first_step, first_eval, last_eval, unstepped, clocked, from_final, best, last FROM gathered
UNION ALL
SELECT l.run, l.n, l.n_finite, l.first_step, l.first_eval, l.last_eval, false, l.clocked, false, b.point, e.point
FROM long AS l
LEFT JOIN cited AS b ON b.run = l.run AND b.line = l.best_line
LEFT JOIN cited AS e ON e.run = l.run AND e.line = l.last_line
