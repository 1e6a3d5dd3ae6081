-- title: Throughput
-- mark: bar
-- x: steps per second
-- y: run
-- note: between the first and the last evaluation that the compared runs share
-- most: 30
-- source: rate
SELECT t.run AS id, r.name AS run, t.steps_per_s AS x, k.place
FROM ranking AS k
JOIN throughput AS t ON t.run = k.run AND t.budget = k.budget
JOIN runs AS r ON r.run = k.run
WHERE k.budget = (SELECT budget FROM main_set) AND k.place <= 30
ORDER BY k.place
