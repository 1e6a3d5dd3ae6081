"""Long curves lie as they were printed: one row a line, one column a metric, behind the same views as all other points.

A table `wide_N` holds the lines whose metrics are the same set. `raw_points` shows their numbers one by one, beside those of
the table `raw_values`; `raw_lines` shows every line once, for what is asked of lines and not of metrics.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from msgspec import Struct

if TYPE_CHECKING:
    from ngt_report.store import Store
    from ngt_report.waist import Bulk

MOST_TABLES = 32
FEW_TABLES = 16  # as many may leave out what is the same on all their lines
# columns of lines that run on for long: DuckDB need not look for a better way to store them
RUNS = "USING COMPRESSION rle"
LINE = {
    "source": f"BIGINT {RUNS}", "trial": f"INTEGER {RUNS}", "segment": f"INTEGER {RUNS}", "step": "BIGINT", "elapsed_s": "DOUBLE",
    "tokens": "BIGINT", "line": "BIGINT",
}  # fmt: skip
# what a table without these columns shows instead
ABSENT = {"trial": "0", "segment": "0", "elapsed_s": "NULL::DOUBLE", "tokens": "NULL::BIGINT"}
POINTS = (
    "SELECT source, {trial} AS trial, {segment} AS segment, step, {metric} AS metric, {value} AS value, {decimals} AS decimals,"
    " {elapsed_s} AS elapsed_s, {tokens} AS tokens, line, {pointer} AS pointer FROM {table}"
)
LINES = (
    "SELECT source, {trial} AS trial, {segment} AS segment, step, {elapsed_s} AS elapsed_s, {tokens} AS tokens, line,"
    " {train} AS trained, {val} AS evaluated, {rate} AS tokens_per_s FROM {table}"
)
WHOLE = {name: name for name in ABSENT}
SHORT_POINTS = POINTS.format(**WHOLE, metric="metric", value="value", decimals="decimals", pointer="pointer", table="raw_values")
RATE = "tokens_per_s"
SHORT = {"train": "metric = 'train/loss'", "val": "metric = 'val/loss'", "rate": f"CASE WHEN metric = '{RATE}' THEN value END"}
SHORT_LINES = LINES.format(**WHOLE, **SHORT, table="raw_values")
# how arrays become columns where something is unknown; DuckDB takes NaN in an array for NULL, which is right for a time, not for a value
UNKNOWN = {
    "step": "nullif({0}, -9223372036854775808)",
    "tokens": "CASE WHEN {0} >= 0 THEN {0} END",
    "d": "CASE WHEN {0} > -100 THEN {0} END",
}
NOT_A_NUMBER = {"elapsed_s": "CASE WHEN NOT isnan({0}) THEN {0} END", "m": "coalesce({0}, 'NaN'::DOUBLE)"}
Decimals = int | Literal["each"] | None  # the same on all lines, in a column, or unknown


class Layout(NamedTuple):
    """What the lines of a table have in common: their metrics, the decimals of each, and the columns that they have beside them."""

    metrics: tuple[str, ...]
    decimals: tuple[Decimals, ...]
    columns: tuple[str, ...]  # of ABSENT

    def loose(self) -> Layout:
        """The layout that takes all lines with these metrics."""
        return Layout(self.metrics, tuple(None if d is None else "each" for d in self.decimals), tuple(ABSENT))


class Table(Struct, frozen=True):
    """A wide table: its name, and the layout of its lines; their metrics stand in the order of their columns."""

    name: str
    layout: Layout

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics of its lines."""
        return self.layout.metrics

    def points(self, metric: str) -> str:
        """A query for the points of a metric, in the form of raw_points."""
        i = self.metrics.index(metric)
        places = self.layout.decimals[i]
        decimals = f"d{i}" if places == "each" else f"{'NULL' if places is None else places}::TINYINT"
        own = {"metric": literal(metric), "value": f"m{i}", "decimals": decimals, "pointer": "NULL::VARCHAR", "table": self.name}
        return POINTS.format(**own, **self._shown()) + f" WHERE m{i} IS NOT NULL"

    def lines(self) -> str:
        """A query in the form of raw_lines."""
        had = {m: f"m{i} IS NOT NULL" for i, m in enumerate(self.metrics)}
        rate = f"m{self.metrics.index(RATE)}" if RATE in self.metrics else "NULL::DOUBLE"
        shown = {"train": had.get("train/loss", "false"), "val": had.get("val/loss", "false"), "rate": rate, **self._shown()}
        return LINES.format(**shown, table=self.name)

    def create(self) -> str:
        """The statement that makes it."""
        columns = [f"{name} {kind}" for name, kind in LINE.items() if name not in ABSENT or name in self.layout.columns]
        for i, places in enumerate(self.layout.decimals):
            columns += [f"m{i} DOUBLE", *([f"d{i} TINYINT"] if places == "each" else [])]
        return f"CREATE TABLE {self.name} ({', '.join(columns)})"

    def _shown(self) -> dict[str, str]:
        return {name: name if name in self.layout.columns else absent for name, absent in ABSENT.items()}


