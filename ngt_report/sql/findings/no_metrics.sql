-- files that look like logs or could not be recognised and gave no run; where there is no run at all, every file is named
-- when: silent files
WITH silent AS (
    SELECT s.path, s.status, s.format, count(*) OVER () AS files
    FROM sources AS s
    WHERE s.status IN ('no metrics', 'unsupported', 'empty') AND (
            NOT regexp_matches(lower(s.path), '\.(md|py|pid|toml|yaml|yml|sh|ipynb|png|html|pdf)$') OR (SELECT count(*) = 0 FROM runs)
        )
        AND NOT EXISTS (SELECT 1 FROM raw_findings AS f WHERE f.source = s.id AND f.kind = 'no_run') -- that one says why
        AND NOT EXISTS (SELECT 1 FROM sources AS c WHERE c.path || '.json' = s.path) -- what goes with a checkpoint
)
SELECT 'info' AS severity, 'no_metrics' AS kind, NULL AS run,
    path || CASE status WHEN 'empty' THEN ' is empty' ELSE ' holds no metrics in any known format' END || ': no run' AS text,
    path AS source, NULL::BIGINT AS line
FROM silent WHERE files <= 30
UNION ALL
SELECT 'info', 'no_metrics', NULL, any_value(files) || ' files gave no run (empty, without metrics, or in no known format): '
    || list_aggregate(list(path ORDER BY path)[1:5], 'string_agg', ', ') || ' ...', NULL, NULL
FROM silent WHERE files > 30 HAVING count(*) > 0
ORDER BY ALL
