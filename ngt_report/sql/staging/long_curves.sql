-- title: runs whose evaluations are one long plain curve: one source, steps that only rise, one clock. They are read where they lie
-- grain: run
SELECT t.run, c.source, c.trial, s.path
FROM curves AS c
JOIN run_trials AS t ON t.source = c.source AND t.trial = c.trial
JOIN origins AS o ON o.run = t.run AND o.single AND NOT o.eval_loss
JOIN sources AS s ON s.id = c.source
-- with restarts:
ANTI JOIN segments AS g ON g.source = c.source AND g.trial = c.trial
-- end
WHERE c.metric = 'val/loss' AND c.n >= 512 AND c.numbered
