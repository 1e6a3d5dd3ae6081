-- title: everything that is said about evaluations, by run, on the run's clock; superseded points and long plain curves are left out
-- grain: source, trial, segment, metric, line
SELECT
    t.run, t.precedence, p.source, p.metric, p.step, p.value, p.decimals, p.tokens, p.line, p.pointer,
    -- with restarts:
    CASE WHEN g.reset_line IS NULL OR p.line >= g.reset_line THEN p.elapsed_s + coalesce(g.clock_offset_s, 0) END AS clock_s
    -- else:
    p.elapsed_s AS clock_s
    -- end
FROM raw_points AS p
JOIN (
    FROM run_trials
    -- with long curves:
    ANTI JOIN long_curves USING (source, trial)
    -- end
) AS t ON t.source = p.source AND t.trial = p.trial
-- with restarts:
LEFT JOIN segments AS g ON g.source = p.source AND g.trial = p.trial AND g.segment = p.segment
-- end
WHERE (starts_with(p.metric, 'val/') OR starts_with(p.metric, 'test/') OR starts_with(p.metric, 'final/') OR p.metric IN ('best/loss', 'eval_loss'))
    -- with restarts:
    AND (g.superseded_from IS NULL OR p.step IS NULL OR p.step < g.superseded_from)
    -- end
