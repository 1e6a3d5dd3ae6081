-- title: the program that a run's log holds: which, in words, and where it begins
-- grain: one row at most
SELECT f.value, s.id, s.path, f.line
FROM run_trials AS t
JOIN raw_facts AS f ON f.source = t.source AND f.trial = t.trial AND f.key = 'pasted_program'
JOIN sources AS s ON s.id = t.source
WHERE t.run = $run
ORDER BY t.precedence, s.path, f.line
LIMIT 1
