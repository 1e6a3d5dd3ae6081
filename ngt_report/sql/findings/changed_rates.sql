-- learning rates that leap: above all rates before, after a fall, or where a process resumes
-- when: metric lr
-- when: rates to look at
WITH
looked_at AS (
    -- all but long logs of one segment without a leap from stretch to stretch
    SELECT source, trial, run FROM run_trials ANTI JOIN (FROM smooth_rates ANTI JOIN segments USING (source, trial)) USING (source, trial) WHERE main
),
rates AS (
    SELECT t.run, p.segment, p.step, p.value, p.line, s.path, lag(p.value) OVER w AS before, lag(p.segment) OVER w AS segment_before,
        max(p.value) OVER (PARTITION BY t.run ORDER BY p.step, p.line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS highest
    FROM raw_points AS p
    JOIN looked_at AS t ON t.source = p.source AND t.trial = p.trial
    JOIN sources AS s ON s.id = p.source
    LEFT JOIN segments AS g ON g.source = p.source AND g.trial = p.trial AND g.segment = p.segment
    WHERE p.metric = 'lr' AND p.value > 0 AND p.step > 0 AND (g.superseded_from IS NULL OR p.step < g.superseded_from)
    WINDOW w AS (PARTITION BY t.run ORDER BY p.step, p.line)
),
leaps AS (
    -- above all rates before it, after it had begun to fall: no warm-up, no restart of a cycle; or a leap where a process resumes
    FROM rates
    WHERE value > 1.2 * highest AND before < 0.95 * highest
        OR segment > segment_before AND NOT value / before BETWEEN 0.5 AND 2
    QUALIFY row_number() OVER (PARTITION BY run ORDER BY step) = 1
)
SELECT
    'warning' AS severity, 'changed' AS kind, r.name AS run,
    'run ' || r.name || ' changes its learning rate from ' || printf('%.4g', l.before) || ' to ' || printf('%.4g', l.value)
        || ' at step ' || l.step
    || CASE WHEN l.segment > l.segment_before THEN ', where it resumes' ELSE '' END AS text, l.path AS source, l.line
FROM leaps AS l JOIN runs AS r USING (run)
ORDER BY ALL
