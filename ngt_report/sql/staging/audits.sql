-- title: the shape of each curve in `thinned`: its highest spike, how low it came early, whether its pace fell, and whether its clock may be odd
-- grain: curve, metric; of long plain curves kept with their content, of others computed at every build
WITH
ordered AS (
    SELECT
        *, lag(high) OVER w AS before, lead(high) OVER w AS after, row_number() OVER w AS place,
        lag(step) OVER w AS from_step, step - lag(step) OVER w AS steps, clock_s - lag(clock_s) OVER w AS seconds, steps / nullif(seconds, 0) AS rate
    FROM thinned
    WINDOW w AS (PARTITION BY curve, metric ORDER BY stretch)
),
scales AS (
    -- how far a point usually lies from the middle of its neighbours
    SELECT curve, metric, count(*) AS points, median(abs(high - (before + after) / 2)) AS usual, quantile_cont(rate, 0.9) FILTER (rate > 0) AS fast
    FROM ordered
    GROUP BY curve, metric
),
judged AS (
    SELECT
        o.*, s.points, o.high - greatest(o.before, o.after) AS rise,
        coalesce(s.points >= 8 AND o.before IS NOT NULL AND o.after IS NOT NULL
            AND o.high - greatest(o.before, o.after) > greatest(0.1, 10 * s.usual), false) AS spike,
        coalesce(o.rate < 0.7 * s.fast, false) AS slow
    FROM ordered AS o
    JOIN scales AS s ON s.curve = o.curve AND s.metric = o.metric
)
SELECT
    curve, metric, count(*) AS points, min(low) AS best, min(low) FILTER (place <= 0.6 * points) AS early, count(*) FILTER (spike) AS spikes,
    arg_max({'high': high, 'rise': rise, 'step': peak_step, 'path': path, 'line': line, 'place': place}, rise) FILTER (spike) AS spike,
    count(*) FILTER (rate > 0) AS intervals, count(*) FILTER (rate > 0 AND slow) AS slow,
    min(from_step) FILTER (rate > 0 AND slow) AS from_step, arg_min({'path': path, 'line': line}, step) FILTER (rate > 0 AND slow) AS slow_at,
    coalesce(min(seconds) <= 0 OR max(seconds / steps) > 5 * min(seconds / steps), false) OR count(clock_s) BETWEEN 1 AND count(*) - 1 AS odd_clock
FROM judged
GROUP BY curve, metric
