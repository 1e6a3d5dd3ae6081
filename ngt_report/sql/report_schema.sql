-- What the raw tables mean: written anew at every build. The raw tables are in schema.sql.

-- Which trials make which run; written by identity.py at every build.
CREATE TABLE IF NOT EXISTS run_trials (
    run VARCHAR, source BIGINT, trial INTEGER, precedence TINYINT, main BOOLEAN -- main: the trial that the run's curve comes from
);

CREATE TABLE IF NOT EXISTS runs (
    run VARCHAR PRIMARY KEY, name VARCHAR, "group" VARCHAR, model VARCHAR, flags VARCHAR, dataset VARCHAR, tokenizer VARCHAR,
    seed BIGINT, params BIGINT, config VARCHAR, hardware VARCHAR, git_commit VARCHAR, total_steps BIGINT,
    parent VARCHAR, is_continuation BOOLEAN, resumed_step BIGINT, clock_scope VARCHAR, stated_time_s DOUBLE, declared VARCHAR,
    status VARCHAR,
    seed_group VARCHAR,         -- equal for runs that differ in nothing but the recorded seed
    config_group VARCHAR        -- equal for runs of one configuration, whatever is known of their seeds
);

CREATE TABLE IF NOT EXISTS checkpoints (
    run VARCHAR, path VARCHAR, kind VARCHAR, step BIGINT, best_val DOUBLE, config VARCHAR, bytes BIGINT, format VARCHAR
);

-- What was asked for on the command line or in ngtreport.toml.
CREATE TABLE IF NOT EXISTS params (step BIGINT, target DOUBLE, per_run BOOLEAN); -- per_run: groups are asked for, each run is one sample
CREATE TABLE IF NOT EXISTS t_quantiles (df BIGINT, q DOUBLE); -- P(|T| <= q) = 0.95
CREATE TABLE IF NOT EXISTS baselines (budget VARCHAR, run VARCHAR, why VARCHAR);
CREATE TABLE IF NOT EXISTS kinds (budget VARCHAR, run VARCHAR, kind VARCHAR); -- what the loss of a run measures, where a set has several
CREATE TABLE IF NOT EXISTS targets (budget VARCHAR, target DOUBLE, why VARCHAR);

CREATE TABLE IF NOT EXISTS findings (severity VARCHAR, kind VARCHAR, run VARCHAR, text VARCHAR, source VARCHAR, line BIGINT);

CREATE OR REPLACE VIEW points AS
SELECT
    t.run, p.segment, p.step, p.metric, p.value, p.decimals, p.elapsed_s, p.tokens,
    s.path AS source, coalesce(p.pointer, 'line ' || p.line) AS locator, p.line
FROM raw_points AS p
JOIN run_trials AS t ON t.source = p.source AND t.trial = p.trial
JOIN sources AS s ON s.id = p.source;
