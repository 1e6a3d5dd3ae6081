-- validation losses of one run and step on which its sources, or two lines of one source, do not agree; closing losses within a source
-- when: restated
WITH
pairs AS (
    SELECT
        stated.run, metric, step, min(value) AS low, max(value) AS high, min(coalesce(decimals, 9)) AS places, max(coalesce(decimals, 9)) AS most_places,
        arg_min({'path': s.path, 'line': line}, (value, s.path)) AS low_at, arg_max({'path': s.path, 'line': line}, (value, s.path)) AS high_at
    FROM stated
    JOIN origins AS o ON o.run = stated.run AND NOT o.single -- a run of one source that repeats no step cannot disagree with itself
    JOIN sources AS s ON s.id = stated.source
    WHERE isfinite(value) AND (metric = 'val/loss' AND step IS NOT NULL OR metric = 'final/loss')
    GROUP BY stated.run, metric, step, CASE WHEN metric = 'final/loss' THEN stated.source END
    HAVING count(*) > 1
),
apart AS (
    SELECT *, count(*) OVER (PARTITION BY run, metric) AS steps FROM pairs
    WHERE high - low > 0.5000001 * (pow(10, -places) + pow(10, -most_places)) + 1e-6 * greatest(1, abs(low)) -- one may be a float32
)
SELECT
    CASE WHEN metric = 'val/loss' THEN 'error' ELSE 'warning' END AS severity, 'contradiction' AS kind, r.name AS run,
    'run ' || r.name || ' has two ' || CASE WHEN metric = 'val/loss' THEN 'validation losses at step ' || step ELSE 'closing losses' END
        || ': ' || printf('%.6g', low) || ' (' || low_at.path || coalesce(':' || low_at.line, '')
        || ') and ' || printf('%.6g', high) || ' (' || high_at.path || coalesce(':' || high_at.line, '') || ')'
        || CASE WHEN metric = 'final/loss' THEN '; the later is shown' WHEN steps > 1 THEN '; ' || (steps - 1) || ' more steps disagree' ELSE '' END
        || CASE WHEN metric = 'val/loss' AND steps > 2 AND low_at.path = high_at.path AND low_at.line <> high_at.line
            THEN ': it may hold two models side by side, of which the later line of a step is shown as this run' ELSE '' END AS text,
    high_at.path AS source, high_at.line AS line
FROM apart
JOIN runs AS r USING (run)
QUALIFY row_number() OVER (PARTITION BY run, metric ORDER BY step) = 1
ORDER BY r.name, metric DESC
