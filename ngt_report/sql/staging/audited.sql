-- title: what the audit of curves has to look at, in words
-- grain: one row
SELECT
    coalesce(bool_or(a.odd_clock), false) AS "odd clocks",
    coalesce(bool_or(a.spikes > 0), false)
        -- with long audits:
        OR (SELECT bool_or(spikes > 0) FROM long_audits)
        -- end
        AS "spikes",
    coalesce(bool_or(a.slow >= 3), false)
        -- with long audits:
        OR (SELECT bool_or(slow >= 3) FROM long_audits)
        -- end
        AS "slow parts",
    coalesce(bool_or(
        a.spikes > 0 OR a.slow >= 3 OR e.last.v - a.best > 0.05 * abs(a.best) OR a.points >= 10 AND a.early - a.best < 0.002 * abs(a.best)
    ), false) AS "odd shapes"
FROM audits AS a
LEFT JOIN ends AS e ON e.run = a.curve
