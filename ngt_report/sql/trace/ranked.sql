-- title: the best losses of the compared set that a run belongs to, in order
-- grain: run
SELECT
    k.place, k.run, r.name, b.best_loss AS value, CASE WHEN b.best_loss = b.best_logged THEN b.best_decimals END AS decimals,
    coalesce(b.refined_source, b.best_source) AS source, coalesce(b.refined_path, b.best_path) AS path,
    CASE WHEN b.refined_path IS NULL THEN b.best_line ELSE b.refined_line END AS line,
    CASE WHEN b.refined_path IS NULL THEN b.best_pointer ELSE b.refined_pointer END AS pointer
FROM ranking AS k
JOIN best_last AS b USING (run)
JOIN runs AS r USING (run)
WHERE (k.budget, k.kind) = (SELECT (budget, kind) FROM ranking AS own WHERE own.run = $run)
ORDER BY k.place
