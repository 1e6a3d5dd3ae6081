-- on how many steps two trials both have a validation loss, and on how many of them they agree at the coarser decimals
SELECT
    count(*),
    count(*) FILTER (
        abs(a.value - b.value) <= greatest(
            0.5000001 * pow(10, -least(coalesce(a.decimals, 9), coalesce(b.decimals, 9))),
            1e-6 * greatest(1, abs(a.value)) -- one of them may be a float32
        )
    )
FROM raw_points AS a
JOIN raw_points AS b ON b.step = a.step AND b.metric IN ('val/loss', 'eval_loss')
WHERE a.metric IN ('val/loss', 'eval_loss') AND isfinite(a.value) AND isfinite(b.value)
    AND a.source = ? AND a.trial = ? AND b.source = ? AND b.trial = ?
