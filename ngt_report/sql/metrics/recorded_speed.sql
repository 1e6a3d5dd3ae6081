-- title: Throughput as the source recorded it, for runs without a curve to compute it from
-- unit: tokens per second
-- better: higher
-- grain: run
-- when: metric tokens_per_s
-- when: kind row
-- columns: run VARCHAR, tokens_per_s DOUBLE
SELECT t.run, arg_max(p.value, (t.precedence = 20, coalesce(p.step, 0), p.line)) AS tokens_per_s
FROM raw_points AS p
JOIN run_trials AS t ON t.source = p.source AND t.trial = p.trial
JOIN raw_trials AS w ON w.source = p.source AND w.trial = p.trial
WHERE p.metric = 'tokens_per_s' AND w.kind = 'row'
GROUP BY t.run
ORDER BY t.run
