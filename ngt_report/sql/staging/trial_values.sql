-- title: best, last and stated values of every trial, with their decimals and a fingerprint of its curve
-- grain: source, trial; computed once per content, for the sources in fresh
WITH
own AS (
    FROM curves SEMI JOIN fresh USING (source) WHERE metric IN ('val/loss', 'best/loss', 'final/loss')
),
ends AS (
    -- evaluations are late from the step on that leaves some 12 of them, where steps are even
    SELECT source, trial, best, print_, last_eval, end_step,
        CASE WHEN uneven THEN 0 ELSE last_eval - 13 * (last_eval - first_eval) // greatest(n_finite - 1, 1) END AS late_from
    FROM own
    WHERE metric = 'val/loss'
),
-- with trials without validation:
trained AS (
    -- without any validation, the training loss says whether it diverged
    SELECT source, trial, arg_max(NOT isfinite(value), (coalesce(step, 0), line)) AS diverged
    FROM raw_points
    JOIN (SELECT source, trial FROM raw_trials SEMI JOIN fresh USING (source) ANTI JOIN ends USING (source, trial)) USING (source, trial)
    WHERE metric = 'train/loss'
    GROUP BY source, trial
),
-- end
valued AS (
    -- the few points that can be the best and the last; when the very last is no number, the run diverged. Most points lie above
    -- every curve's best and before all these steps: they need not be held against their curve
    SELECT
        source, trial,
        arg_min({'s': p.step, 'c': p.elapsed_s, 'l': p.line, 'd': p.decimals}, coalesce(p.line, 0)) FILTER (p.value = c.best) AS best_at,
        arg_max({'v': p.value, 'd': p.decimals}, coalesce(p.line, 0)) FILTER (isfinite(p.value) AND p.step IS NOT DISTINCT FROM c.last_eval) AS last_at,
        arg_max({'v': p.value, 'd': p.decimals, 's': p.step, 'c': p.elapsed_s, 'l': p.line}, coalesce(p.line, 0))
            FILTER (p.step IS NOT DISTINCT FROM c.end_step) AS end_at,
        list({'v': p.value, 's': p.step} ORDER BY p.step DESC, p.line DESC) FILTER (isfinite(p.value) AND p.step > 0 AND p.step > c.late_from)[:12] AS late
    FROM (
        FROM raw_points
        WHERE metric = 'val/loss'
            AND (value <= (SELECT max(best) FROM ends) OR step >= (SELECT min(least(last_eval, end_step, late_from)) FROM ends) OR step IS NULL)
    ) AS p
    JOIN ends AS c USING (source, trial)
    WHERE p.value = c.best OR p.step IS NOT DISTINCT FROM c.last_eval OR p.step IS NOT DISTINCT FROM c.end_step OR p.step > c.late_from
    GROUP BY source, trial
)
SELECT
    t.source, t.trial, c.best, v.best_at.d AS best_decimals, v.last_at.v AS last, v.last_at.d AS last_decimals, c.print_,
    -- with trials without validation:
    coalesce(NOT isfinite(v.end_at.v), e.diverged, false) AS diverged,
    -- else:
    coalesce(NOT isfinite(v.end_at.v), false) AS diverged,
    -- end
    -- with stated values:
    b.best AS stated_best, f.best AS final, f.least_decimals AS final_decimals,
    -- else:
    NULL AS stated_best, NULL AS final, NULL AS final_decimals,
    -- end
    CASE WHEN v.best_at IS NOT NULL THEN {'s': v.best_at.s, 'c': v.best_at.c, 'l': v.best_at.l} END AS best_at, v.end_at, v.late
FROM raw_trials AS t
SEMI JOIN fresh USING (source)
LEFT JOIN ends AS c ON c.source = t.source AND c.trial = t.trial
-- with trials without validation:
LEFT JOIN trained AS e ON e.source = t.source AND e.trial = t.trial
-- end
LEFT JOIN valued AS v ON v.source = t.source AND v.trial = t.trial
-- with stated values:
LEFT JOIN own AS b ON b.source = t.source AND b.trial = t.trial AND b.metric = 'best/loss'
LEFT JOIN own AS f ON f.source = t.source AND f.trial = t.trial AND f.metric = 'final/loss'
-- end
