-- title: Time to target
-- mark: target
-- x: seconds to the first crossing
-- y: run
-- note: the target losses are in the legend; linear between evaluations
-- most: 30
-- source: fixed
SELECT
    t.run AS id, r.name AS run, t.seconds AS x, t.steps AS step, t.reached, k.place,
    printf('%.4f', t.target) || ' (' || regexp_replace(t.why, '^.*, the ([a-z ]+)$', '\1') || ')' AS target
FROM time_to_target AS t
JOIN ranking AS k ON k.run = t.run AND k.budget = t.budget
JOIN runs AS r ON r.run = t.run
WHERE t.budget = (SELECT budget FROM main_set) AND k.place <= 30
QUALIFY count(t.seconds) OVER () > 0
ORDER BY t.target DESC, k.place
