"""Points on their way into the database: blocks wait here and go in as columns, never row by row.

Long blocks become rows of a wide table, one a line; short ones become rows of `raw_values`, one a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ngt_report.waist import Block, Column
from ngt_report.wide import ABSENT, Decimals, Layout

if TYPE_CHECKING:
    from ngt_report.store import Store
    from ngt_report.wide import Table

UNKNOWN_STEP = -(2**63)
LONG_BLOCK = 512  # lines; from here on a block goes into a wide table
MANY_ROWS = 20_000  # from here on, short blocks travel as numpy arrays
FLUSH_ROWS = 400_000
FLUSH_LINES = 120_000

# DuckDB takes NaN in an array for NULL: a value is never unknown, a time may be
INSERT_POINTS = """
INSERT INTO raw_values
SELECT source, trial, segment, nullif(step, -9223372036854775808), list_extract(?::VARCHAR[], metric), coalesce(value, 'NaN'::DOUBLE),
    CASE WHEN decimals > -100 THEN decimals END, CASE WHEN NOT isnan(elapsed) THEN elapsed END,
    CASE WHEN tokens >= 0 THEN tokens END, CASE WHEN line > 0 THEN line END,
    CASE WHEN pointer > 0 THEN list_extract(?::VARCHAR[], pointer) END
FROM {incoming}
"""
COLUMNS = (
    ("source", "BIGINT"), ("trial", "INTEGER"), ("segment", "INTEGER"), ("step", "BIGINT"), ("metric", "INTEGER"), ("value", "DOUBLE"),
    ("decimals", "INTEGER"), ("elapsed", "DOUBLE"), ("tokens", "BIGINT"), ("line", "BIGINT"), ("pointer", "INTEGER"),
)  # fmt: skip
Sourced = tuple[int, Block]


class PointBuffer:
    """Blocks that wait for the database, flushed as columns."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.short: list[Sourced] = []
        self.rows = 0
        self.long: dict[Table, list[Sourced]] = {}
        self.lines = 0

    def add(self, source: int, blocks: Sequence[Block]) -> None:
        """Take what one reading found; what has gathered goes in when it is much."""
        layouts = _layouts(blocks)
        for block in blocks:
            layout = layouts.get(_metrics(block)) if _is_long(block) else None
            table = self.store.wide.table(layout) if layout else None
            if table:
                self.long.setdefault(table, []).append((source, block))
                self.store.wide.note(table, source, len(block.step))
                self.lines += len(block.step)
            else:
                self.short.append((source, block))
                self.rows += len(block.step) * max(1, len(block.columns))
            if self.rows >= FLUSH_ROWS or self.lines >= FLUSH_LINES:
                self.flush()

    def flush(self) -> None:
        """Insert all blocks."""
        if self.rows:
            names: dict[str, int] = {}
            pointers: dict[str, int] = {}
            columns = (_arrays if self.rows >= MANY_ROWS else _lists)(self.short, names, pointers)
            self._insert(columns, list(names), list(pointers))
        for table, blocks in self.long.items():
            self.store.wide.insert(table, _lines(table, blocks))
        self.short, self.rows = [], 0
        self.long, self.lines = {}, 0

    def _insert(self, columns: dict[str, Any], metrics: list[str], pointers: list[str]) -> None:
        """Insert points given as one list or array per column."""
        if isinstance(columns["step"], list):
            unnests = ", ".join(f"unnest(?::{kind}[]) AS {name}" for name, kind in COLUMNS)
            self.store.run(INSERT_POINTS.format(incoming=f"(SELECT {unnests})"), [metrics, pointers, *columns.values()])
            return
        self.store.con.register("incoming", columns)
        try:
            self.store.run(INSERT_POINTS.format(incoming="incoming"), [metrics, pointers])
        finally:
            self.store.con.unregister("incoming")


# -- short blocks: a row a number -------------------------------------------------------------------------------------
def _pieces(blocks: list[Sourced], names: dict[str, int], pointers: dict[str, int]) -> Iterable[tuple[int, dict[str, Any]]]:
    """Per block and metric: the number of rows, and each column as a sequence or a constant."""
    for source, block in blocks:
        shared = {
            "source": source, "trial": block.trial, "segment": block.segment, "step": _known(block.step, UNKNOWN_STEP),
            "elapsed": float("nan") if block.elapsed is None else _known(block.elapsed, float("nan")),
            "tokens": -1 if block.tokens is None else _known(block.tokens, -1),
            "line": 0 if block.line is None else block.line,
            "pointer": 0 if block.pointer is None else [pointers.setdefault(p, len(pointers) + 1) for p in block.pointer],
        }  # fmt: skip
        columns: dict[str, tuple[Any, Any]] = {name: (c.values, c.decimals) for name, c in block.columns.items()}
        if not columns and block.elapsed is not None:
            columns["elapsed_s"] = (shared["elapsed"], None)
        for name, (values, decimals) in columns.items():
            metric = names.setdefault(name, len(names) + 1)
            yield len(block.step), {**shared, "metric": metric, "value": values, "decimals": _decimals(decimals)}


