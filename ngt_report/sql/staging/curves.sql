-- title: the shape of every curve of evaluations: whether its steps only rise and are even, where it begins and ends, its best value
-- grain: source, trial, metric; computed once per content, for the sources in fresh
-- asks: val/* | test/* | final/* | best/loss | eval_loss
WITH
found AS (
    SELECT source, trial, metric, step, value, decimals, line, elapsed_s, hash(source, trial, metric) AS curve
    FROM raw_points SEMI JOIN fresh USING (source)
    WHERE starts_with(metric, 'val/') OR starts_with(metric, 'test/') OR starts_with(metric, 'final/') OR metric IN ('best/loss', 'eval_loss')
),
ordered AS (
    -- in the order of the table: a curve whose steps only rise there is known to repeat none
    SELECT
        *, isfinite(value) AS finite, CASE WHEN curve = lag(curve) OVER () THEN coalesce(step - lag(step) OVER (), 0) END AS width,
        CASE WHEN curve = lag(curve) OVER () THEN elapsed_s - lag(elapsed_s) OVER () END AS seconds
    FROM found
)
SELECT
    source, trial, metric, count(*) AS n, count(*) FILTER (finite) AS n_finite,
    count(width) = count(*) - 1 AND coalesce(min(width), 1) > 0 AND count(step) = count(*) AS rising,
    min(width) IS DISTINCT FROM max(width) AS uneven, count(line) = count(*) AS numbered,
    coalesce(bool_or(step > 0 AND elapsed_s IS NOT NULL), false) AS clocked,
    min(step) AS first_step, min(step) FILTER (finite AND step > 0) AS first_eval, max(step) FILTER (finite) AS last_eval,
    max(step) AS end_step, min(value) FILTER (finite) AS best,
    count(*) FILTER (finite) || ':' || bit_xor(hash(coalesce(step, 0), value, elapsed_s)) FILTER (finite) || ':' || min(value) FILTER (finite) AS print_,
    count(*) FILTER (finite) || ':' || bit_xor(hash(step)) FILTER (finite)
        || ':' || coalesce(bit_xor(hash(step)) FILTER (finite AND elapsed_s IS NOT NULL), 0) AS steps_print,
    min(decimals) AS least_decimals, max(decimals) AS most_decimals,
    -- the clock may not always go on, or once for long
    coalesce(bool_or(step > 0 AND elapsed_s IS NOT NULL), false) AND coalesce(
        min(width) IS DISTINCT FROM max(width) OR min(seconds) <= 0
        OR max(seconds) > 4 * (sum(seconds) - max(seconds)) / nullif(count(seconds) - 1, 0) + 20, false) AS odd_clock
FROM ordered
GROUP BY source, trial, metric
