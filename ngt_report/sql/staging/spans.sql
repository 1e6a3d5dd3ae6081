-- title: how far each trial and segment goes: steps, lines, clock and tokens
-- grain: source, trial, segment; computed once per content, for the sources in fresh
WITH counted AS (
    SELECT
        source, trial, segment,
        count(*) FILTER (trained) AS n_train, count(*) FILTER (evaluated) AS n_val,
        min(step) AS first_step, max(step) AS last_step, max(line) AS last_line, max(tokens) AS tokens,
        max(step) FILTER (elapsed_s IS NOT NULL) AS clock_step, max(elapsed_s) FILTER (step IS NULL) AS unstepped_elapsed,
        max(tokens_per_s) FILTER (isfinite(tokens_per_s)) AS fastest
    FROM raw_lines
    SEMI JOIN fresh USING (source)
    GROUP BY source, trial, segment
),
ends AS (
    SELECT source, trial, segment, max(p.elapsed_s) AS last_elapsed
    FROM raw_lines AS p
    JOIN counted AS c USING (source, trial, segment)
    WHERE p.step = c.clock_step
    GROUP BY source, trial, segment
)
SELECT
    source, trial, segment, c.n_train, c.n_val, c.first_step, c.last_step, c.last_line, c.tokens, c.clock_step, c.unstepped_elapsed, e.last_elapsed,
    c.fastest
FROM counted AS c
LEFT JOIN ends AS e USING (source, trial, segment)
