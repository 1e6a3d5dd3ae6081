-- title: the compared set that charts are about: the largest, of equal ones the longest
-- grain: one row, or none
SELECT budget, common_step AS step FROM common_step WHERE runs > 1 ORDER BY runs DESC, total DESC NULLS LAST LIMIT 1
