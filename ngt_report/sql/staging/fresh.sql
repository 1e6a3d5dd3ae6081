-- title: what the sources in fresh hold, in words
-- grain: one row
SELECT
    bool_or(NOT rising AND numbered) AS "curves in pieces", bool_or(metric IN ('best/loss', 'final/loss')) AS "stated values",
    (
        SELECT count(*) > 0
        FROM raw_trials SEMI JOIN fresh USING (source) ANTI JOIN (FROM curves WHERE metric = 'val/loss') USING (source, trial)
    ) AS "trials without validation",
    (
        SELECT bool_or(n_val >= 512 OR n_train >= 512)
        FROM (SELECT sum(n_val) AS n_val, sum(n_train) AS n_train FROM spans SEMI JOIN fresh USING (source) GROUP BY source, trial)
    ) AS "long curves"
FROM curves
SEMI JOIN fresh USING (source)
