-- title: Other evaluations: test metrics, accuracies, objectives and closing evaluations, never ranked
-- unit: as named
-- better: as named
-- grain: run, metric
-- when: other evaluations
-- columns: run VARCHAR, metric VARCHAR, last STRUCT(v DOUBLE, d TINYINT, s BIGINT, p VARCHAR, l BIGINT, ptr VARCHAR)
WITH last AS (
    SELECT run, metric, arg_max({'v': value, 'd': decimals, 's': step, 'p': path, 'l': line, 'ptr': pointer}, coalesce(step, 0)) AS last
    FROM evals
    WHERE metric NOT IN ('val/loss', 'best/loss') AND NOT regexp_matches(metric, '[_/](s|ms|time|runtime|per_second)$') AND isfinite(value)
    GROUP BY run, metric
)
SELECT l.run, l.metric, l.last
FROM last AS l
LEFT JOIN best_last AS b ON b.run = l.run
-- a final loss or a perplexity that only restates the last evaluation says nothing new
WHERE NOT (l.metric = 'final/loss' AND b.last_logged IS NOT NULL
    AND abs(l.last.v - b.last_logged) <= 0.5000001 * pow(10, -least(coalesce(l.last.d, 9), coalesce(b.last_decimals, 9))))
    AND NOT (l.metric = 'val/perplexity' AND b.last_loss IS NOT NULL AND abs(ln(greatest(l.last.v, 1e-300)) - b.last_loss) < 0.001)
ORDER BY l.run, l.metric
