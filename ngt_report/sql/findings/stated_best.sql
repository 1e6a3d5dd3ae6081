-- best values that a source states beside its curve, against the curve
-- when: fact stated.best_val_loss
WITH
bests AS (
    SELECT r.name, s.path, f.line, TRY_CAST(json_extract_string(f.value, '$') AS DOUBLE) AS said, b.best_loss, b.best_logged, b.best_decimals
    FROM raw_facts AS f
    JOIN run_trials AS t ON t.source = f.source AND t.trial = f.trial
    JOIN runs AS r ON r.run = t.run
    JOIN best_last AS b ON b.run = t.run
    JOIN sources AS s ON s.id = f.source
    WHERE f.key = 'stated.best_val_loss'
    QUALIFY row_number() OVER (PARTITION BY f.source, f.trial ORDER BY f.line DESC NULLS LAST) = 1 -- a best is told anew whenever there is one
)
SELECT 'error' AS severity, 'contradiction' AS kind, name AS run,
    'run ' || name || ' states a best validation loss of ' || said || ', but the lowest in its log is ' || best_logged AS text, path AS source, line
FROM bests
WHERE said IS NOT NULL AND abs(said - best_loss) > 1e-4 AND abs(said - best_logged) > 0.5000001 * pow(10, -coalesce(best_decimals, 6)) + 1e-9
ORDER BY ALL
