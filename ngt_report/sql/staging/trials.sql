-- title: every trial with the few values that say which run it is
-- grain: source, trial
WITH
counted AS (
    SELECT
        source, trial, sum(n_val) AS n_val, min(first_step) AS first_step, max(last_step) AS last_step, max(last_line) AS last_line,
        max(tokens) AS tokens, bool_or(clock_step IS NOT NULL OR unstepped_elapsed IS NOT NULL) AS timed
    FROM spans
    GROUP BY source, trial
)
SELECT
    t.source, s.path, s.format, s.precedence, t.trial, t.kind, t.name, t.shared, t.line,
    coalesce(c.n_val, 0)::BIGINT AS n_val, c.first_step, c.last_step, c.last_line,
    c.tokens, coalesce(c.timed, false) AS timed,
    v.best, v.best_decimals, v.last, v.last_decimals, v.stated_best, v.final, v.final_decimals, v.print_, v.diverged
FROM raw_trials AS t
JOIN sources AS s ON s.id = t.source
LEFT JOIN counted AS c ON c.source = t.source AND c.trial = t.trial
JOIN trial_values AS v ON v.source = t.source AND v.trial = t.trial
ORDER BY s.path, t.trial
