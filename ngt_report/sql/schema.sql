-- The database as it lies on disk; its version is SCHEMA_VERSION in store.py, and a report of another version is built anew.
-- raw_* hold what the sources said, keyed by (source, trial); runs, points, checkpoints and findings are what they mean.

-- One row a file. id is a hash of the path, so that the same input gives the same content in any order of reading.
CREATE TABLE IF NOT EXISTS sources (
    id BIGINT PRIMARY KEY, path VARCHAR, format VARCHAR, reason VARCHAR, precedence TINYINT, parser_version INTEGER,
    size BIGINT, mtime_ns BIGINT, fingerprint VARCHAR, fingerprint_kind VARCHAR, bytes_read BIGINT,
    lines_read BIGINT, lines_used BIGINT, lines_ignored BIGINT, lines_bad BIGINT, lines_pending BIGINT,
    ignored VARCHAR,            -- JSON: rule -> lines
    bad VARCHAR,                -- JSON: [[line, why], ...], the first 1000
    status VARCHAR,             -- read, empty, no metrics, unsupported, unreadable, ...
    state VARCHAR               -- JSON: where a later reading goes on
);

CREATE TABLE IF NOT EXISTS raw_trials (source BIGINT, trial INTEGER, kind VARCHAR, name VARCHAR, line BIGINT, shared BOOLEAN);

-- Points one by one; long curves lie in tables wide_1, wide_2, ... (wide.py), one row a line. raw_points shows both.
CREATE TABLE IF NOT EXISTS raw_values (
    source BIGINT, trial INTEGER, segment INTEGER,
    step BIGINT,                -- null: the source does not say
    metric VARCHAR, value DOUBLE,
    decimals TINYINT,           -- as printed; null: full precision
    elapsed_s DOUBLE,           -- as printed, in seconds
    tokens BIGINT,
    line BIGINT, pointer VARCHAR
);
CREATE TABLE IF NOT EXISTS wide_tables (name VARCHAR, layout VARCHAR); -- JSON: metrics, their decimals, other columns
CREATE VIEW IF NOT EXISTS raw_points AS SELECT * FROM raw_values;

-- Each line with points once, or oftener where it lies as points: for questions about lines, not metrics.
CREATE VIEW IF NOT EXISTS raw_lines AS
SELECT source, trial, segment, step, elapsed_s, tokens, line, metric = 'train/loss' AS trained, metric = 'val/loss' AS evaluated,
    CASE WHEN metric = 'tokens_per_s' THEN value END AS tokens_per_s
FROM raw_values;

CREATE TABLE IF NOT EXISTS raw_segments (
    source BIGINT, trial INTEGER, segment INTEGER, start_step BIGINT, line BIGINT, clock VARCHAR, reset_line BIGINT
);

-- What is asked of all points of a source, computed when it is read (staging/spans.sql, curves.sql, trial_values.sql, stretches.sql).
CREATE TABLE IF NOT EXISTS spans (
    source BIGINT, trial INTEGER, segment INTEGER, n_train BIGINT, n_val BIGINT, first_step BIGINT, last_step BIGINT, last_line BIGINT,
    tokens BIGINT, clock_step BIGINT, unstepped_elapsed DOUBLE, last_elapsed DOUBLE, fastest DOUBLE -- tokens a second as printed, at most
);

CREATE TABLE IF NOT EXISTS trial_values (
    source BIGINT, trial INTEGER, best DOUBLE, best_decimals TINYINT, last DOUBLE, last_decimals TINYINT, print_ VARCHAR, diverged BOOLEAN,
    stated_best DOUBLE, final DOUBLE, final_decimals TINYINT,
    best_at STRUCT(s BIGINT, c DOUBLE, l BIGINT),                         -- step, clock and line of the first best
    end_at STRUCT(v DOUBLE, d TINYINT, s BIGINT, c DOUBLE, l BIGINT),     -- the very last evaluation, a number or not
    late STRUCT(v DOUBLE, s BIGINT)[]                                     -- the last evaluations, newest first
);

CREATE TABLE IF NOT EXISTS curves (
    source BIGINT, trial INTEGER, metric VARCHAR, n BIGINT, n_finite BIGINT, rising BOOLEAN, uneven BOOLEAN, numbered BOOLEAN, clocked BOOLEAN,
    first_step BIGINT, first_eval BIGINT, last_eval BIGINT, end_step BIGINT, best DOUBLE, print_ VARCHAR,
    steps_print VARCHAR,        -- equal for curves with finite values, and a clock, at the same steps
    least_decimals TINYINT, most_decimals TINYINT, odd_clock BOOLEAN
);

-- Long curves in at most some 256 stretches of steps: highest and lowest value, and where each begins.
CREATE TABLE IF NOT EXISTS stretches (
    source BIGINT, trial INTEGER, metric VARCHAR, stretch BIGINT, high DOUBLE, low DOUBLE, peak_step BIGINT, peak_line BIGINT,
    first_step BIGINT, first_clock DOUBLE
);
CREATE TABLE IF NOT EXISTS smooth_rates (source BIGINT, trial INTEGER); -- the rate does not leap from stretch to stretch

-- What an audit of these stretches finds (staging/audits.sql).
CREATE TABLE IF NOT EXISTS long_audits (
    source BIGINT, trial INTEGER, metric VARCHAR, points BIGINT, best DOUBLE, early DOUBLE, spikes BIGINT,
    spike STRUCT(high DOUBLE, rise DOUBLE, step BIGINT, path VARCHAR, line BIGINT, place BIGINT),
    intervals BIGINT, slow BIGINT, from_step BIGINT, slow_at STRUCT(path VARCHAR, line BIGINT)
);

CREATE TABLE IF NOT EXISTS raw_facts (source BIGINT, trial INTEGER, key VARCHAR, value VARCHAR, line BIGINT, pointer VARCHAR);
CREATE TABLE IF NOT EXISTS raw_findings (source BIGINT, severity VARCHAR, kind VARCHAR, trial INTEGER, text VARCHAR, line BIGINT);
-- The text of each cited line, so that trace answers on another machine.
CREATE TABLE IF NOT EXISTS lines (source BIGINT, line BIGINT, text VARCHAR);

CREATE TABLE IF NOT EXISTS meta (key VARCHAR PRIMARY KEY, value VARCHAR);
