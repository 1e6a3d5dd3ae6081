-- title: Train time, the clock at the last step, and tokens a step
-- unit: seconds
-- better: lower
-- grain: run
-- with tokens | batch:
WITH
counted AS (
    -- of the run's own log: a checkpoint may speak of other steps
    SELECT t.run, max(p.tokens) AS tokens, max(p.last_step) AS last_step
    FROM run_trials AS t
    JOIN spans AS p ON p.source = t.source AND p.trial = t.trial
    WHERE t.main
    GROUP BY t.run
)
-- end
SELECT
    k.run, k.train_time_s, k.n_train, k.last_step, k.tokens,
    -- with tokens | batch:
    -- what the log counted wins over what the settings promise
    CASE WHEN o.tokens > 0 AND o.last_step > 0 THEN o.tokens / o.last_step ELSE c.tokens::DOUBLE END AS tokens_per_step
    -- else:
    NULL::DOUBLE AS tokens_per_step
    -- end
FROM clocks AS k
-- with tokens | batch:
JOIN batches AS c USING (run)
LEFT JOIN counted AS o USING (run)
-- end
ORDER BY k.run
