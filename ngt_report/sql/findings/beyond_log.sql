-- a results row or checkpoint that speaks of steps its run's log does not have
-- when: kind row | kind checkpoint
-- when: steps beyond the log | unfinished
SELECT
    'warning' AS severity, 'beyond_log' AS kind, r.name AS run,
    s.path || ' is at step ' || max(p.step) || ', but the log of run ' || r.name || ' ends at step ' || coalesce(max(c.last_eval), max(k.last_step)) AS text,
    s.path AS source, min(p.line) AS line
FROM raw_points AS p
JOIN raw_trials AS w ON w.source = p.source AND w.trial = p.trial AND w.kind <> 'curve'
JOIN run_trials AS t ON t.source = p.source AND t.trial = p.trial
JOIN run_trials AS m ON m.run = t.run AND m.main
JOIN raw_trials AS mw ON mw.source = m.source AND mw.trial = m.trial AND mw.kind = 'curve'
JOIN runs AS r ON r.run = t.run
JOIN sources AS s ON s.id = p.source
JOIN compared AS c ON c.run = t.run
JOIN (SELECT source, trial, max(last_step) AS last_step FROM spans GROUP BY source, trial) AS k ON k.source = m.source AND k.trial = m.trial
WHERE p.step > greatest(k.last_step, coalesce(r.total_steps, k.last_step)) OR p.step > c.last_eval AND r.status LIKE 'incomplete%'
GROUP BY s.path, r.name
ORDER BY s.path, r.name
