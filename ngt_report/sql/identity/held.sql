-- how many points a trial has, and how many of them another trial has too, value for value
SELECT count(*), count(*) FILTER (a.value = b.value)
FROM raw_points AS a
LEFT JOIN raw_points AS b ON b.source = ? AND b.trial = ? AND b.step = a.step AND b.metric = a.metric
WHERE a.source = ? AND a.trial = ?
