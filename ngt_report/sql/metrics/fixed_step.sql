-- title: Validation loss at the common step
-- unit: nats per token
-- better: lower
-- grain: run
SELECT
    c.budget, c.run, k.common_step AS step, e.value AS loss, e.decimals, e.clock_s, e.source, e.path, e.line, e.pointer,
    rank() OVER (PARTITION BY c.budget ORDER BY e.value) AS place
-- with long curves:
FROM marked AS e
-- else:
FROM (FROM settled WHERE metric = 'val/loss') AS e
-- end
JOIN compared AS c ON c.run = e.run
JOIN common_step AS k ON k.budget = c.budget AND k.common_step IS NOT DISTINCT FROM e.step
JOIN best_last AS b ON b.run = c.run
WHERE isfinite(e.value) AND (k.common_step IS NOT NULL OR c.budget = 'final' AND e.source = b.last_source AND e.line IS NOT DISTINCT FROM b.last_line)
ORDER BY c.budget, e.value, c.run
