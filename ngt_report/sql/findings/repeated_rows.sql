-- rows that stand twice in a results table
-- when: repeated rows
SELECT 'warning' AS severity, 'duplicate_row' AS kind, NULL AS run, path || ' lists the same row twice: ' || json_extract_string(ignored, '$."repeated row"') || ' lines are not counted' AS text, path AS source, NULL::BIGINT AS line
FROM sources WHERE TRY_CAST(json_extract_string(ignored, '$."repeated row"') AS BIGINT) > 0
ORDER BY ALL
