-- title: where a run's log starts again: the steps at which later segments begin
-- grain: run, step
SELECT DISTINCT t.run, g.start_step AS step
FROM raw_segments AS g
JOIN run_trials AS t USING (source, trial)
WHERE g.segment > 0 AND g.start_step IS NOT NULL AND t.main
ORDER BY t.run, g.start_step
