-- title: a row where a run has a metric of one step from two sources, or twice from one, or its best told with a clock or tokens by each
-- grain: one row or none
SELECT 1
FROM stated
SEMI JOIN (SELECT run FROM origins WHERE NOT single) USING (run)
GROUP BY run, metric, step, CASE WHEN metric = 'best/loss' THEN source END
HAVING count(*) > 1 OR metric = 'best/loss' AND count(clock_s) + count(tokens) > 0
LIMIT 1
