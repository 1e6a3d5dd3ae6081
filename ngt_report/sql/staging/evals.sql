-- title: live evaluations: one value per run, metric and step, from the source of best precedence
-- grain: run, metric, step
-- with short curves:
SELECT run, metric, step, value, decimals, clock_s, tokens, source, path, line, pointer, is_final FROM settled
-- with long curves:
UNION ALL
-- end
-- end
-- with long curves:
SELECT
    l.run, p.metric, p.step, p.value, p.decimals, p.elapsed_s AS clock_s, p.tokens, p.source, l.path, p.line, p.pointer, p.metric = 'final/loss' AS is_final
FROM raw_points AS p
JOIN long_curves AS l ON l.source = p.source AND l.trial = p.trial
WHERE starts_with(p.metric, 'val/') OR starts_with(p.metric, 'test/') OR starts_with(p.metric, 'final/') OR p.metric = 'best/loss'
-- end
