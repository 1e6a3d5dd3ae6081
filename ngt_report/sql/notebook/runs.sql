-- title: one row a run, with what a report says of it
-- grain: run
SELECT
    r.name, r.run AS id, r.model, r.flags, r.seed, r.dataset, r.params, r.status, r.total_steps, c.excluded,
    b.best_loss, b.best_step, exp(b.best_loss) AS best_ppl, b.last_loss, b.last_step, f.step AS common_step, f.loss AS loss_at_common_step,
    d.delta_loss, d.delta_ppl, k.place, t.steps_per_s, w.train_time_s, w.tokens_per_step, r.config, b.best_path AS source, b.best_line AS line
FROM runs AS r
LEFT JOIN compared AS c USING (run)
LEFT JOIN best_last AS b USING (run)
LEFT JOIN fixed_step AS f USING (run)
LEFT JOIN delta AS d USING (run)
LEFT JOIN ranking AS k USING (run)
LEFT JOIN throughput AS t USING (run)
LEFT JOIN train_time AS w USING (run)
ORDER BY c.budget NULLS LAST, k.place NULLS LAST, r.name
