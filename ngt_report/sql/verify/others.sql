-- title: which metrics there are at all
-- grain: metric
SELECT DISTINCT metric FROM raw_points ORDER BY metric
