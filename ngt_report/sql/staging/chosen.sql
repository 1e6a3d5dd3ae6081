-- title: of what is said about evaluations, one value per run, metric and step, from the source of best precedence
-- grain: run, metric, step
WITH
several AS (
    SELECT
        e.*, s.path,
        -- a curve without steps (epochs with fractions) keeps all its points, in the order of its lines
        CASE WHEN e.step IS NULL AND count(*) OVER (PARTITION BY e.run, e.metric, e.source, e.step) > 1 THEN e.line END AS own_line
    FROM stated AS e
    JOIN origins AS o ON o.run = e.run AND NOT o.single
    JOIN sources AS s ON s.id = e.source
)
SELECT
    run, metric, step, value, decimals, coalesce(clock_s, max(clock_s) OVER same) AS clock_s, coalesce(tokens, max(tokens) OVER same) AS tokens,
    source, line, pointer
FROM several
WINDOW same AS (PARTITION BY run, metric, step)
QUALIFY row_number() OVER (
    PARTITION BY run, metric, step, CASE WHEN metric = 'best/loss' THEN source ELSE 0 END, own_line
    ORDER BY precedence // 10 = 1 DESC, decimals IS NULL DESC, precedence // 10 DESC, precedence % 10, line DESC NULLS LAST, path, value
) = 1
UNION ALL
SELECT e.run, metric, step, value, decimals, clock_s, tokens, source, line, pointer
FROM stated AS e
JOIN origins AS o ON o.run = e.run AND o.single
