-- title: the training clock and the number of training points of every run
-- grain: run
WITH
shifted AS (
    SELECT
        t.run, t.precedence, p.source, p.n_train, p.last_step, p.clock_step, p.tokens,
        -- with restarts:
        coalesce(p.last_elapsed, p.unstepped_elapsed) + coalesce(g.clock_offset_s, 0) AS train_time_s
        -- else:
        coalesce(p.last_elapsed, p.unstepped_elapsed) AS train_time_s
        -- end
    FROM spans AS p
    JOIN run_trials AS t USING (source, trial)
    -- with restarts:
    LEFT JOIN segments AS g USING (source, trial, segment)
    -- end
),
per_source AS (
    SELECT
        run, source, precedence, sum(n_train) AS n_train, max(last_step) AS last_step, max(tokens) AS tokens,
        arg_max(train_time_s, (coalesce(clock_step, 0), train_time_s)) FILTER (train_time_s IS NOT NULL) AS train_time_s
    FROM shifted
    GROUP BY run, source, precedence
)
SELECT
    p.run, max(p.n_train) AS n_train, max(p.last_step) AS last_step, max(p.tokens) AS tokens,
    coalesce(arg_min(p.train_time_s, (p.precedence, p.source)) FILTER (p.train_time_s IS NOT NULL), any_value(r.stated_time_s)) AS train_time_s
FROM per_source AS p
JOIN runs AS r USING (run)
GROUP BY p.run
