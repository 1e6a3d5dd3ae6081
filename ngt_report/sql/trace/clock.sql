-- title: where a reading of the training clock was printed
-- grain: point, the best one first
SELECT p.step, p.elapsed_s, coalesce(g.clock_offset_s, 0) AS offset_s, p.source, s.path, s.format, p.line, p.pointer
FROM raw_points AS p
JOIN run_trials AS t ON t.source = p.source AND t.trial = p.trial
JOIN sources AS s ON s.id = p.source
LEFT JOIN segments AS g ON g.source = p.source AND g.trial = p.trial AND g.segment = p.segment
WHERE t.run = $run AND ($step::BIGINT IS NULL OR p.step = $step::BIGINT)
    AND abs(p.elapsed_s + coalesce(g.clock_offset_s, 0) - $clock::DOUBLE) < 1e-6
ORDER BY p.step DESC NULLS LAST, t.precedence, s.path, p.line DESC
LIMIT 1
