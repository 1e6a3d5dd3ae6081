-- title: a table macro: the validation losses of the runs in `asked`, each between the steps low and high, which are included; null is no bound
-- grain: a row of `asked`, whose other columns are kept, and a step: evaluations without one are left out
-- a long curve is read where it lies, and only if it is asked for
WITH wanted AS (
    SELECT *, coalesce(low, -9223372036854775808) AS from_step, coalesce(high, 9223372036854775807) AS to_step FROM query_table(asked)
)
-- with short curves:
SELECT w.* EXCLUDE (from_step, to_step), e.step, e.value, e.clock_s, e.tokens, e.source, e.path, e.line
FROM settled AS e
JOIN wanted AS w ON w.run = e.run AND e.step >= w.from_step AND e.step <= w.to_step
WHERE e.metric = 'val/loss'
-- with long curves:
UNION ALL
-- end
-- end
-- with long curves:
SELECT
    w.* EXCLUDE (from_step, to_step, own_source, own_trial, own_path), p.step, p.value, p.elapsed_s AS clock_s, p.tokens, p.source, w.own_path AS path, p.line
FROM raw_points AS p
JOIN (SELECT w.*, l.source AS own_source, l.trial AS own_trial, l.path AS own_path FROM wanted AS w JOIN long_curves AS l USING (run)) AS w
    ON w.own_source = p.source AND w.own_trial = p.trial AND p.step >= w.from_step AND p.step <= w.to_step
WHERE p.metric = 'val/loss'
-- end
