-- perplexities that are not exp(loss)
-- when: metric val/perplexity
SELECT
    'warning' AS severity, 'contradiction' AS kind, r.name AS run,
    'run ' || r.name || ' prints a perplexity of ' || printf('%.4f', e.value) || ' at step ' || coalesce(e.step::VARCHAR, '?')
    || ', but exp(' || printf('%.4f', l.value) || ') is ' || printf('%.4f', exp(l.value))
    || CASE WHEN abs(ln(e.value) - ln(2) * l.value) < 0.005 THEN ': it is 2 to the power of that, so the loss is in bits' ELSE '' END AS text,
    e.path AS source, e.line
FROM evals AS e
JOIN evals AS l ON l.run = e.run AND l.step IS NOT DISTINCT FROM e.step AND l.metric = 'val/loss' AND isfinite(l.value)
JOIN runs AS r ON r.run = e.run
WHERE e.metric = 'val/perplexity' AND e.value > 0 AND l.value < 100 AND abs(ln(e.value) - l.value) > 0.005 + pow(10, -coalesce(e.decimals, 6)) / e.value
QUALIFY row_number() OVER (PARTITION BY e.run ORDER BY e.step) = 1
ORDER BY ALL
