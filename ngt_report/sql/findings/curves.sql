-- spikes, plateaus, curves that end far above their best, and throughput that drops
-- when: odd shapes | long audits
-- whoever moves a threshold below moves it in staging/audited.sql as well
WITH
audited AS (
    SELECT * EXCLUDE (odd_clock), NULL AS own_path FROM audits
    UNION ALL -- what is kept of a long plain curve of validation, and of a long training curve of a run's main log
    SELECT l.run, k.* EXCLUDE (source, trial), l.path
    FROM long_audits AS k
    JOIN long_curves AS l ON l.source = k.source AND l.trial = k.trial
    WHERE k.metric = 'val/loss'
    UNION ALL
    SELECT t.run, k.* EXCLUDE (source, trial), s.path
    FROM (FROM long_audits ANTI JOIN segments USING (source, trial)) AS k
    JOIN run_trials AS t ON t.source = k.source AND t.trial = k.trial AND t.main
    JOIN sources AS s ON s.id = k.source
    WHERE k.metric = 'train/loss'
),
-- with spikes:
highest AS (
    -- of each curve the highest spike; one at the end may be the last value that is compared
    SELECT
        a.metric, a.spikes, a.spike.high, a.spike.rise, a.spike.step AS peak_step, coalesce(a.spike.path, a.own_path) AS path, a.spike.line, r.name,
        a.metric = 'val/loss' AND a.spike.place > 0.9 * a.points AS late, count(*) OVER (PARTITION BY a.metric) AS runs
    FROM audited AS a
    JOIN runs AS r ON r.run = a.curve
    WHERE a.spikes > 0
),
-- end
-- with slow parts:
slow AS (
    SELECT r.name, from_step, coalesce(slow_at.path, own_path) AS path, slow_at.line, count(*) OVER (PARTITION BY from_step) AS runs
    FROM audited AS a
    JOIN runs AS r ON r.run = a.curve
    WHERE metric = 'val/loss' AND slow >= 3 AND slow >= 0.1 * intervals
),
-- end
closing AS (
    SELECT a.curve AS run, a.points, a.best, a.early, e.last.v AS last, {'path': e.last.p, 'line': e.last.l} AS spot
    FROM audited AS a
    JOIN ends AS e ON e.run = a.curve
    WHERE a.metric = 'val/loss'
)
-- with spikes:
SELECT
    CASE WHEN late THEN 'warning' ELSE 'info' END AS severity, 'spike' AS kind, name AS run,
    'run ' || name || ' has a spike in ' || metric || ' at step ' || peak_step || ': ' || printf('%.4f', high) || ', ' || printf('%.4f', rise)
        || ' above its neighbours' || CASE WHEN spikes > 1 THEN ', and ' || (spikes - 1) || ' more' ELSE '' END AS text,
    path AS source, line
FROM highest WHERE late OR runs <= 6
UNION ALL
SELECT 'info', 'spike', NULL,
    any_value(runs) || ' runs have spikes in ' || metric || ', the highest that of ' || arg_max(name || ' at step ' || peak_step, (rise, name)),
    NULL, NULL
FROM highest WHERE NOT late AND runs > 6 GROUP BY metric
UNION ALL
-- end
SELECT 'warning' AS severity, 'diverged' AS kind, r.name AS run,
    'run ' || r.name || ' ends ' || printf('%.4f', last - best) || ' above its best validation loss: it diverged or overfitted' AS text,
    spot.path AS source, spot.line AS line
FROM closing JOIN runs AS r USING (run) WHERE points >= 4 AND isfinite(last) AND last - best > 0.05 * abs(best)
UNION ALL
SELECT 'info', 'plateau', r.name,
    'run ' || r.name || CASE WHEN early - best < 0.00005 THEN ' did not improve' ELSE ' improved by only ' || printf('%.4f', early - best) END
    || ' over the last 40 % of its evaluations', spot.path, spot.line
FROM closing JOIN runs AS r USING (run) WHERE points >= 10 AND early - best < 0.002 * abs(best)
    AND NOT (isfinite(last) AND last - best > 0.05 * abs(best)) -- said above
-- with slow parts:
UNION ALL
SELECT 'warning', 'throughput_drop', name,
    'run ' || name || ' slows down after step ' || from_step || ': much of it takes far longer a step than its fast part', path, line
FROM slow WHERE runs <= 6
UNION ALL
-- at one step it is the program that changes something, a batch or a window
SELECT 'warning', 'throughput_drop', NULL,
    any_value(runs) || ' runs slow down after step ' || from_step || ', of which much takes far longer a step than their fast part: '
    || list_aggregate(list(name ORDER BY name)[1:3], 'string_agg', ', ') || ' ...', min(path), arg_min(line, path)
FROM slow WHERE runs > 6 GROUP BY from_step
-- end
ORDER BY ALL
