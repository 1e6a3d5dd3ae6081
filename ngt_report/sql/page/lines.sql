-- title: the text of every line that a number of the page may cite
-- grain: source, line
SELECT s.path, l.line, any_value(l.text) AS text
FROM lines AS l
JOIN sources AS s ON s.id = l.source
GROUP BY s.path, l.line
ORDER BY s.path, l.line
