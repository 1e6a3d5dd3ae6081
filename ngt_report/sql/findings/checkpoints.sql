-- best values that a checkpoint keeps, against its run's log
-- when: kind checkpoint
WITH
kept AS (
    SELECT k.run, r.name, k.path, k.step, k.best_val, e.value, e.decimals, b.best_step
    FROM checkpoints AS k
    JOIN runs AS r USING (run)
    JOIN best_last AS b USING (run)
    JOIN evals AS e ON e.run = k.run AND e.metric = 'val/loss' AND e.step = k.step
    WHERE k.kind = 'best' AND k.best_val IS NOT NULL AND isfinite(k.best_val)
)
SELECT 'error' AS severity, 'contradiction' AS kind, name AS run,
    path || ' says the best of run ' || name || ' was ' || printf('%.6g', best_val) || ' at step ' || step
    || ', where its log has ' || printf('%.6g', value) || ' (its best is at step ' || best_step || ')' AS text, path AS source, NULL::BIGINT AS line
FROM kept WHERE abs(value - best_val) > 0.5000001 * pow(10, -coalesce(decimals, 6)) + 1e-6
ORDER BY ALL
