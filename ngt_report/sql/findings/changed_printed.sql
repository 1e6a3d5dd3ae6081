-- settings that are printed beside the losses, and change
-- when: metric bs | metric batch | metric batch_size | metric global_batch_size | metric seq_len | metric seqlen | metric sequence_length |
--   metric block_size | metric context_length | metric grad_accum | metric accumulation | metric eval_iters | metric eval_batches |
--   metric val_iters | metric weight_decay | metric wd | metric dropout | metric world_size | metric gpus
WITH
printed AS (
    SELECT t.run, p.metric AS key, p.value, p.step, p.line, s.path
    FROM raw_points AS p
    JOIN run_trials AS t ON t.source = p.source AND t.trial = p.trial AND t.main
    JOIN sources AS s ON s.id = p.source
    WHERE p.metric IN ('bs', 'batch', 'batch_size', 'global_batch_size', 'seq_len', 'seqlen', 'sequence_length', 'block_size', 'context_length',
        'grad_accum', 'accumulation', 'eval_iters', 'eval_batches', 'val_iters', 'weight_decay', 'wd', 'dropout', 'world_size', 'gpus')
        AND isfinite(p.value) AND p.step IS NOT NULL
),
turns AS (
    SELECT run, key, any_value(path) AS path, arg_min(value, step) AS first, arg_max(value, step) AS last, max(line) AS line
    FROM printed
    GROUP BY run, key
    HAVING min(value) < max(value)
)
SELECT
    'warning' AS severity, 'changed' AS kind, r.name AS run,
    'run ' || r.name || ' changes ' || replace(t.key, '_', ' ') || ' on its way: it begins with ' || printf('%g', t.first)
        || ' and ends with ' || printf('%g', t.last) AS text,
    t.path AS source, t.line
FROM turns AS t JOIN runs AS r USING (run)
ORDER BY ALL
