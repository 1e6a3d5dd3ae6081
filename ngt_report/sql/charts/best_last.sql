-- title: Best against last validation loss
-- mark: dumbbell
-- x: validation loss, nats per token
-- y: run
-- note: filled: best; ring: last
-- most: 30
-- source: best last
SELECT b.run AS id, r.name AS run, b.best_loss AS x, b.last_loss AS x2, k.place, b.best_step AS step, b.last_step AS step2
FROM ranking AS k
JOIN best_last AS b USING (run)
JOIN runs AS r USING (run)
WHERE k.budget = (SELECT budget FROM main_set) AND k.place <= 30 AND isfinite(b.last_loss)
ORDER BY k.place
