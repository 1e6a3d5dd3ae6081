-- title: best, last and stated values of every trial, with their decimals and a fingerprint of its curve
-- grain: source, trial; computed once per content, for the sources in fresh
WITH
ends AS (
    -- evaluations are late from the step on that leaves some 12 of them, where steps are even
    SELECT source, trial, best, print_, last_eval, end_step, CASE WHEN uneven THEN 0 ELSE last_eval - 13 * (last_eval - first_eval) // greatest(n_finite - 1, 1) END AS late_from
    FROM curves
    SEMI JOIN fresh USING (source)
    WHERE metric = 'val/loss'
),
valued AS (
    -- the few points that can be the best and the last; when the very last is no number, the run diverged
    SELECT
        source, trial, any_value(c.best) AS best, any_value(c.print_) AS print_,
        arg_min({'decimals': decimals}, coalesce(p.line, 0)) FILTER (p.value = c.best).decimals AS best_decimals,
        arg_max(p.value, coalesce(p.line, 0)) FILTER (isfinite(p.value) AND p.step IS NOT DISTINCT FROM c.last_eval) AS last,
        arg_max({'decimals': decimals}, coalesce(p.line, 0))
            FILTER (isfinite(p.value) AND p.step IS NOT DISTINCT FROM c.last_eval).decimals AS last_decimals,
        arg_max(NOT isfinite(p.value), coalesce(p.line, 0)) FILTER (p.step IS NOT DISTINCT FROM c.end_step) AS diverged,
        arg_min({'s': p.step, 'c': p.elapsed_s, 'l': p.line}, coalesce(p.line, 0)) FILTER (p.value = c.best) AS best_at,
        arg_max({'v': p.value, 'd': p.decimals, 's': p.step, 'c': p.elapsed_s, 'l': p.line}, coalesce(p.line, 0))
            FILTER (p.step IS NOT DISTINCT FROM c.end_step) AS end_at,
        list({'v': p.value, 's': p.step} ORDER BY p.step DESC, p.line DESC) FILTER (isfinite(p.value) AND p.step > 0 AND p.step > c.late_from)[:12] AS late
    FROM raw_points AS p
    JOIN ends AS c USING (source, trial)
    WHERE p.metric = 'val/loss'
        AND (p.value = c.best OR p.step IS NOT DISTINCT FROM c.last_eval OR p.step IS NOT DISTINCT FROM c.end_step OR p.step > c.late_from)
    GROUP BY source, trial
),
trained AS (
    -- without any validation, the training loss says whether it diverged
    SELECT source, trial, arg_max(NOT isfinite(value), (coalesce(step, 0), line)) AS diverged
    FROM raw_points
    SEMI JOIN fresh USING (source)
    ANTI JOIN ends USING (source, trial)
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
    st.stated_best, st.final, st.final_decimals, v.best_at, v.end_at, v.late
FROM raw_trials AS t
SEMI JOIN fresh USING (source)
LEFT JOIN trained AS e ON e.source = t.source AND e.trial = t.trial
LEFT JOIN valued AS v ON v.source = t.source AND v.trial = t.trial
LEFT JOIN stated AS st ON st.source = t.source AND st.trial = t.trial
