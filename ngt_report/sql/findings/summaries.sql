-- sums of summaries, against what they list
-- when: fact summary.values
WITH
summed AS (
    SELECT s.path, f.line, TRY_CAST(f.value AS DOUBLE) AS said, list_min(CAST(json(v.value) AS DOUBLE[])) AS lowest
    FROM raw_facts AS f
    JOIN raw_facts AS v ON v.source = f.source AND v.key = 'summary.values'
    JOIN sources AS s ON s.id = f.source
    WHERE f.key = 'summary.best_val_loss'
)
SELECT
    'error' AS severity, 'contradiction' AS kind, NULL AS run,
    path || ' states a best validation loss of ' || printf('%.6g', said) || ', but the lowest it lists is '
        || printf('%.6g', lowest) AS text,
    path AS source, line
FROM summed WHERE abs(said - lowest) > 1e-4
ORDER BY ALL
