-- title: Settings and loss
-- mark: parallel
-- x: setting
-- y: from the lowest to the highest value
-- note: one line a run, the 300 best; drag over an axis to keep the runs that cross it there
-- source: best
WITH
chosen AS (
    SELECT key, count(number) = count(*) AS numbers
    FROM settings
    WHERE key <> 'seed' AND variety > 1
    GROUP BY key
    ORDER BY max(variety) DESC, key
    LIMIT 6
),
crossings AS (
    SELECT s.run, s.key, s.value, CASE WHEN c.numbers THEN s.number ELSE dense_rank() OVER (PARTITION BY s.key ORDER BY s.value) END AS height, c.numbers
    FROM settings AS s
    JOIN chosen AS c USING (key)
    UNION ALL
    SELECT run, 'best loss', printf('%.4f', best_loss), best_loss, true FROM ranking JOIN main_set USING (budget)
),
ends AS (
    SELECT key, min(height) AS low, max(height) AS high, any_value(numbers) AND min(height) > 0 AS logs, count(DISTINCT value) AS values FROM crossings GROUP BY key
)
SELECT
    c.run AS id, r.name AS run, c.key, c.value, dense_rank() OVER (ORDER BY c.key = 'best loss', c.key) AS turn, k.place, k.best_loss AS loss,
    e.values <= 5 AND c.key <> 'best loss' OR c.height IN (e.low, e.high) AS said, coalesce((c.height - e.low) / nullif(e.high - e.low, 0), 0.5) AS lin,
    CASE WHEN e.logs THEN coalesce(ln(c.height / e.low) / nullif(ln(e.high / e.low), 0), 0.5)
        ELSE coalesce((c.height - e.low) / nullif(e.high - e.low, 0), 0.5) END AS log
FROM crossings AS c
JOIN ends AS e ON e.key = c.key
JOIN ranking AS k ON k.run = c.run AND k.place <= 300
JOIN runs AS r ON r.run = c.run
WHERE (SELECT count(*) FROM chosen) > 1
QUALIFY count(*) OVER () > 6
ORDER BY k.place, turn
