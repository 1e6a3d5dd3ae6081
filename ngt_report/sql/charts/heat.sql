-- title: Sweep
-- mark: heat
-- x: setting
-- y: setting
-- note: the lowest best loss of the runs of a cell, over the two settings with the most values
-- source: best
WITH
chosen AS (
    SELECT DISTINCT key, variety FROM settings WHERE variety BETWEEN 2 AND 40 AND key <> 'seed' ORDER BY variety DESC, key LIMIT 2
),
axes AS (
    SELECT min(key) AS x, max(key) AS y FROM chosen HAVING count(*) = 2
)
SELECT
    a.value AS x, b.value AS y, min(k.best_loss) AS value, count(*) AS n, list(a.run ORDER BY k.best_loss, a.run) AS ids, axes.x AS x_title, axes.y AS y_title,
    dense_rank() OVER (ORDER BY any_value(a.number) NULLS LAST, a.value) AS x_place,
    dense_rank() OVER (ORDER BY any_value(b.number) NULLS LAST, b.value) AS y_place
FROM axes
JOIN settings AS a ON a.key = axes.x
JOIN settings AS b ON b.key = axes.y AND b.run = a.run
JOIN ranking AS k ON k.run = a.run
GROUP BY a.value, b.value, axes.x, axes.y
QUALIFY count(*) OVER () > 3
ORDER BY x_place, y_place
