-- settings of which a run has two values
-- when: two values of seed | two values of batch_size | two values of global_batch_size | two values of device_batch_size |
--   two values of accumulation | two values of sequence_length | two values of val_tokens | two values of vocab_size | two values of layers |
--   two values of hidden | two values of heads | two values of dropout | two values of learning_rate | two values of params
WITH
settings AS (
    SELECT t.run, f.key, f.source, s.path, f.line, TRY_CAST(f.value AS DOUBLE) AS said
    FROM raw_facts AS f
    JOIN run_trials AS t ON t.source = f.source AND t.trial = f.trial
    JOIN sources AS s ON s.id = f.source
    WHERE f.key IN ('seed', 'batch_size', 'global_batch_size', 'device_batch_size', 'accumulation', 'sequence_length', 'val_tokens', 'vocab_size',
        'layers', 'hidden', 'heads', 'dropout', 'learning_rate', 'params') AND TRY_CAST(f.value AS DOUBLE) IS NOT NULL
),
differing AS (
    SELECT
        run, key, arg_min({'v': said, 'p': path, 'l': line}, (said, path)) AS a, arg_max({'v': said, 'p': path, 'l': line}, (said, path)) AS b,
        bool_or(inside) AS inside
    FROM (SELECT *, count(DISTINCT said) OVER (PARTITION BY run, key, source) > 1 AS inside FROM settings)
    GROUP BY run, key
    HAVING abs(max(said) - min(said)) > 1e-9 * abs(max(said))
)
SELECT CASE WHEN inside THEN 'warning' ELSE 'error' END AS severity, CASE WHEN inside THEN 'changed' ELSE 'contradiction' END AS kind, r.name AS run,
    'run ' || r.name || ' has two values of ' || key || ': ' || printf('%.9g', a.v)
        || ' (' || a.p || coalesce(':' || a.l, '') || ') and ' || printf('%.9g', b.v)
        || ' (' || b.p || coalesce(':' || b.l, '') || ')' AS text,
    b.p AS source, b.l AS line
FROM differing JOIN runs AS r USING (run)
ORDER BY ALL
