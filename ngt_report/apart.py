"""Questions about all points, asked of large new tables one metric at a time.

The view of all points is a union, after which nothing is known of its order: what compares each point with the one before would put all
of them in memory. In a new report, what lies in one table alone is asked of that table, and everything else of a union of the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from ngt_report.tailor import headers
from ngt_report.wide import SHORT_POINTS, Table

if TYPE_CHECKING:
    from ngt_report.store import Store

LEAST_LINES = 1 << 16  # of a table; below, a statement more costs more than it saves
MOST_ALONE = 8  # statements about one metric of one table
MOST_LEFT_OUT = 100  # sources
FRESH = "raw_points SEMI JOIN fresh USING (source)"  # in a new report all sources are fresh
Key = tuple[int, str]  # source and metric


class Alone(NamedTuple):
    """The points of one metric in one table, but for a few sources that have some of them elsewhere, too."""

    table: Table
    metric: str
    left_out: list[int]

    def text(self) -> str:
        """The query for them, in brackets."""
        points = f"({self.table.points(self.metric)})"
        return f"(FROM {points} WHERE source NOT IN ({', '.join(map(str, self.left_out))}))" if self.left_out else points


def statements(store: Store, text: str) -> Iterator[str]:
    """The statements that together answer a question about all points of the metrics that its header names."""
    large = [table for table, lines in store.wide.loaded.items() if sum(lines.values()) >= LEAST_LINES] if store.new else []
    said = dict(headers(text)).get("asks")
    patterns = said.split(" | ") if large and said else []

    def asked(metrics: Iterable[str]) -> list[str]:
        return [m for m in metrics if any(fnmatchcase(m, p) for p in patterns)]

    alone, rest = _parts(store, large, asked)
    if not alone:
        yield text
        return
    for part in alone:
        yield of_other_points(text, part.text())
    if rest:
        keys = sorted(rest)
        columns = [[source for source, _ in keys], [metric for _, metric in keys]]
        store.run("CREATE OR REPLACE TEMP TABLE rest AS SELECT unnest(?::BIGINT[]) AS source, unnest(?::VARCHAR[]) AS metric", columns)
        held = [t.points(m) for t, lines in store.wide.loaded.items() for m in asked(t.metrics) if any((s, m) in rest for s in lines)]
        yield of_other_points(text, f"({' UNION ALL '.join([*held, SHORT_POINTS])}) SEMI JOIN rest USING (source, metric)")


def of_other_points(text: str, points: str) -> str:
    """The same question, of these points."""
    if text.count(FRESH) != 1:
        raise ValueError(f"a statement of the points of fresh sources reads `{FRESH}` once: {text[:80]!r}")
    return text.replace(FRESH, points)


def _parts(store: Store, large: list[Table], asked: Callable[[Iterable[str]], list[str]]) -> tuple[list[Alone], set[Key]]:
    """What can be asked alone, and what cannot."""
    if not large:
        return [], set()
    places: dict[Key, Table] = {}
    rest = {(source, metric) for source, found in store.run("SELECT DISTINCT source, metric FROM raw_values") for metric in asked([found])}
    for table, lines in store.wide.loaded.items():
        keys = [(source, metric) for metric in asked(table.metrics) for source in lines]
        rest.update(key for key in keys if table not in large or places.setdefault(key, table) is not table)
    alone: list[Alone] = []
    for table in large:
        sources = store.wide.loaded[table]
        for metric in asked(table.metrics):
            left_out = [source for source in sources if (source, metric) in rest]
            if len(left_out) <= min(MOST_LEFT_OUT, len(sources) // 2) and len(alone) < MOST_ALONE:
                alone.append(Alone(table, metric, left_out))
            else:
                rest.update((source, metric) for source in sources)
    return alone, rest