def _known(values: Any, unknown: Any) -> Any:
    """A column with a number for None."""
    if not isinstance(values, list | tuple):
        return values  # an array, or a range of lines: it holds numbers only
    return [unknown if v is None else v for v in values] if None in values else values


def _decimals(decimals: Any) -> Any:
    return decimals if isinstance(decimals, int) else -128 if decimals is None else [-128 if d is None else d for d in decimals]


def _lists(blocks: list[Sourced], names: dict[str, int], pointers: dict[str, int]) -> dict[str, Any]:
    out: dict[str, list[Any]] = {name: [] for name, _ in COLUMNS}
    for rows, piece in _pieces(blocks, names, pointers):
        for name, column in out.items():
            value = piece[name]
            column.extend([value] * rows if isinstance(value, int | float) else value.tolist() if hasattr(value, "tolist") else value)
    return out


def _arrays(blocks: list[Sourced], names: dict[str, int], pointers: dict[str, int]) -> dict[str, Any]:
    import numpy as np

    types = {"BIGINT": np.int64, "INTEGER": np.int32, "DOUBLE": np.float64}
    pieces: dict[str, list[Any]] = {name: [] for name, _ in COLUMNS}
    for rows, piece in _pieces(blocks, names, pointers):
        for name, kind in COLUMNS:
            value = piece[name]
            constant = isinstance(value, int | float)
            pieces[name].append(np.full(rows, value, types[kind]) if constant else np.asarray(value, types[kind]))
    return {name: np.concatenate(parts) for name, parts in pieces.items()}


# -- long blocks: a row a line ----------------------------------------------------------------------------------------
def _is_long(block: Block) -> bool:
    return len(block.step) >= LONG_BLOCK and bool(block.columns) and block.line is not None and block.pointer is None


def _metrics(block: Block) -> tuple[str, ...]:
    return tuple(sorted(block.columns))


def _layouts(blocks: Sequence[Block]) -> dict[tuple[str, ...], Layout]:
    """The layout of a reading's long blocks, by their metrics: they lie in one table, so that a curve stays in order."""
    by_metrics: dict[tuple[str, ...], list[Block]] = {}
    for block in blocks:
        if _is_long(block):
            by_metrics.setdefault(_metrics(block), []).append(block)
    return {metrics: _layout(metrics, some) for metrics, some in by_metrics.items()}


def _layout(metrics: tuple[str, ...], blocks: list[Block]) -> Layout:
    decimals: list[Decimals] = []
    for metric in metrics:
        first = blocks[0].columns[metric].decimals
        whole = first is None or isinstance(first, int)
        decimals.append(first if whole and all(b.columns[metric].decimals == first for b in blocks) else "each")  # type: ignore[arg-type]
    there = {
        "trial": any(b.trial for b in blocks), "segment": any(b.segment for b in blocks),
        "elapsed_s": any(b.elapsed is not None for b in blocks), "tokens": any(b.tokens is not None for b in blocks),
    }  # fmt: skip
    return Layout(metrics, tuple(decimals), tuple(name for name in ABSENT if there[name]))


def _lines(table: Table, blocks: list[Sourced]) -> dict[str, Any]:
    """The columns of a wide table."""
    import numpy as np

    sizes = [len(block.step) for _, block in blocks]

    def same(values: list[int], kind: Any) -> Any:
        return np.repeat(np.array(values, kind), sizes)

    def column(parts: Iterable[Sequence[Any] | None], unknown: Any, kind: Any) -> Any:
        pairs = zip(sizes, parts, strict=True)
        return np.concatenate([np.full(n, unknown, kind) if p is None else array(p, unknown, kind) for n, p in pairs])

    def array(part: Sequence[Any], unknown: Any, kind: Any) -> Any:
        if isinstance(part, range):
            return np.arange(part.start, part.stop, part.step, dtype=kind)
        try:
            return np.asarray(part, kind)  # None becomes NaN where there is NaN
        except TypeError:
            return np.asarray(_known(part, unknown), kind)

    out = {"source": same([source for source, _ in blocks], np.int64)}
    for name in ("trial", "segment"):
        if name in table.layout.columns:
            out[name] = same([getattr(block, name) for _, block in blocks], np.int32)
    out["step"] = column((block.step for _, block in blocks), UNKNOWN_STEP, np.int64)
    if "elapsed_s" in table.layout.columns:
        out["elapsed_s"] = column((block.elapsed for _, block in blocks), float("nan"), np.float64)
    if "tokens" in table.layout.columns:
        out["tokens"] = column((block.tokens for _, block in blocks), -1, np.int64)
    out["line"] = column((block.line for _, block in blocks), 0, np.int64)
    for i, (metric, decimals) in enumerate(zip(table.metrics, table.layout.decimals, strict=True)):
        columns: list[Column] = [block.columns[metric] for _, block in blocks]
        out[f"m{i}"] = column((c.values for c in columns), float("nan"), np.float64)
        if decimals == "each":
            places = [_decimals(c.decimals) for c in columns]
            parts: list[Any] = [np.full(n, p, np.int8) if isinstance(p, int) else p for p, n in zip(places, sizes, strict=True)]
            out[f"d{i}"] = column(parts, -128, np.int8)
    return out
