-- title: what the sources hold, in words: true, or a list of what is there
-- grain: one row; what the runs hold is said in present.py
SELECT * FROM
    (SELECT list(DISTINCT metric) AS metric FROM raw_values),
    (
        SELECT
            sum(lines_bad) > 0 AS "bad lines", sum(lines_pending) > 0 AS "pending lines", bool_or(contains(ignored, 'repeated row')) AS "repeated rows",
            -- whose endings promise more than findings/no_metrics.sql leaves out
            bool_or(status IN ('no metrics', 'unsupported', 'empty') AND (
                NOT regexp_matches(lower(path), '\.(md|py|pid|toml|yaml|yml|sh|ipynb|png|html|pdf)$') OR (SELECT count(*) = 0 FROM runs)
            )) AS "silent files"
        FROM sources
    ),
    (
        SELECT
            bool_or(clocked) AS "clock", bool_or(n_finite < n) AS "not finite", bool_or(uneven AND metric = 'val/loss') AS "uneven",
            bool_or(odd_clock AND metric = 'val/loss' AND n >= 512) AS "odd long clocks",
            bool_or(metric NOT IN ('val/loss', 'best/loss')) AS "other evaluations",
            bool_or(best < 0 AND metric IN ('val/loss', 'best/loss', 'final/loss', 'eval_loss')) AS "negative losses",
            max(most_decimals) FILTER (metric = 'val/loss') - min(least_decimals) FILTER (metric = 'val/loss') >= 2 AS "uneven decimals"
        FROM curves
    ),
    (SELECT count(*) > 0 AS "findings" FROM raw_findings WHERE kind <> 'only_best' OR source IN (SELECT source FROM run_trials WHERE main)),
    (SELECT list(DISTINCT clock) AS "clock that" FROM raw_segments),
    (SELECT count(budget) < count(*) AS "runs apart" FROM compared),
    (SELECT count(*) > 0 AS "long audits" FROM long_audits),
    (
        SELECT count(*) > 0 AS "rates to look at"
        FROM run_trials ANTI JOIN (FROM smooth_rates ANTI JOIN segments USING (source, trial)) USING (source, trial) WHERE main
    ),
    (SELECT (SELECT count(*) FROM runs) > (SELECT count(*) FROM ends) AS "runs without validation")
