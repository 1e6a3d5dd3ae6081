-- title: Full ranking by best validation loss
-- unit: rank
-- better: lower
-- grain: run
SELECT
    c.budget, b.run, row_number() OVER (PARTITION BY c.budget, k.kind ORDER BY b.best_loss, b.run) AS place, b.best_loss, exp(b.best_loss) AS ppl, b.best_step, k.kind,
    coalesce(
        (SELECT min(k.path) FROM checkpoints AS k WHERE k.run = b.run AND k.kind = 'best'),
        (SELECT min(k.path) FROM checkpoints AS k WHERE k.run = b.run AND k.step = b.best_step),
        -- not at hand, but a results file names it
        (SELECT min(json_extract_string(f.value, '$')) FROM raw_facts AS f JOIN run_trials AS t USING (source, trial)
         WHERE t.run = b.run AND f.key = 'checkpoint.path')
    ) AS checkpoint
FROM compared AS c
JOIN best_last AS b USING (run)
JOIN kinds AS k USING (run)
WHERE c.budget IS NOT NULL AND b.best_loss IS NOT NULL
ORDER BY c.budget, count(*) OVER (PARTITION BY c.budget, k.kind) DESC, k.kind, place
