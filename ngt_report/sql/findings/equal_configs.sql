-- runs whose recorded configuration and seed are the same: only their names tell them apart
-- when: kind row
-- when: fact seed
SELECT
    'warning' AS severity, 'equal_config' AS kind, NULL AS run,
    count(*) || ' runs record the same configuration and seed in ' || any_value(path) || ': ' || string_agg(name, ', ' ORDER BY name)
        || '; only their names' || CASE WHEN bool_or(told) THEN ' and logs' ELSE '' END || ' tell them apart' AS text,
    any_value(path) AS source, min(line) AS line
FROM (
    SELECT r.name, s.path, w.line,
        (SELECT count(*) > 0 FROM raw_facts AS o JOIN run_trials AS ot USING (source, trial) WHERE ot.run = r.run AND o.key = 'command.flags') AS told,
        (SELECT string_agg(f.key || '=' || f.value, ';' ORDER BY f.key) FROM raw_facts AS f
         WHERE f.source = t.source AND f.trial = t.trial AND f.key NOT LIKE 'checkpoint.%' AND f.key NOT IN ('total_steps', 'config.total_steps', 'marker', 'train_time_s', 'clock.scope')
            AND f.key NOT LIKE 'config.%date%' AND f.key NOT LIKE 'config.%path%' AND f.key NOT LIKE 'config.notes%') AS recorded
    FROM runs AS r
    JOIN run_trials AS t ON t.run = r.run
    JOIN raw_trials AS w ON w.source = t.source AND w.trial = t.trial AND w.kind = 'row'
    JOIN sources AS s ON s.id = t.source
    WHERE r.seed IS NOT NULL
        -- an event log records the whole configuration
        AND NOT EXISTS (FROM run_trials AS e JOIN sources AS es ON es.id = e.source WHERE e.run = r.run AND es.format = 'events')
)
WHERE recorded IS NOT NULL
GROUP BY recorded, path
HAVING count(*) > 1
ORDER BY text
