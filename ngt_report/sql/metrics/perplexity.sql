-- title: Perplexity, exp of the validation cross-entropy, and bits per byte where the tokenizer's bytes per token are known
-- unit: tokens; bits per byte
-- better: lower
-- grain: run
SELECT
    b.run, exp(b.best_loss) AS best_ppl, exp(b.last_loss) AS last_ppl,
    -- with bytes per token:
    b.best_loss / ln(2) / t.bytes AS best_bpb, b.last_loss / ln(2) / t.bytes AS last_bpb
    -- else:
    NULL::DOUBLE AS best_bpb, NULL::DOUBLE AS last_bpb
    -- end
FROM best_last AS b
-- with bytes per token:
JOIN (SELECT run, TRY_CAST(json_extract_string(config, '$.bytes_per_token') AS DOUBLE) AS bytes FROM runs) AS t USING (run)
-- end
ORDER BY b.run
