-- what the sources themselves noticed; what many say alike, and many checkpoints that are refused for one reason, is one finding
-- when: findings
WITH noticed AS (
    SELECT DISTINCT f.severity, f.kind, r.name AS run, f.text, s.path AS source, f.line,
        CASE WHEN f.kind = 'checkpoint_refused' THEN regexp_extract(f.text, ' was not read: (.*)', 1) WHEN f.severity = 'info' THEN f.text END AS why
    FROM raw_findings AS f
    LEFT JOIN sources AS s ON s.id = f.source
    LEFT JOIN run_trials AS t ON t.source = f.source AND t.trial = f.trial
    LEFT JOIN runs AS r ON r.run = t.run
    WHERE f.kind <> 'only_best' -- said of rows; where a log has the run's curve, it has the end too
        OR EXISTS (SELECT 1 FROM run_trials AS m WHERE m.source = f.source AND m.main)
),
counted AS (
    SELECT *, CASE WHEN why IS NULL THEN 1 ELSE count(*) OVER (PARTITION BY kind, why) END AS alike FROM noticed
)
SELECT severity, kind, run, text, source, line FROM counted WHERE alike <= 4
UNION ALL
SELECT
    severity, kind, NULL,
    CASE kind
        WHEN 'checkpoint_refused' THEN count(*) || ' checkpoints were not read (' || list_aggregate(list(source ORDER BY source)[1:3], 'string_agg', ', ')
            || ' ...): ' || regexp_replace(why, '^it asks ', 'they ask ')
        ELSE why || ' (' || count(DISTINCT source) || CASE count(DISTINCT source) WHEN 1 THEN ' file)' ELSE ' files)' END END,
    min(source), arg_min(line, (source, line))
FROM counted
WHERE alike > 4
GROUP BY severity, kind, why
ORDER BY ALL
