-- title: Validation loss at the common step
-- mark: interval
-- x: validation loss, nats per token
-- y: run, or group of seeds
-- note: the axis does not begin at zero; a whisker is the 95 % t interval of a mean over seeds; one run has none
-- most: 30
-- source: fixed
WITH
grouped AS (
    SELECT seed_group, runs, n, mean_loss, ci95_loss FROM seeds JOIN main_set USING (budget) WHERE n > 1
),
members AS (
    SELECT unnest(runs) AS run, seed_group FROM grouped
),
called AS (
    SELECT m.seed_group, list(r.name ORDER BY r.name) AS names FROM members AS m JOIN runs AS r USING (run) GROUP BY m.seed_group
),
bars AS (
    SELECT f.run AS id, r.name AS run, f.loss AS x, NULL AS low, NULL AS high, 1 AS n, [f.run] AS ids, [r.name] AS names
    FROM fixed_step AS f
    JOIN main_set USING (budget)
    JOIN runs AS r USING (run)
    ANTI JOIN members AS m ON m.run = f.run
    WHERE isfinite(f.loss)
    UNION ALL
    SELECT
        g.runs[1], (SELECT name FROM runs WHERE run = g.runs[1]) || ' and ' || (len(g.runs) - 1) || ' more', g.mean_loss,
        g.mean_loss - g.ci95_loss, g.mean_loss + g.ci95_loss, g.n, g.runs, c.names
    FROM grouped AS g
    JOIN called AS c USING (seed_group)
)
SELECT *, row_number() OVER (ORDER BY x, id) AS place
FROM bars
QUALIFY place <= 30
ORDER BY place
