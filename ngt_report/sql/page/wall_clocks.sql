-- title: sources whose clock is wall time already
-- grain: source
SELECT DISTINCT source FROM raw_facts WHERE key = 'clock.semantics' AND value = '"wall"'
