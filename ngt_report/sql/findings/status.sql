-- runs that did not finish, with the cause of a crash; many of one cause are one finding
-- when: unfinished
WITH
ended AS (
    SELECT
        r.name, r.status, s.path, regexp_extract(r.status, '^(crashed|incomplete|diverged|stopped early)') AS kind,
        regexp_replace(r.status, '^(crashed) at [0-9,/]+', '\1') AS what,
        (SELECT max(f.line) FROM raw_facts AS f WHERE f.source = t.source AND f.trial = t.trial AND f.key IN ('crash', 'stopped')) AS line,
        CASE WHEN starts_with(r.status, 'crashed') THEN
            (SELECT '; its last lines: ' || arg_max(f.value ->> '$', f.line)
            FROM raw_facts AS f WHERE f.source = t.source AND f.trial = t.trial AND f.key = 'crash_tail')
        END AS ending
    FROM runs AS r
    JOIN run_trials AS t ON t.run = r.run AND t.main
    JOIN sources AS s ON s.id = t.source
    WHERE r.status NOT IN ('finished', 'no declared total')
),
counted AS (
    SELECT *, count(*) OVER (PARTITION BY what) AS alike FROM ended
)
SELECT
    CASE WHEN kind IN ('crashed', 'diverged') THEN 'warning' ELSE 'info' END AS severity, CASE kind WHEN '' THEN 'ended' ELSE replace(kind, ' ', '_') END AS kind,
    name AS run, 'run ' || name || CASE WHEN kind = 'incomplete' THEN ' is ' ELSE ' ' END || status || coalesce(ending, '') AS text, path AS source, line
FROM counted WHERE alike <= 4
UNION ALL
SELECT
    CASE WHEN kind IN ('crashed', 'diverged') THEN 'warning' ELSE 'info' END, CASE kind WHEN '' THEN 'ended' ELSE replace(kind, ' ', '_') END,
    NULL, count(*) || ' runs ' || what || ' (' || list_aggregate(list(name ORDER BY name)[1:3], 'string_agg', ', ') || ' ...)',
    min(path), arg_min(line, (path, line))
FROM counted WHERE alike > 4
GROUP BY kind, what
ORDER BY ALL
