-- title: Validation loss
-- mark: line
-- x: step
-- y: validation loss, nats per token
-- note: the 12 best runs of the largest compared set, or of all runs where none are compared
-- source: best
WITH
chosen AS (
    SELECT run, row_number() OVER (ORDER BY budget IS NULL, budget <> (SELECT budget FROM main_set),
        best_loss, run) AS place
    FROM best_last
    LEFT JOIN (SELECT run, budget FROM compared) USING (run)
    WHERE best_loss IS NOT NULL
    QUALIFY place <= 12
)
SELECT e.run AS id, r.name AS run, e.step AS x, e.value AS y, c.place
FROM evals AS e
JOIN chosen AS c USING (run)
JOIN runs AS r USING (run)
WHERE e.metric = 'val/loss' AND e.step IS NOT NULL AND isfinite(e.value) AND NOT e.is_final
ORDER BY c.place, e.step
