-- rows that stand twice in a results table
-- when: repeated rows
SELECT
    'warning' AS severity, 'duplicate_row' AS kind, NULL AS run,
    path || ' lists the same row twice: ' || CASE n WHEN 1 THEN 'one line is' ELSE n || ' lines are' END || ' not counted' AS text,
    path AS source, NULL::BIGINT AS line
FROM (SELECT path, TRY_CAST(json_extract_string(ignored, '$."repeated row"') AS BIGINT) AS n FROM sources)
WHERE n > 0
ORDER BY ALL
