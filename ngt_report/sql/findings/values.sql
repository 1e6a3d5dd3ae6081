-- numbers that cannot be right: losses below 0, digits that are cut off, perplexities that are not exp(loss), steps beyond the total, too many tokens
WITH
losses AS (
    SELECT run, step, value, decimals, path, line FROM evals WHERE metric = 'val/loss' AND isfinite(value)
),
printed AS (
    -- the decimals that (nearly) all values of a run have
    SELECT run, mode(decimals) AS usual, count(*) AS n FROM losses WHERE decimals IS NOT NULL GROUP BY run
    HAVING count(*) >= 8 AND mode(decimals) >= 3
),
cut AS (
    SELECT l.run, any_value(p.usual) AS usual, count(*) AS n, any_value(p.n) AS of_n, arg_min({'p': l.path, 'l': l.line, 's': l.step, 'v': l.value}, l.step) AS spot
    FROM losses AS l
    JOIN printed AS p ON p.run = l.run AND l.decimals <= p.usual - 2
    GROUP BY l.run
),
rates AS (
    SELECT t.run, max(p.value) AS fastest
    FROM raw_points AS p
    JOIN run_trials AS t ON t.source = p.source AND t.trial = p.trial AND t.main
    WHERE p.metric = 'tokens_per_s' AND isfinite(p.value)
    GROUP BY t.run
),
counted AS (
    SELECT
        r.run, r.name, t.tokens, t.tokens_per_step, t.train_time_s, x.fastest,
        TRY_CAST(json_extract_string(r.config, '$.batch_size') AS BIGINT) * TRY_CAST(json_extract_string(r.config, '$.sequence_length') AS BIGINT)
            * coalesce(TRY_CAST(json_extract_string(r.config, '$.accumulation') AS BIGINT), 1) AS batch,
        greatest(coalesce(TRY_CAST(json_extract_string(r.config, '$.gpus') AS BIGINT), 1), 1) AS gpus,
        greatest(coalesce(TRY_CAST(json_extract_string(r.config, '$.accumulation') AS BIGINT), 1), 1) AS accumulation, b.last_path AS path
    FROM runs AS r
    JOIN train_time AS t USING (run)
    LEFT JOIN rates AS x USING (run)
    LEFT JOIN best_last AS b USING (run)
    WHERE t.tokens > 0 AND NOT r.is_continuation
)
SELECT 'warning' AS severity, 'impossible' AS kind, r.name AS run,
    'run ' || r.name || ' has a validation loss below 0 at step ' || coalesce(step::VARCHAR, '?') || ': a cross-entropy cannot be' AS text, path AS source, line
FROM losses JOIN runs AS r USING (run) WHERE value < 0
QUALIFY row_number() OVER (PARTITION BY run ORDER BY step) = 1
UNION ALL
SELECT 'warning', 'truncated', r.name, 'run ' || r.name || ' prints ' || spot.v || ' at step ' || coalesce(spot.s::VARCHAR, '?') || ' where its losses have '
    || usual || ' decimals: the line may be cut off', spot.p, spot.l
FROM cut JOIN runs AS r USING (run) WHERE n <= 0.05 * of_n
UNION ALL
SELECT 'warning', 'contradiction', r.name, 'run ' || r.name || ' prints a perplexity of ' || printf('%.4f', e.value) || ' at step ' || coalesce(e.step::VARCHAR, '?')
    || ', but exp(' || printf('%.4f', l.value) || ') is ' || printf('%.4f', exp(l.value))
    || CASE WHEN abs(ln(e.value) - ln(2) * l.value) < 0.005 THEN ': it is 2 to the power of that, so the loss is in bits' ELSE '' END, e.path, e.line
FROM evals AS e
JOIN losses AS l ON l.run = e.run AND l.step IS NOT DISTINCT FROM e.step
JOIN runs AS r ON r.run = e.run
WHERE e.metric = 'val/perplexity' AND e.value > 0 AND l.value < 100 AND abs(ln(e.value) - l.value) > 0.005 + pow(10, -coalesce(e.decimals, 6)) / e.value
QUALIFY row_number() OVER (PARTITION BY e.run ORDER BY e.step) = 1
UNION ALL
SELECT 'warning', 'beyond_total', r.name, 'run ' || r.name || ' goes on to step ' || b.last_step || ', beyond its declared total of ' || r.total_steps, b.last_path, b.last_line
FROM runs AS r JOIN best_last AS b USING (run) WHERE b.last_step > r.total_steps AND NOT r.is_continuation
UNION ALL
SELECT 'warning', 'tokens', name, 'run ' || name || ' counts ' || tokens || ' tokens, more than the fastest rate it prints, ' || printf('%.0f', fastest)
    || ' a second, makes in its ' || printf('%.0f', train_time_s) || ' s', path, NULL
FROM counted WHERE fastest > 0 AND train_time_s > 0 AND tokens > 1.2 * fastest * gpus * train_time_s
UNION ALL
SELECT 'warning', 'tokens', name, 'run ' || name || ' counts ' || printf('%.0f', tokens_per_step) || ' tokens a step, but its batch and sequence length make ' || batch, path, NULL
FROM counted -- a recorded batch may or may not hold the accumulation and the other devices
WHERE batch > 0 AND NOT list_bool_or([abs(tokens_per_step / batch * k - 1) <= 0.02 FOR k IN [1.0, accumulation, 1.0 / gpus, 1.0 * accumulation / gpus]])
ORDER BY ALL
