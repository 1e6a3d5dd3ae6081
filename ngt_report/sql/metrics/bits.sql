-- title: Lowest bits per byte, character or token of runs that record no validation loss in nats
-- unit: bits, as named
-- better: lower
-- grain: run, metric
-- when: metric val/*bpb* | metric val/*bits*
-- columns: run VARCHAR, metric VARCHAR, best DOUBLE, best_decimals TINYINT, best_step BIGINT, last DOUBLE, last_decimals TINYINT, last_step BIGINT,
--   path VARCHAR, line BIGINT, pointer VARCHAR
WITH ends AS (
    SELECT
        e.run, e.metric, arg_min({'v': e.value, 'd': e.decimals, 's': e.step, 'p': e.path, 'l': e.line, 'ptr': e.pointer}, (e.value, coalesce(e.step, 0))) AS b,
        arg_max({'v': e.value, 'd': e.decimals, 's': e.step}, coalesce(e.step, 0)) AS l
    FROM evals AS e
    JOIN compared AS c ON c.run = e.run AND c.excluded LIKE 'validated as %' -- the others are not done, or have a loss in nats
    WHERE regexp_matches(e.metric, '^val/(.*_)?(bpb|bits_per_|bits)') AND isfinite(e.value)
    GROUP BY e.run, e.metric
)
SELECT
    run, metric, b.v AS best, b.d AS best_decimals, b.s AS best_step, l.v AS last, l.d AS last_decimals, l.s AS last_step, b.p AS path,
    b.l AS line, b.ptr AS pointer
FROM ends
ORDER BY metric, best, run
