-- title: Perplexity, exp of the validation cross-entropy
-- unit: tokens
-- better: lower
-- grain: run
SELECT run, exp(best_loss) AS best_ppl, exp(last_loss) AS last_ppl
FROM best_last
ORDER BY run
