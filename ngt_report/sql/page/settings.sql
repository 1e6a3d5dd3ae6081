-- title: recorded settings that are not the same for all runs of the main set and mean something to a reader
-- grain: run, key
WITH
entries AS (
    SELECT r.run, unnest(map_entries(r.config::JSON::MAP(VARCHAR, VARCHAR))) AS entry
    FROM runs AS r
    JOIN compared AS c ON c.run = r.run
    JOIN main_set AS m ON m.budget = c.budget
),
told AS (
    SELECT run, entry.key AS key, entry.value AS value
    FROM entries
    WHERE entry.value IS NOT NULL AND NOT regexp_matches(entry.key, $untelling) AND entry.key NOT IN ('model', 'seed')
        AND NOT (regexp_matches(entry.key, $outcome) AND contains(entry.value, '.') AND try_cast(entry.value AS DOUBLE) IS NOT NULL) -- measured
    UNION ALL
    SELECT r.run, v.key, v.value
    FROM runs AS r
    JOIN compared AS c ON c.run = r.run
    JOIN main_set AS m ON m.budget = c.budget
    CROSS JOIN LATERAL (VALUES ('model', r.model), ('seed', r.seed::VARCHAR)) AS v (key, value)
    WHERE v.value IS NOT NULL
),
repeated AS ( -- the model's name, said again
    SELECT t.key
    FROM told AS t
    JOIN told AS m ON m.run = t.run AND m.key = 'model' AND t.key <> 'model'
    GROUP BY t.key
    HAVING bool_and(t.value = m.value)
)
SELECT *, try_cast(value AS DOUBLE) AS number, count(*) OVER own AS runs, count(DISTINCT value) OVER own AS variety
FROM told
WHERE key NOT IN (FROM repeated)
WINDOW own AS (PARTITION BY key)
QUALIFY variety > 1 OR runs < (SELECT count(*) FROM compared JOIN main_set USING (budget))
ORDER BY key, run
