-- title: which runs are compared with which: finished, non-continuation runs of the same total
-- grain: run
WITH
-- with runs without losses | restarts:
in_bits AS (
    SELECT t.run, min(c.metric) AS metric
    FROM curves AS c JOIN run_trials AS t ON t.source = c.source AND t.trial = c.trial
    WHERE regexp_matches(c.metric, '^val/(.*_)?(bpb|bits_per_|bits)') AND c.n_finite > 0
    GROUP BY t.run
),
-- end
judged AS (
    SELECT
        r.run, e.last_eval, e.n_finite AS n_val, coalesce(r.total_steps, e.last_eval) AS total, coalesce(e.unstepped, false) AS unstepped,
        CASE
            WHEN r.is_continuation THEN 'continues ' || coalesce(p.name, 'an earlier run')
                || coalesce(' from step ' || r.resumed_step, '')
            WHEN r.status NOT IN ('finished', 'no declared total') THEN r.status
            WHEN regexp_matches(lower(json_extract_string(r.config, '$.val_loss_unit')), 'bit|bp[bct]')
                THEN 'its loss is in ' || json_extract_string(r.config, '$.val_loss_unit') || ', not in nats per token'
            -- with runs without losses | restarts:
            WHEN e.run IS NULL AND b.metric IS NOT NULL THEN 'validated as ' || b.metric || ' only, not in nats per token'
            -- end
            WHEN e.run IS NULL THEN 'no validation loss'
            WHEN e.last_eval = 0 AND r.total_steps > 0 THEN 'evaluated before training only'
            WHEN e.best.v > 50 THEN 'its loss is a sum or another measure, no mean in nats per token' -- of a vocabulary of e^50
        END AS excluded
    FROM runs AS r
    LEFT JOIN ends AS e ON e.run = r.run AND e.n_finite > 0
    -- with runs without losses | restarts:
    LEFT JOIN in_bits AS b ON b.run = r.run
    -- end
    LEFT JOIN runs AS p ON p.run = r.parent
)
SELECT
    run, excluded, unstepped, last_eval, n_val,
    CASE WHEN excluded IS NULL THEN CASE WHEN unstepped THEN 'final' ELSE total::VARCHAR END END AS budget,
    CASE WHEN excluded IS NULL AND NOT unstepped THEN total END AS total
FROM judged
ORDER BY run
