-- runs whose recorded configuration and seed are the same: only their names tell them apart
-- when: kind row
-- when: fact seed
WITH
listed AS (
    SELECT r.run, r.name, t.source, t.trial, s.path, w.line
    FROM runs AS r
    JOIN run_trials AS t ON t.run = r.run
    JOIN raw_trials AS w ON w.source = t.source AND w.trial = t.trial AND w.kind = 'row'
    JOIN sources AS s ON s.id = t.source
    -- with format events:
    -- an event log records the whole configuration
    ANTI JOIN (SELECT e.run FROM run_trials AS e JOIN sources AS es ON es.id = e.source AND es.format = 'events') AS e ON e.run = r.run
    -- end
    WHERE r.seed IS NOT NULL
),
recorded AS (
    SELECT l.run, l.name, l.path, l.line, string_agg(f.key || '=' || f.value, ';' ORDER BY f.key) AS settings
    FROM raw_facts AS f
    JOIN listed AS l ON l.source = f.source AND l.trial = f.trial
    WHERE f.key NOT LIKE 'checkpoint.%' AND f.key NOT IN ('total_steps', 'config.total_steps', 'marker', 'train_time_s', 'clock.scope')
        AND f.key NOT LIKE 'config.%date%' AND f.key NOT LIKE 'config.%path%' AND f.key NOT LIKE 'config.notes%'
    GROUP BY l.run, l.name, l.source, l.trial, l.path, l.line
)
SELECT
    'warning' AS severity, 'equal_config' AS kind, NULL AS run,
    count(*) || ' runs record the same configuration and seed in ' || any_value(path) || ': ' || string_agg(name, ', ' ORDER BY name)
        || '; only their names'
        -- with fact command.flags:
        || CASE WHEN bool_or(run IN (SELECT run FROM run_trials
            SEMI JOIN (FROM raw_facts WHERE key = 'command.flags') USING (source, trial))) THEN ' and logs' ELSE '' END
        -- end
        || ' tell them apart' AS text,
    any_value(path) AS source, min(line) AS line
FROM recorded
GROUP BY settings, path
HAVING count(*) > 1
ORDER BY text
