"""Long curves lie as they were printed: one row a line, one column a metric, behind the same views as all other points.

A table `wide_N` holds the lines whose metrics are the same set. `raw_points` shows their numbers one by one, beside those of
the table `raw_values`; `raw_lines` shows every line once, for what is asked of lines and not of metrics.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ngt_report.store import Store
    from ngt_report.waist import Bulk

MOST_TABLES = 32
LINE = "source BIGINT, trial INTEGER, segment INTEGER, step BIGINT, elapsed_s DOUBLE, tokens BIGINT, line BIGINT"
POINTS = (
    "SELECT source, trial, segment, step, {metric} AS metric, {value} AS value, {decimals} AS decimals, elapsed_s, tokens, line,"
    " {pointer} AS pointer FROM {table}"
)
LINES = "SELECT source, trial, segment, step, elapsed_s, tokens, line, {train} AS trained, {val} AS evaluated FROM {table}"
# how arrays become columns; DuckDB takes NaN in an array for NULL, which is right for a time and wrong for a value
FORM = {
    "source": "source", "trial": "trial", "segment": "segment", "line": "line",
    "step": "nullif(step, -9223372036854775808)",
    "tokens": "CASE WHEN tokens >= 0 THEN tokens END",
    "elapsed_s": "CASE WHEN NOT isnan(elapsed_s) THEN elapsed_s END",
    "m": "coalesce({}, 'NaN'::DOUBLE)",
    "d": "CASE WHEN {0} > -100 THEN {0} END",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """A wide table: its name, its metrics in the order of their columns, and whether decimals as printed are kept."""

    name: str
    metrics: tuple[str, ...]
    printed: bool

    def points(self) -> list[str]:
        """One query a metric, in the form of raw_points."""
        texts = []
        for i, metric in enumerate(self.metrics):
            own = {"metric": literal(metric), "value": f"m{i}", "decimals": f"d{i}" if self.printed else "NULL::TINYINT"}
            texts.append(POINTS.format(**own, pointer="NULL::VARCHAR", table=self.name) + f" WHERE m{i} IS NOT NULL")
        return texts

    def lines(self) -> str:
        """A query in the form of raw_lines."""
        had = {m: f"m{i} IS NOT NULL" for i, m in enumerate(self.metrics)}
        return LINES.format(train=had.get("train/loss", "false"), val=had.get("val/loss", "false"), table=self.name)


class Wide:
    """The wide tables of a database."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @cached_property
    def tables(self) -> dict[tuple[tuple[str, ...], bool], Table]:
        """By metrics and whether decimals are kept."""
        rows = self.store.run("SELECT name, metrics, printed FROM wide_tables ORDER BY name")
        tables = [Table(name, tuple(json.loads(metrics)), printed) for name, metrics, printed in rows]
        return {(table.metrics, table.printed): table for table in tables}

    def table(self, metrics: Sequence[str], printed: bool) -> Table | None:
        """The table of these metrics, made when it is not there; None when there are too many."""
        key = (tuple(sorted(metrics)), printed)
        if key not in self.tables:
            if len(self.tables) == MOST_TABLES:
                return None
            made = Table(f"wide_{len(self.tables) + 1}", *key)
            columns = [f"m{i} DOUBLE" + (f", d{i} TINYINT" if printed else "") for i in range(len(made.metrics))]
            self.store.run(f"CREATE TABLE {made.name} ({LINE}, {', '.join(columns)})")
            self.store.run("INSERT INTO wide_tables VALUES (?, ?, ?)", [made.name, json.dumps(made.metrics), printed])
            self.tables[key] = made
            self.views()
        return self.tables[key]

    def views(self) -> None:
        """Make raw_points and raw_lines anew over all tables; the few lines that a long log grew by come after it."""
        points = [text for table in self.tables.values() for text in table.points()]
        lines = [table.lines() for table in self.tables.values()]
        points.append(POINTS.format(metric="metric", value="value", decimals="decimals", pointer="pointer", table="raw_values"))
        lines.append(LINES.format(train="metric = 'train/loss'", val="metric = 'val/loss'", table="raw_values"))
        self.store.run(f"CREATE OR REPLACE VIEW raw_points AS {' UNION ALL '.join(points)}")
        self.store.run(f"CREATE OR REPLACE VIEW raw_lines AS {' UNION ALL '.join(lines)}")

    def insert(self, table: Table, columns: dict[str, Any]) -> None:
        """Insert lines given as arrays: those of LINE, then each metric's values and decimals."""
        self.store.con.register("incoming", columns)
        try:
            shown = [FORM.get(n) or FORM.get(n[0], "{}").format(n) for n in columns]
            self.store.run(f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT {', '.join(shown)} FROM incoming")
        finally:
            self.store.con.unregister("incoming")

    def read_events(self, files: Sequence[tuple[int, str, Bulk]]) -> bool:
        """Let DuckDB read healthy event logs of the same metrics; whether every line arrived. Lines are numbered as they stream by."""
        keys = files[0][2].metrics
        table = self.table(list(keys.values()), False)
        if table is None:
            return False
        column = {metric: key for key, metric in keys.items()}
        metrics = [identifier(column[m]) for m in table.metrics]
        types = {"segment": "INTEGER", "step": "BIGINT", "tokens": "BIGINT", "elapsed_s": "DOUBLE", **dict.fromkeys(keys, "DOUBLE")}
        before, offsets = 0, []
        for _, _, bulk in files:
            offsets.append(before)
            before += bulk.lines
        columns = ", ".join(f"{identifier(k)}: '{t}'" for k, t in types.items())
        self.store.run(
            f"""
            INSERT INTO {table.name}
            SELECT
                list_extract(?::BIGINT[], file_index::BIGINT + 1), 0, coalesce(segment, 0), step, elapsed_s, tokens,
                "#" - list_extract(?::BIGINT[], file_index::BIGINT + 1), {", ".join(metrics)}
            FROM (
                SELECT *, file_index, row_number() OVER () AS "#"
                FROM read_ndjson(?::VARCHAR[], columns = {{{columns}}}, maximum_object_size = 16777216)
            )
            WHERE coalesce({", ".join(metrics)}) IS NOT NULL
            """,
            [[source for source, _, _ in files], offsets, [path for _, path, _ in files]],
        )
        return self._arrived(table, files)

    def _arrived(self, table: Table, files: Sequence[tuple[int, str, Bulk]]) -> bool:
        """Whether each file gave as many rows as its text has data lines, none numbered beyond its end."""
        wanted = {source: (bulk.rows, bulk.lines) for source, _, bulk in files}
        rows = self.store.run(
            f"SELECT source, count(*), min(line), max(line) FROM {table.name} WHERE source IN (SELECT unnest(?::BIGINT[])) GROUP BY source",
            [list(wanted)],
        )
        good = [source for source, count, first, last in rows if count == wanted[source][0] and first > 0 and last <= wanted[source][1]]
        return len(good) == len(wanted)


def identifier(name: str) -> str:
    """A name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"
