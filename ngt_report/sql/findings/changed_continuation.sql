-- settings of a continuation that are not those of the run it continues
-- when: resumed otherwise
WITH
continued AS (
    SELECT c.run, c.name, p.name AS parent, k.key,
        json_extract_string(p.config, '$."' || k.key || '"') AS first, json_extract_string(c.config, '$."' || k.key || '"') AS last
    FROM runs AS c
    JOIN runs AS p ON p.run = c.parent
    CROSS JOIN unnest(json_keys(c.config)) AS k(key)
    WHERE c.is_continuation AND NOT contains(k.key, '"')
        AND NOT regexp_matches(k.key, 'commit|hardware|command|(date|time|path|dir|name|note|steps|iters|iterations|resume)s?$')
)
SELECT
    'warning' AS severity, 'changed' AS kind, name AS run,
    'run ' || name || ' continues ' || parent || ' with another ' || replace(key, '_', ' ') || ': ' || last || ', not ' || first AS text,
    NULL AS source, NULL::BIGINT AS line
FROM continued WHERE first <> last
ORDER BY ALL
