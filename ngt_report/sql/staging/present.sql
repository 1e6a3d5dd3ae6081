-- title: what the sources hold, in words: a metric or a finding says with `-- when:` without which of it there is nothing to compute
-- grain: what
SELECT DISTINCT 'fact ' || key AS what FROM raw_facts
UNION ALL
SELECT DISTINCT 'metric ' || metric FROM raw_values
UNION ALL
SELECT 'metric ' || unnest(from_json(metrics, '["VARCHAR"]')) FROM wide_tables
UNION ALL
SELECT DISTINCT 'kind ' || kind FROM raw_trials
UNION ALL
SELECT DISTINCT 'status ' || status FROM sources
UNION ALL
SELECT unnest(list_filter([
    CASE WHEN sum(lines_bad) > 0 THEN 'bad lines' END, CASE WHEN sum(lines_pending) > 0 THEN 'pending lines' END,
    CASE WHEN bool_or(contains(ignored, 'repeated row')) THEN 'repeated rows' END
], lambda x: x IS NOT NULL)) FROM sources
UNION ALL
SELECT DISTINCT 'findings' FROM raw_findings
UNION ALL
SELECT DISTINCT 'clock ' || clock FROM raw_segments
UNION ALL
SELECT DISTINCT CASE WHEN superseded_from IS NULL AND segment = 0 THEN 'one segment' ELSE 'restarts' END FROM segments
UNION ALL
SELECT unnest(list_filter([
    CASE WHEN bool_or(clocked) THEN 'clock' END, CASE WHEN bool_or(n_finite < n) THEN 'not finite' END,
    CASE WHEN bool_or(uneven AND metric = 'val/loss') THEN 'uneven' END, CASE WHEN bool_or(metric NOT IN ('val/loss', 'best/loss')) THEN 'other evaluations' END,
    CASE WHEN count(print_) FILTER (metric = 'val/loss') > count(DISTINCT print_) FILTER (metric = 'val/loss') THEN 'equal curves' END
], lambda x: x IS NOT NULL)) FROM curves
UNION ALL
SELECT DISTINCT 'tokens' FROM spans WHERE tokens > 0
UNION ALL
SELECT DISTINCT 'several sources' FROM origins WHERE NOT single
UNION ALL
SELECT unnest(list_filter([
    CASE WHEN count(*) FILTER (status NOT IN ('finished', 'no declared total')) > 0 THEN 'unfinished' END,
    CASE WHEN bool_or(contains(config, 'batch_size')) THEN 'batch' END, CASE WHEN bool_or(is_continuation) THEN 'continuations' END,
    CASE WHEN count(seed_group) > count(DISTINCT seed_group) OR count(config_group) > count(DISTINCT config_group) THEN 'groups' END
], lambda x: x IS NOT NULL)) FROM runs
UNION ALL
SELECT DISTINCT 'runs without validation' FROM runs ANTI JOIN ends USING (run)
