-- title: best, last and stated values of every trial, with their decimals and a fingerprint of its curve
-- grain: source, trial; computed once per content, for the sources in fresh
WITH
curve AS (
    SELECT source, trial, coalesce(step, 0) AS step, value, decimals, coalesce(line, 0) AS line, isfinite(value) AS finite, hash(step, value, elapsed_s) AS print
    FROM raw_points
    SEMI JOIN fresh USING (source)
    WHERE metric = 'val/loss'
),
extremes AS (
    SELECT
        source, trial, min(value) FILTER (finite) AS best, max(step) FILTER (finite) AS last_step, max(step) AS end_step,
        count(*) FILTER (finite) || ':' || bit_xor(print) FILTER (finite) || ':' || min(value) FILTER (finite) AS print_
    FROM curve
    GROUP BY source, trial
),
valued AS (
    -- the few points that can be the best and the last; when the very last is no number, the run diverged
    SELECT
        source, trial, any_value(x.best) AS best, any_value(x.print_) AS print_,
        arg_min({'decimals': decimals}, c.line) FILTER (value = x.best).decimals AS best_decimals,
        arg_max(value, c.line) FILTER (finite AND step = x.last_step) AS last,
        arg_max({'decimals': decimals}, c.line) FILTER (finite AND step = x.last_step).decimals AS last_decimals,
        arg_max(NOT finite, c.line) FILTER (step = x.end_step) AS diverged
    FROM curve AS c
    JOIN extremes AS x USING (source, trial)
    WHERE c.value = x.best OR c.step = x.last_step OR c.step = x.end_step
    GROUP BY source, trial
),
trained AS (
    -- without any validation, the training loss says whether it diverged
    SELECT source, trial, arg_max(NOT isfinite(value), (coalesce(step, 0), line)) AS diverged
    FROM raw_points
    SEMI JOIN fresh USING (source)
    ANTI JOIN extremes USING (source, trial)
    WHERE metric = 'train/loss'
    GROUP BY source, trial
),
stated AS (
    SELECT
        source, trial,
        min(value) FILTER (metric = 'best/loss') AS stated_best,
        min(value) FILTER (metric = 'final/loss') AS final,
        min(decimals) FILTER (metric = 'final/loss') AS final_decimals
    FROM raw_points
    SEMI JOIN fresh USING (source)
    WHERE metric IN ('best/loss', 'final/loss') AND isfinite(value)
    GROUP BY source, trial
)
SELECT
    t.source, t.trial, v.best, v.best_decimals, v.last, v.last_decimals, v.print_, coalesce(v.diverged, e.diverged, false) AS diverged,
    st.stated_best, st.final, st.final_decimals
FROM raw_trials AS t
SEMI JOIN fresh USING (source)
LEFT JOIN trained AS e ON e.source = t.source AND e.trial = t.trial
LEFT JOIN valued AS v ON v.source = t.source AND v.trial = t.trial
LEFT JOIN stated AS st ON st.source = t.source AND st.trial = t.trial
