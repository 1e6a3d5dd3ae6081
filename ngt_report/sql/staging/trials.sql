-- title: every trial with the few values that say which run it is
-- grain: source, trial
WITH
counted AS (
    SELECT
        source, trial,
        count(*) FILTER (metric = 'val/loss') AS n_val,
        min(step) AS first_step, max(step) AS last_step, max(line) AS last_line
    FROM raw_points
    GROUP BY source, trial
),
curve AS (
    SELECT * FROM raw_points WHERE metric = 'val/loss' AND isfinite(value)
),
valued AS (
    SELECT
        source, trial,
        min(value) AS best,
        arg_min({'decimals': decimals}, (value, line)).decimals AS best_decimals,
        arg_max(value, (coalesce(step, 0), line)) AS last,
        arg_max({'decimals': decimals}, (coalesce(step, 0), line)).decimals AS last_decimals,
        count(*) || ':' || bit_xor(hash(step, value, elapsed_s)) || ':' || min(value) AS print_
    FROM curve
    GROUP BY source, trial
),
stated AS (
    SELECT
        source, trial,
        min(value) FILTER (metric = 'best/loss') AS stated_best,
        min(value) FILTER (metric = 'final/loss') AS final,
        min(decimals) FILTER (metric = 'final/loss') AS final_decimals
    FROM raw_points
    WHERE metric IN ('best/loss', 'final/loss') AND isfinite(value)
    GROUP BY source, trial
)
SELECT
    t.source, s.path, s.format, s.precedence, t.trial, t.kind, t.name, t.shared, t.line,
    count(*) OVER (PARTITION BY t.source) AS siblings,
    coalesce(c.n_val, 0) AS n_val, c.first_step, c.last_step, c.last_line,
    v.best, v.best_decimals, v.last, v.last_decimals, st.stated_best, st.final, st.final_decimals, v.print_
FROM raw_trials AS t
JOIN sources AS s ON s.id = t.source
LEFT JOIN counted AS c ON c.source = t.source AND c.trial = t.trial
LEFT JOIN valued AS v ON v.source = t.source AND v.trial = t.trial
LEFT JOIN stated AS st ON st.source = t.source AND st.trial = t.trial
ORDER BY s.path, t.trial
