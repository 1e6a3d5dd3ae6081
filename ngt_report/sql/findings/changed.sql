-- settings that change within a run: said again by a process that resumes, printed beside the losses, or seen in the learning rate
WITH
said AS (
    -- what one source says of one run, line by line; stated.sql has the keys that sources must agree on
    SELECT t.run, f.key, f.value, f.line, s.path, s.id AS source
    FROM raw_facts AS f
    JOIN run_trials AS t ON t.source = f.source AND t.trial = f.trial
    JOIN sources AS s ON s.id = f.source
    WHERE (f.key LIKE 'config.%' OR f.key IN ('model', 'dataset', 'tokenizer', 'precision', 'hardware', 'gpus', 'git_commit', 'bytes_per_token', 'val_loss_unit', 'flags',
        'weight_decay', 'eval_iters'))
        AND NOT regexp_matches(f.key, '(date|time|timestamp|path|dir|name|note|version|resume|schema|host|pid|loss|ppl|id|command)s?$|_at$')
),
again AS (
    SELECT run, key, path, arg_min(value, line) AS first, arg_max(value, line) AS last, max(line) AS line
    FROM said
    WHERE line IS NOT NULL
    GROUP BY run, key, path, source
    HAVING arg_min(value, line) <> arg_max(value, line)
),
printed AS (
    SELECT t.run, p.metric AS key, p.value, p.step, p.line, s.path
    FROM raw_points AS p
    JOIN run_trials AS t ON t.source = p.source AND t.trial = p.trial AND t.main
    JOIN sources AS s ON s.id = p.source
    WHERE p.metric IN ('bs', 'batch', 'batch_size', 'global_batch_size', 'seq_len', 'seqlen', 'sequence_length', 'block_size', 'context_length', 'grad_accum', 'accumulation',
        'eval_iters', 'eval_batches', 'val_iters', 'weight_decay', 'wd', 'dropout', 'world_size', 'gpus') AND isfinite(p.value) AND p.step IS NOT NULL
),
turns AS (
    SELECT run, key, any_value(path) AS path, arg_min(value, step) AS first, arg_max(value, step) AS last, max(line) AS line
    FROM printed
    GROUP BY run, key
    HAVING min(value) < max(value)
),
thin AS (
    -- at most some 2,000 learning rates of each run, the first of each stretch
    SELECT t.run, p.source, p.segment, min(p.step) AS step, arg_min(p.value, p.step) AS value, max(p.value) AS high, arg_min(p.line, p.step) AS line
    FROM raw_points AS p
    JOIN run_trials AS t ON t.source = p.source AND t.trial = p.trial AND t.main
    JOIN clocks AS k ON k.run = t.run
    LEFT JOIN segments AS g ON g.source = p.source AND g.trial = p.trial AND g.segment = p.segment
    WHERE p.metric = 'lr' AND p.value > 0 AND p.step > 0 AND (g.superseded_from IS NULL OR p.step < g.superseded_from)
    GROUP BY t.run, p.source, p.segment, p.step // greatest(1, k.last_step // 2000)
),
rates AS (
    SELECT t.*, s.path, lag(t.value) OVER w AS before, lag(t.segment) OVER w AS segment_before,
        max(t.high) OVER (PARTITION BY t.run ORDER BY t.step, t.line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS highest
    FROM thin AS t
    JOIN sources AS s ON s.id = t.source
    WINDOW w AS (PARTITION BY t.run ORDER BY t.step, t.line)
),
continued AS (
    SELECT c.run, c.name, p.name AS parent, k.key, json_extract_string(p.config, '$."' || k.key || '"') AS first, json_extract_string(c.config, '$."' || k.key || '"') AS last
    FROM runs AS c
    JOIN runs AS p ON p.run = c.parent
    CROSS JOIN unnest(json_keys(c.config)) AS k(key)
    WHERE c.is_continuation AND NOT contains(k.key, '"') AND NOT regexp_matches(k.key, 'commit|hardware|command|(date|time|path|dir|name|note|steps|iters|iterations|resume)s?$')
),
leaps AS (
    -- above all rates before it, after it had begun to fall: no warm-up, no restart of a cycle; or a leap where a process resumes
    FROM rates
    WHERE value > 1.2 * highest AND before < 0.95 * highest
        OR segment > segment_before AND NOT value / before BETWEEN 0.5 AND 2
    QUALIFY row_number() OVER (PARTITION BY run ORDER BY step) = 1
)
SELECT
    CASE WHEN regexp_matches(a.key, 'hardware|git_commit|gpus') THEN 'info' ELSE 'warning' END AS severity, 'changed' AS kind, r.name AS run,
    'run ' || r.name || ' changes ' || replace(regexp_replace(a.key, '^config\.', ''), '_', ' ') || ' where it resumes, from ' || trim(a.first, '"') || ' to ' || trim(a.last, '"') AS text,
    a.path AS source, a.line
FROM again AS a JOIN runs AS r USING (run)
UNION ALL
SELECT 'warning', 'changed', r.name, 'run ' || r.name || ' changes ' || replace(t.key, '_', ' ') || ' on its way: it begins with ' || printf('%g', t.first) || ' and ends with ' || printf('%g', t.last), t.path, t.line
FROM turns AS t JOIN runs AS r USING (run)
UNION ALL
SELECT 'warning', 'changed', name, 'run ' || name || ' continues ' || parent || ' with another ' || replace(key, '_', ' ') || ': ' || last || ', not ' || first, NULL, NULL
FROM continued WHERE first <> last
UNION ALL
SELECT 'warning', 'changed', r.name, 'run ' || r.name || ' changes its learning rate from ' || printf('%.4g', l.before) || ' to ' || printf('%.4g', l.value) || ' at step ' || l.step
    || CASE WHEN l.segment > l.segment_before THEN ', where it resumes' ELSE '' END, l.path, l.line
FROM leaps AS l JOIN runs AS r USING (run)
ORDER BY ALL
