-- title: Loss against throughput
-- mark: scatter
-- x: steps per second
-- y: validation loss, nats per token
-- note: the line is the front: no run is both faster and better than one on it
-- source: rate fixed
WITH
measured AS (
    SELECT f.run AS id, r.name AS run, t.steps_per_s AS x, f.loss AS y
    FROM fixed_step AS f
    JOIN throughput AS t ON t.run = f.run AND t.budget = f.budget
    JOIN runs AS r ON r.run = f.run
    WHERE f.budget = (SELECT budget FROM main_set) AND isfinite(f.loss)
)
SELECT
    *, coalesce(y < min(y) OVER (ORDER BY x DESC, y, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), true) AS front
FROM measured
QUALIFY count(*) OVER () > 1
ORDER BY x, y, id
