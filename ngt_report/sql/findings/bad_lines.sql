-- lines that could not be used, and lines that wait for their newline
-- when: bad lines | pending lines
WITH waiting AS (
    SELECT path, lines_read, count(*) OVER () AS files FROM sources WHERE lines_pending > 0
)
SELECT 'warning' AS severity, 'bad_lines' AS kind, NULL AS run,
    path || ': ' || lines_bad || CASE WHEN lines_bad = 1 THEN ' line' ELSE ' lines' END || ' could not be used, the first for being '
        || json_extract_string(bad, '$[0][1]') AS text,
    path AS source, json_extract(bad, '$[0][0]')::BIGINT AS line
FROM sources WHERE lines_bad > 0 AND status <> 'unreadable'
UNION ALL
SELECT 'info', 'pending', NULL, path || ': the last line has no newline yet and waits (--assume-complete uses it)', path, lines_read
FROM waiting WHERE files <= 4
UNION ALL
SELECT 'warning', 'pending', NULL, any_value(files) || ' files end without a newline: what stands on their last lines is not counted (--assume-complete counts it): '
    || list_aggregate(list(path ORDER BY path)[1:3], 'string_agg', ', ') || ' ...', min(path), NULL
FROM waiting WHERE files > 4 HAVING count(*) > 0
ORDER BY ALL
