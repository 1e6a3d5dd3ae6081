-- what a source states beside its curve, against the curve: best values, settings, steps of checkpoints, sums of summaries
WITH
bests AS (
    SELECT DISTINCT r.name, s.path, f.line, TRY_CAST(json_extract_string(f.value, '$') AS DOUBLE) AS said, b.best_loss, b.best_logged, b.best_decimals
    FROM raw_facts AS f
    JOIN run_trials AS t ON t.source = f.source AND t.trial = f.trial
    JOIN runs AS r ON r.run = t.run
    JOIN best_last AS b ON b.run = t.run
    JOIN sources AS s ON s.id = f.source
    WHERE f.key = 'stated.best_val_loss'
),
settings AS (
    SELECT t.run, f.key, f.source, s.path, f.line, TRY_CAST(f.value AS DOUBLE) AS said
    FROM raw_facts AS f
    JOIN run_trials AS t ON t.source = f.source AND t.trial = f.trial
    JOIN sources AS s ON s.id = f.source
    WHERE f.key IN ('seed', 'batch_size', 'device_batch_size', 'accumulation', 'sequence_length', 'val_tokens', 'vocab_size', 'layers', 'hidden',
        'heads', 'dropout', 'learning_rate', 'params') AND TRY_CAST(f.value AS DOUBLE) IS NOT NULL
),
differing AS (
    SELECT
        run, key, arg_min({'v': said, 'p': path, 'l': line}, (said, path)) AS a, arg_max({'v': said, 'p': path, 'l': line}, (said, path)) AS b,
        bool_or(inside) AS inside
    FROM (SELECT *, count(DISTINCT said) OVER (PARTITION BY run, key, source) > 1 AS inside FROM settings)
    GROUP BY run, key
    HAVING abs(max(said) - min(said)) > 1e-9 * abs(max(said))
),
windows AS (
    -- a validation that says how much text it is computed on, and changes it
    SELECT run, metric, arg_min(value, step) AS first, arg_max(value, step) AS last, arg_max({'p': path, 'l': line}, step) AS spot
    FROM evals
    WHERE regexp_matches(metric, '^val/(n_)?(tokens|batches|samples|examples|sequences|iters)$')
    GROUP BY run, metric
    HAVING max(value) > min(value)
),
summed AS (
    SELECT s.path, f.line, TRY_CAST(f.value AS DOUBLE) AS said, list_min(CAST(json(v.value) AS DOUBLE[])) AS lowest
    FROM raw_facts AS f
    JOIN raw_facts AS v ON v.source = f.source AND v.key = 'summary.values'
    JOIN sources AS s ON s.id = f.source
    WHERE f.key = 'summary.best_val_loss'
),
kept AS (
    SELECT k.run, r.name, k.path, k.step, k.best_val, e.value, e.decimals, b.best_step
    FROM checkpoints AS k
    JOIN runs AS r USING (run)
    JOIN best_last AS b USING (run)
    JOIN evals AS e ON e.run = k.run AND e.metric = 'val/loss' AND e.step = k.step
    WHERE k.kind = 'best' AND k.best_val IS NOT NULL AND isfinite(k.best_val)
)
SELECT 'error' AS severity, 'contradiction' AS kind, name AS run,
    'run ' || name || ' states a best validation loss of ' || said || ', but the lowest in its log is ' || best_logged AS text, path AS source, line
FROM bests
WHERE said IS NOT NULL AND abs(said - best_loss) > 1e-4 AND abs(said - best_logged) > 0.5000001 * pow(10, -coalesce(best_decimals, 6)) + 1e-9
UNION ALL
SELECT CASE WHEN inside THEN 'warning' ELSE 'error' END, CASE WHEN inside THEN 'changed' ELSE 'contradiction' END, r.name,
    'run ' || r.name || ' has two values of ' || key || ': ' || a.v || ' (' || a.p || coalesce(':' || a.l, '') || ') and ' || b.v || ' (' || b.p || coalesce(':' || b.l, '') || ')',
    b.p, b.l
FROM differing JOIN runs AS r USING (run)
UNION ALL
SELECT 'error', 'contradiction', NULL, path || ' states a best validation loss of ' || printf('%.6g', said) || ', but the lowest it lists is ' || printf('%.6g', lowest), path, line
FROM summed WHERE abs(said - lowest) > 1e-4
UNION ALL
SELECT 'warning', 'changed', r.name, 'run ' || r.name || ' changes what its validation is computed on: ' || metric || ' from ' || printf('%g', first) || ' to ' || printf('%g', last), spot.p, spot.l
FROM windows JOIN runs AS r USING (run)
UNION ALL
SELECT 'error', 'contradiction', name, path || ' says the best of run ' || name || ' was ' || printf('%.6g', best_val) || ' at step ' || step
    || ', where its log has ' || printf('%.6g', value) || ' (its best is at step ' || best_step || ')', path, NULL
FROM kept WHERE abs(value - best_val) > 0.5000001 * pow(10, -coalesce(decimals, 6)) + 1e-6
ORDER BY ALL
