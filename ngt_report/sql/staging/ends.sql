-- title: how long the validation curve of every run is, and its best and last evaluation as logged
-- grain: run
-- with short curves:
SELECT
    run, count(*) AS n_val, count(*) FILTER (isfinite(value)) AS n_finite, min(step) AS first_step,
    min(step) FILTER (step > 0 AND isfinite(value)) AS first_eval, max(step) FILTER (isfinite(value)) AS last_eval,
    coalesce(bool_and(step IS NULL) FILTER (isfinite(value)), false) AS unstepped,
    coalesce(bool_or(step > 0 AND clock_s IS NOT NULL), false) AS clocked, bool_or(is_final) AS from_final,
    arg_min({'v': value, 's': step, 'd': decimals, 'c': clock_s, 'src': source, 'p': path, 'l': line, 'ptr': pointer},
        (value, step IS NULL, coalesce(step, 0), coalesce(line, 0))) FILTER (isfinite(value)) AS best,
    arg_max({'v': value, 's': step, 'd': decimals, 'c': clock_s, 'src': source, 'p': path, 'l': line, 'ptr': pointer},
        (coalesce(step, 0), coalesce(line, 0))) AS last
FROM settled
WHERE metric = 'val/loss'
GROUP BY run
-- with long curves:
UNION ALL
-- end
-- end
-- with long curves:
SELECT
    l.run, c.n AS n_val, c.n_finite, c.first_step, c.first_eval, c.last_eval, false AS unstepped, c.clocked, false AS from_final,
    CASE WHEN c.n_finite > 0 THEN
        {'v': v.best, 's': v.best_at.s, 'd': v.best_decimals, 'c': v.best_at.c, 'src': l.source, 'p': l.path, 'l': v.best_at.l, 'ptr': NULL::VARCHAR}
    END AS best,
    {'v': v.end_at.v, 's': v.end_at.s, 'd': v.end_at.d, 'c': v.end_at.c, 'src': l.source, 'p': l.path, 'l': v.end_at.l, 'ptr': NULL::VARCHAR} AS last
FROM long_curves AS l
JOIN curves AS c ON c.source = l.source AND c.trial = l.trial AND c.metric = 'val/loss'
JOIN trial_values AS v ON v.source = l.source AND v.trial = l.trial
-- end
