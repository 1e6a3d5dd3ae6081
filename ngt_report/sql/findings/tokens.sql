-- more tokens than a run can have seen, and tokens a step that its batch does not make
-- when: tokens
WITH
rates AS (
    SELECT t.run, max(p.fastest) AS fastest
    FROM spans AS p
    JOIN run_trials AS t ON t.source = p.source AND t.trial = p.trial AND t.main
    GROUP BY t.run
),
counted AS (
    SELECT
        r.run, r.name, t.tokens, t.tokens_per_step, t.train_time_s, x.fastest, a.tokens AS batch,
        greatest(coalesce(TRY_CAST(json_extract_string(r.config, '$.gpus') AS BIGINT), 1), 1) AS gpus,
        greatest(coalesce(TRY_CAST(json_extract_string(r.config, '$.accumulation') AS BIGINT), 1), 1) AS accumulation, b.last_path AS path
    FROM runs AS r
    JOIN train_time AS t USING (run)
    JOIN batches AS a USING (run)
    LEFT JOIN rates AS x USING (run)
    LEFT JOIN best_last AS b USING (run)
    WHERE t.tokens > 0 AND NOT r.is_continuation
)
SELECT 'warning' AS severity, 'tokens' AS kind, name AS run,
    'run ' || name || ' counts ' || tokens || ' tokens, more than the fastest rate it prints, ' || printf('%.0f', fastest)
    || ' a second, makes in its ' || printf('%.0f', train_time_s) || ' s' AS text, path AS source, NULL::BIGINT AS line
FROM counted WHERE fastest > 0 AND train_time_s > 0 AND tokens > 1.2 * fastest * gpus * train_time_s
UNION ALL
SELECT 'warning', 'tokens', name,
    'run ' || name || ' counts ' || printf('%.0f', tokens_per_step) || ' tokens a step, but its batch and sequence length make ' || batch, path, NULL
FROM counted -- a recorded batch may or may not hold the accumulation and the other devices
WHERE batch > 0 AND NOT list_bool_or([abs(tokens_per_step / batch * k - 1) <= 0.02 FOR k IN [1.0, accumulation, 1.0 / gpus, 1.0 * accumulation / gpus]])
ORDER BY ALL
