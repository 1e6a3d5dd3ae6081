-- title: which runs are compared with which: finished, non-continuation runs of the same total
-- grain: run
WITH
judged AS (
    SELECT
        r.run, e.last_eval, e.n_finite AS n_val, coalesce(r.total_steps, e.last_eval) AS total, coalesce(e.unstepped, false) AS unstepped,
        CASE
            WHEN r.is_continuation THEN 'continues ' || coalesce((SELECT name FROM runs AS p WHERE p.run = r.parent), 'an earlier run')
                || coalesce(' from step ' || r.resumed_step, '')
            WHEN r.status NOT IN ('finished', 'no declared total') THEN r.status
            WHEN e.run IS NULL THEN 'no validation loss'
        END AS excluded
    FROM runs AS r
    LEFT JOIN ends AS e ON e.run = r.run AND e.n_finite > 0
)
SELECT
    run, excluded, unstepped, last_eval, n_val,
    CASE WHEN excluded IS NULL THEN CASE WHEN unstepped THEN 'final' ELSE total::VARCHAR END END AS budget,
    CASE WHEN excluded IS NULL AND NOT unstepped THEN total END AS total
FROM judged
ORDER BY run
