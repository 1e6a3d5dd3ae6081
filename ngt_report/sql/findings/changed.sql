-- settings that one source says again, otherwise, of one run: a process that resumes
-- when: two values of config.* | two values of model | two values of dataset | two values of tokenizer | two values of precision |
--   two values of hardware | two values of gpus | two values of processes | two values of git_commit | two values of bytes_per_token |
--   two values of val_loss_unit | two values of flags | two values of weight_decay | two values of eval_iters
WITH
said AS (
    -- what one source says of one run, line by line; settings.sql has the keys that sources must agree on
    SELECT t.run, f.key, f.value, f.line, s.path, s.id AS source
    FROM raw_facts AS f
    JOIN run_trials AS t ON t.source = f.source AND t.trial = f.trial
    JOIN sources AS s ON s.id = f.source
    WHERE (f.key LIKE 'config.%' OR f.key IN ('model', 'dataset', 'tokenizer', 'precision', 'hardware', 'gpus', 'processes', 'git_commit', 'bytes_per_token',
        'val_loss_unit', 'flags', 'weight_decay', 'eval_iters'))
        AND NOT regexp_matches(f.key, '(date|time|timestamp|path|dir|name|note|version|resume|schema|host|pid|loss|ppl|id|command)s?$|_at$')
),
again AS (
    SELECT run, key, path, arg_min(value, line) AS first, arg_max(value, line) AS last, max(line) AS line
    FROM said
    WHERE line IS NOT NULL
    GROUP BY run, key, path, source
    HAVING arg_min(value, line) <> arg_max(value, line)
)
SELECT
    CASE WHEN regexp_matches(a.key, 'hardware|git_commit|gpus|processes') THEN 'info' ELSE 'warning' END AS severity, 'changed' AS kind, r.name AS run,
    'run ' || r.name || ' changes ' || replace(regexp_replace(a.key, '^config\.', ''), '_', ' ') || ' where it resumes, from '
        || trim(a.first, '"') || ' to ' || trim(a.last, '"') AS text,
    a.path AS source, a.line
FROM again AS a JOIN runs AS r USING (run)
ORDER BY ALL
