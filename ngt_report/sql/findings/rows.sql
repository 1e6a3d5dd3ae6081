-- runs in the logs and in no results table, rows without a log, rows that stand twice, and one curve under two names
WITH
pieces AS (
    SELECT
        t.run, r.name, r.status, s.path, w.kind, w.name AS said, w.line, s.format, v.print_, v.best, coalesce(v.best, v.stated_best, v.final) AS value,
        c.n_val
    FROM run_trials AS t
    JOIN runs AS r ON r.run = t.run AND NOT r.is_continuation
    JOIN raw_trials AS w ON w.source = t.source AND w.trial = t.trial
    JOIN sources AS s ON s.id = t.source
    JOIN trial_values AS v ON v.source = t.source AND v.trial = t.trial
    LEFT JOIN compared AS c ON c.run = t.run
),
per_run AS (
    SELECT
        run, any_value(name) AS name, any_value(status) IN ('finished', 'no declared total') AS finished,
        bool_or(kind = 'curve' AND format NOT IN ('curve_csv', 'tfevents')) AS logged, bool_or(kind = 'row' AND format IN ('results_csv', 'sweep_jsonl')) AS listed,
        min(path) FILTER (kind = 'curve') AS log, arg_min({'path': path, 'line': line}, (path, line)) FILTER (kind = 'row') AS entry
    FROM pieces
    GROUP BY run
),
counts AS (
    SELECT
        count(*) FILTER (logged AND listed) AS listed_logs, count(*) FILTER (logged AND NOT listed AND finished) AS unlisted,
        count(*) FILTER (listed AND NOT logged) AS unlogged
    FROM per_run
),
same AS (
    SELECT print_, list(DISTINCT name ORDER BY name) AS names, min(path) AS path
    FROM pieces
    WHERE kind = 'curve' AND print_ IS NOT NULL AND n_val >= 3
    GROUP BY print_
    HAVING count(DISTINCT run) > 1
)
SELECT 'warning' AS severity, 'missing_row' AS kind, name AS run,
    'run ' || name || ' finished, but is in no results table, which list ' || listed_logs || ' other runs' AS text, log AS source, NULL::BIGINT AS line
FROM per_run, counts WHERE logged AND NOT listed AND finished AND listed_logs >= 2 AND unlisted <= listed_logs
UNION ALL
SELECT 'info', 'missing_log', name, entry.path || ' lists run ' || name || ', of which there is no log', entry.path, entry.line
FROM per_run, counts WHERE listed AND NOT logged AND listed_logs >= 2 AND unlogged <= listed_logs
UNION ALL
SELECT 'warning', 'duplicate_row', NULL, path || ' lists the same row twice: ' || json_extract_string(ignored, '$."repeated row"') || ' lines are not counted', path, NULL
FROM sources WHERE TRY_CAST(json_extract_string(ignored, '$."repeated row"') AS BIGINT) > 0
UNION ALL
SELECT 'warning', 'same_curve', NULL, 'runs ' || list_aggregate(names[1:4], 'string_agg', ' and ') || ' have the same validation curve: one may be a copy', path, NULL
FROM same
ORDER BY ALL
