-- title: a row where some curve has to be audited whose audit is not kept with its content
-- grain: one row or none
SELECT 1 FROM settled
UNION ALL
SELECT 1
FROM run_trials
ANTI JOIN (FROM long_audits ANTI JOIN segments USING (source, trial) WHERE metric = 'train/loss') USING (source, trial)
WHERE main
LIMIT 1
