-- title: trials whose learning rate does not leap from stretch to stretch: above all rates before, after it had begun to fall
-- grain: source, trial; computed once per content, for the sources in fresh. Whoever moves a threshold moves it in findings/changed_rates.sql as well
WITH highs AS (
    SELECT source, trial, high, lag(high) OVER w AS before,
        max(high) OVER (PARTITION BY source, trial ORDER BY stretch ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS highest
    FROM stretches
    SEMI JOIN fresh USING (source)
    WHERE metric = 'lr'
    WINDOW w AS (PARTITION BY source, trial ORDER BY stretch)
)
SELECT source, trial
FROM highs
GROUP BY source, trial
HAVING bool_or(high > 1.2 * highest AND before < 0.95 * highest) IS NOT TRUE
