-- title: Effects of one setting
-- mark: effect
-- x: change of loss, nats per token
-- y: setting, from its usual value
-- note: validation loss at the common step: pairs of compared runs whose recorded settings are equal but for this one; the bar is their mean, the
--   whisker their range; settings of more than eight values are left out
-- source: fixed
WITH
members AS (
    SELECT c.run FROM compared AS c JOIN main_set USING (budget) QUALIFY count(*) OVER () <= 500
),
-- what a run does not record is a value of its own: it may differ
told AS (
    SELECT m.run, k.key, coalesce(s.value, 'not recorded') AS value
    FROM members AS m
    CROSS JOIN (SELECT DISTINCT key FROM settings) AS k
    LEFT JOIN settings AS s ON s.run = m.run AND s.key = k.key
),
pairs AS (
    SELECT a.run AS a, b.run AS b, any_value(a.key) AS key, any_value(a.value) AS before, any_value(b.value) AS after
    FROM told AS a
    JOIN told AS b ON b.key = a.key AND b.value <> a.value
    GROUP BY a.run, b.run
    HAVING count(*) = 1
),
usual AS (
    SELECT key, value, count(*) AS runs FROM told GROUP BY key, value
),
changes AS (
    SELECT p.key, p.before, p.after, p.a, p.b, y.loss - x.loss AS delta
    FROM pairs AS p
    JOIN usual AS u ON u.key = p.key AND u.value = p.before
    JOIN usual AS v ON v.key = p.key AND v.value = p.after
    JOIN fixed_step AS x ON x.run = p.a
    JOIN fixed_step AS y ON y.run = p.b
    WHERE p.key <> 'seed' AND p.key IN (SELECT key FROM settings WHERE variety <= 8)
        AND isfinite(x.loss) AND isfinite(y.loss) AND (u.runs > v.runs OR u.runs = v.runs AND p.before < p.after)
)
SELECT
    key || ': ' || before || ' → ' || after AS run, list_avg(list(delta ORDER BY delta)) AS x, min(delta) AS low, max(delta) AS high, count(*) AS n,
    list_sort(list_distinct(flatten(list([a, b])))) AS ids,
    row_number() OVER (ORDER BY list_avg(list(delta ORDER BY delta)), key, before, after) AS place
FROM changes
GROUP BY key, before, after
QUALIFY place <= 30
ORDER BY place