class Wide:
    """The wide tables of a database."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.loaded: dict[Table, dict[int, int]] = {}  # in this build: lines by table and source

    @cached_property
    def tables(self) -> dict[Layout, Table]:
        """By the layout of their lines."""
        rows = self.store.run("SELECT name, layout FROM wide_tables ORDER BY len(name), name")
        tables = [Table(name, Layout(*map(tuple, json.loads(layout)))) for name, layout in rows]
        return {table.layout: table for table in tables}

    def table(self, layout: Layout) -> Table | None:
        """The table for lines of this layout, made when it is not there; None when there are too many."""
        if layout not in self.tables and len(self.tables) >= FEW_TABLES:
            layout = layout.loose()
        if layout not in self.tables:
            if len(self.tables) == MOST_TABLES:
                return None
            made = Table(f"wide_{len(self.tables) + 1}", layout)
            self.store.run(made.create())
            self.store.run("INSERT INTO wide_tables VALUES (?, ?)", [made.name, json.dumps(layout)])
            self.tables[layout] = made
            self.views()
        return self.tables[layout]

    def views(self) -> None:
        """Make raw_points and raw_lines anew over all tables; the few lines that a long log grew by come after it."""
        points = [table.points(metric) for table in self.tables.values() for metric in table.metrics]
        lines = [table.lines() for table in self.tables.values()]
        points.append(SHORT_POINTS)
        lines.append(SHORT_LINES)
        self.store.run(f"CREATE OR REPLACE VIEW raw_points AS {' UNION ALL '.join(points)}")
        self.store.run(f"CREATE OR REPLACE VIEW raw_lines AS {' UNION ALL '.join(lines)}")

    def insert(self, table: Table, columns: dict[str, Any]) -> None:
        """Insert lines given as arrays: those of LINE that the table has, then each metric's values and decimals."""
        self.store.con.register("incoming", columns)
        try:
            shown = [_form(name, column) for name, column in columns.items()]
            self.store.run(f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT {', '.join(shown)} FROM incoming")
        finally:
            self.store.con.unregister("incoming")

    def read_events(self, files: Sequence[tuple[int, str, Bulk]]) -> bool:
        """Let DuckDB read healthy event logs of the same metrics; whether every line arrived. Lines are numbered as they stream by."""
        keys = files[0][2].metrics
        in_order = tuple(sorted(keys.values()))
        table = self.table(Layout(in_order, (None,) * len(in_order), ("segment", "elapsed_s", "tokens")))
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
            INSERT INTO {table.name} BY NAME
            SELECT
                list_extract(?::BIGINT[], file_index::BIGINT + 1) AS source, coalesce(segment, 0) AS segment, step, elapsed_s, tokens,
                "#" - list_extract(?::BIGINT[], file_index::BIGINT + 1) AS line, {", ".join(f"{m} AS m{i}" for i, m in enumerate(metrics))}
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
        if len(good) < len(wanted):
            return False
        for source, count, _, _ in rows:
            self.note(table, source, count)
        return True

    def note(self, table: Table, source: int, lines: int) -> None:
        """Remember that so many lines of a source lie in a table."""
        sources = self.loaded.setdefault(table, {})
        sources[source] = sources.get(source, 0) + lines


def _form(name: str, column: Any) -> str:
    """How an array becomes a column of a wide table."""
    forms, unknown = (NOT_A_NUMBER, column != column) if column.dtype.kind == "f" else (UNKNOWN, column < 0)
    form = forms.get(name) or forms.get(name[0])
    return form.format(name) if form and unknown.any() else name


def identifier(name: str) -> str:
    """A name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"
