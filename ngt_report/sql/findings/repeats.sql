-- runs of equal configuration and seed: repeats, whose spread is noise
-- when: groups
SELECT
    'info' AS severity, 'repeats' AS kind, NULL AS run,
    count(*) || ' runs repeat one configuration and seed (' || any_value(r.seed) || '): ' || string_agg(r.name, ', ' ORDER BY r.name)
        || '; their last losses span ' || printf('%.4f', max(b.last_loss) - min(b.last_loss)) AS text,
    NULL AS source, NULL::BIGINT AS line
FROM runs AS r
JOIN best_last AS b USING (run)
JOIN compared AS c USING (run)
WHERE r.seed_group IS NOT NULL AND c.budget IS NOT NULL AND r.seed IS NOT NULL AND isfinite(b.last_loss)
GROUP BY r.seed_group, r.seed
HAVING count(*) > 1
ORDER BY text
