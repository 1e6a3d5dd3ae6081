-- one curve under two names
-- when: equal curves
WITH same AS (
    SELECT v.print_, list(DISTINCT r.name ORDER BY r.name) AS names, min(s.path) AS path
    FROM run_trials AS t
    JOIN runs AS r ON r.run = t.run AND NOT r.is_continuation
    JOIN raw_trials AS w ON w.source = t.source AND w.trial = t.trial AND w.kind = 'curve'
    JOIN sources AS s ON s.id = t.source
    JOIN trial_values AS v ON v.source = t.source AND v.trial = t.trial
    JOIN compared AS c ON c.run = t.run AND c.n_val >= 3
    WHERE v.print_ IS NOT NULL
    GROUP BY v.print_
    HAVING count(DISTINCT t.run) > 1
)
SELECT 'warning' AS severity, 'same_curve' AS kind, NULL AS run,
    'runs ' || list_aggregate(names[1:4], 'string_agg', ' and ') || ' have the same validation curve: one may be a copy' AS text,
    path AS source, NULL::BIGINT AS line
FROM same
ORDER BY text
