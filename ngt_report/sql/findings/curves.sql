-- spikes, plateaus, curves that end far above their best, and throughput that drops
WITH
ordered AS (
    SELECT
        *, lag(high) OVER w AS before, lead(high) OVER w AS after, row_number() OVER w AS place, count(*) OVER (PARTITION BY run, metric) AS points, lag(step) OVER w AS from_step,
        (step - lag(step) OVER w) / nullif(clock_s - lag(clock_s) OVER w, 0) AS rate
    FROM thinned
    WINDOW w AS (PARTITION BY run, metric ORDER BY stretch)
),
scales AS (
    -- how far a point usually lies from the middle of its neighbours
    SELECT run, metric, median(abs(high - (before + after) / 2)) AS usual, quantile_cont(rate, 0.9) FILTER (rate > 0) AS fast
    FROM ordered
    GROUP BY run, metric
),
spikes AS (
    SELECT o.*, o.high - greatest(o.before, o.after) AS rise, count(*) OVER (PARTITION BY o.run, o.metric) AS spikes
    FROM ordered AS o
    JOIN scales AS s USING (run, metric)
    WHERE o.points >= 8 AND o.before IS NOT NULL AND o.after IS NOT NULL AND o.high - greatest(o.before, o.after) > greatest(0.1, 10 * s.usual)
),
highest AS (
    -- of each curve the highest spike; one at the end may be the last value that is compared
    SELECT k.*, r.name, k.metric = 'val/loss' AND k.place > 0.9 * k.points AS late, count(*) OVER (PARTITION BY k.metric) AS runs
    FROM (FROM spikes QUALIFY row_number() OVER (PARTITION BY run, metric ORDER BY rise DESC) = 1) AS k
    JOIN runs AS r USING (run)
),
closing AS (
    SELECT o.run, o.points, o.best, o.early, e.last.v AS last, {'path': e.last.p, 'line': e.last.l} AS spot
    FROM (
        SELECT run, count(*) AS points, min(low) AS best, min(low) FILTER (place <= 0.6 * points) AS early
        FROM ordered
        WHERE metric = 'val/loss'
        GROUP BY run
    ) AS o
    JOIN ends AS e USING (run)
),
slow AS (
    SELECT
        o.run, count(*) AS intervals, count(*) FILTER (o.rate < 0.7 * s.fast) AS slow,
        min(o.from_step) FILTER (o.rate < 0.7 * s.fast) AS from_step,
        arg_min({'path': o.path, 'line': o.line}, o.step) FILTER (o.rate < 0.7 * s.fast) AS spot
    FROM ordered AS o
    JOIN scales AS s USING (run, metric)
    WHERE o.metric = 'val/loss' AND o.rate > 0
    GROUP BY o.run
)
SELECT
    CASE WHEN late THEN 'warning' ELSE 'info' END AS severity, 'spike' AS kind, name AS run,
    'run ' || name || ' has a spike in ' || metric || ' at step ' || peak_step || ': ' || printf('%.4f', high) || ', ' || printf('%.4f', rise)
        || ' above its neighbours' || CASE WHEN spikes > 1 THEN ', and ' || (spikes - 1) || ' more' ELSE '' END AS text,
    path AS source, line
FROM highest WHERE late OR runs <= 6
UNION ALL
SELECT 'info', 'spike', NULL, any_value(runs) || ' runs have spikes in ' || metric || ', the highest that of ' || arg_max(name || ' at step ' || peak_step, (rise, name)), NULL, NULL
FROM highest WHERE NOT late AND runs > 6 GROUP BY metric
UNION ALL
SELECT 'warning', 'diverged', r.name,
    'run ' || r.name || ' ends ' || printf('%.4f', last - best) || ' above its best validation loss: it diverged or overfitted', spot.path, spot.line
FROM closing JOIN runs AS r USING (run) WHERE points >= 4 AND isfinite(last) AND last - best > 0.05 * abs(best)
UNION ALL
SELECT 'info', 'plateau', r.name, 'run ' || r.name || ' improved by only ' || printf('%.4f', early - best) || ' over the last 40 % of its evaluations', spot.path, spot.line
FROM closing JOIN runs AS r USING (run) WHERE points >= 10 AND early - best < 0.002 * abs(best)
UNION ALL
SELECT 'warning', 'throughput_drop', r.name,
    'run ' || r.name || ' slows down after step ' || from_step || ': much of it takes far longer a step than its fast part', spot.path, spot.line
FROM slow JOIN runs AS r USING (run) WHERE slow >= 3 AND slow >= 0.1 * intervals
ORDER BY ALL
