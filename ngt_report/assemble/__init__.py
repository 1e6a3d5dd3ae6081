"""From query rows to the report model: names, orders and limits; all arithmetic stays in SQL but for counts and ratios."""
