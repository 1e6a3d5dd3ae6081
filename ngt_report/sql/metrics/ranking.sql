-- title: Full ranking by best validation loss
-- unit: rank
-- better: lower
-- grain: run
-- with kind checkpoint | fact checkpoint.path:
WITH
kept AS (
    SELECT b.run, coalesce(min(k.path) FILTER (k.kind = 'best'), min(k.path) FILTER (k.step = b.best_step)) AS checkpoint
    FROM checkpoints AS k
    JOIN best_last AS b ON b.run = k.run
    GROUP BY b.run
),
named AS (
    -- not at hand, but a results file names it
    SELECT t.run, min(json_extract_string(f.value, '$')) AS checkpoint
    FROM raw_facts AS f
    JOIN run_trials AS t ON t.source = f.source AND t.trial = f.trial
    WHERE f.key = 'checkpoint.path'
    GROUP BY t.run
)
-- end
SELECT
    c.budget, b.run, row_number() OVER (PARTITION BY c.budget, k.kind ORDER BY b.best_loss, b.run) AS place, b.best_loss, exp(b.best_loss) AS ppl,
    b.best_step, k.kind,
    -- with kind checkpoint | fact checkpoint.path:
    coalesce(p.checkpoint, n.checkpoint) AS checkpoint
    -- else:
    NULL::VARCHAR AS checkpoint
    -- end
FROM compared AS c
JOIN best_last AS b USING (run)
JOIN kinds AS k USING (run)
-- with kind checkpoint | fact checkpoint.path:
LEFT JOIN kept AS p ON p.run = b.run
LEFT JOIN named AS n ON n.run = b.run
-- end
WHERE c.budget IS NOT NULL AND b.best_loss IS NOT NULL
ORDER BY
    c.budget, count(*) OVER (PARTITION BY c.budget, k.kind ORDER BY b.best_loss, b.run ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) DESC, k.kind, place
