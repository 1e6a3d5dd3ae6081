-- runs in the logs and in no results table, and rows without a log
-- when: kind row
-- when: only rows or only logs
WITH
pieces AS (
    SELECT t.run, r.name, r.status, s.path, w.kind, w.line, s.format
    FROM run_trials AS t
    JOIN runs AS r ON r.run = t.run AND NOT r.is_continuation
    JOIN raw_trials AS w ON w.source = t.source AND w.trial = t.trial
    JOIN sources AS s ON s.id = t.source
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
)
SELECT 'warning' AS severity, 'missing_row' AS kind, name AS run,
    'run ' || name || ' finished, but is in no results table, which list ' || listed_logs || ' other runs' AS text, log AS source, NULL::BIGINT AS line
FROM per_run, counts WHERE logged AND NOT listed AND finished AND listed_logs >= 2 AND unlisted <= listed_logs
UNION ALL
SELECT 'info', 'missing_log', name, entry.path || ' lists run ' || name || ', of which there is no log', entry.path, entry.line
FROM per_run, counts WHERE listed AND NOT logged AND listed_logs >= 2 AND unlogged <= listed_logs
ORDER BY ALL
