"""The database: one file, opened by one writer, loaded once per content, appended where a log only grew.

Works with DuckDB 1.5.6 and 2.x: every result is drained, the storage format is v1.5.0, the file is attached to an
in-memory connection. One build is one transaction, so a killed build leaves the database of the build before it.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterable, Sequence
from importlib.resources import files as resource_files
from typing import TYPE_CHECKING, Any

from ngt_report.errors import ReportError
from ngt_report.waist import Block, Reading

if TYPE_CHECKING:
    import duckdb

UNKNOWN_STEP = -(2**63)
MANY_ROWS = 20_000  # from here on, columns travel as numpy arrays
FLUSH_ROWS = 400_000
LOCK_WAIT = 3.0  # seconds that a second build waits
SCHEMA_VERSION = "1"

INSERT_POINTS = """
INSERT INTO raw_points
SELECT source, trial, segment, nullif(step, -9223372036854775808), list_extract(?::VARCHAR[], metric), coalesce(value, 'nan'::DOUBLE),
    CASE WHEN decimals > -100 THEN decimals END, CASE WHEN NOT isnan(elapsed) THEN elapsed END,
    CASE WHEN tokens >= 0 THEN tokens END, CASE WHEN line > 0 THEN line END, CASE WHEN pointer > 0 THEN list_extract(?::VARCHAR[], pointer) END
FROM {incoming}
"""
COLUMNS = (
    ("source", "BIGINT"), ("trial", "INTEGER"), ("segment", "INTEGER"), ("step", "BIGINT"), ("metric", "INTEGER"), ("value", "DOUBLE"),
    ("decimals", "INTEGER"), ("elapsed", "DOUBLE"), ("tokens", "BIGINT"), ("line", "BIGINT"), ("pointer", "INTEGER"),
)  # fmt: skip


def source_id(path: str) -> int:
    """A stable key of a source's path: 63 bits."""
    return int.from_bytes(hashlib.blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "big") >> 1


def sql(name: str) -> str:
    """The text of a .sql file of this package."""
    return resource_files("ngt_report").joinpath("sql", name).read_text(encoding="utf-8")


class PointBuffer:
    """Blocks that wait for the database, flushed as columns."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.blocks: list[tuple[int, Block]] = []
        self.rows = 0

    def add(self, source: int, block: Block) -> None:
        self.blocks.append((source, block))
        self.rows += len(block.step) * max(1, len(block.columns))
        if self.rows >= FLUSH_ROWS:
            self.flush()

    def flush(self) -> None:
        if self.rows:
            names: dict[str, int] = {}
            pointers: dict[str, int] = {}
            columns = (self._arrays if self.rows >= MANY_ROWS else self._lists)(names, pointers)
            self.store.insert_points(columns, list(names), list(pointers))
        self.blocks, self.rows = [], 0

    def _pieces(self, names: dict[str, int], pointers: dict[str, int]) -> Iterable[tuple[int, dict[str, Any]]]:
        """Per block and metric: the number of rows, and each column as a sequence or a constant."""
        for source, block in self.blocks:
            shared = {
                "source": source, "trial": block.trial, "segment": block.segment,
                "step": [UNKNOWN_STEP if s is None else s for s in block.step] if None in block.step else block.step,
                "elapsed": float("nan") if block.elapsed is None else [float("nan") if e is None else e for e in block.elapsed],
                "tokens": -1 if block.tokens is None else [-1 if t is None else t for t in block.tokens],
                "line": 0 if block.line is None else block.line,
                "pointer": 0 if block.pointer is None else [pointers.setdefault(p, len(pointers) + 1) for p in block.pointer],
            }  # fmt: skip
            columns: dict[str, tuple[Any, Any]] = {name: (c.values, c.decimals) for name, c in block.columns.items()}
            if not columns and block.elapsed is not None:
                columns["elapsed_s"] = (shared["elapsed"], None)
            for name, (values, decimals) in columns.items():
                if not isinstance(decimals, int):
                    decimals = -128 if decimals is None else [-128 if d is None else d for d in decimals]
                metric = names.setdefault(name, len(names) + 1)
                yield len(block.step), {**shared, "metric": metric, "value": values, "decimals": decimals}

    def _lists(self, names: dict[str, int], pointers: dict[str, int]) -> dict[str, Any]:
        out: dict[str, list[Any]] = {name: [] for name, _ in COLUMNS}
        for rows, piece in self._pieces(names, pointers):
            for name, column in out.items():
                value = piece[name]
                column.extend([value] * rows if isinstance(value, int | float) else value)
        return out

    def _arrays(self, names: dict[str, int], pointers: dict[str, int]) -> dict[str, Any]:
        import numpy as np

        types = {"BIGINT": np.int64, "INTEGER": np.int32, "DOUBLE": np.float64}
        seen: dict[int, Any] = {}  # a step column serves every metric of its block
        pieces: dict[str, list[Any]] = {name: [] for name, _ in COLUMNS}
        held = []
        for rows, piece in self._pieces(names, pointers):
            held.append(piece)  # keeps ids apart while `seen` holds them
            for name, kind in COLUMNS:
                value = piece[name]
                if isinstance(value, int | float):
                    pieces[name].append(np.full(rows, value, types[kind]))
                    continue
                if id(value) not in seen:
                    seen[id(value)] = np.asarray(value if isinstance(value, list) else list(value), types[kind])
                pieces[name].append(seen[id(value)])
        return {name: np.concatenate(parts) for name, parts in pieces.items()}


RAW = {
    "raw_trials": "source BIGINT, trial INTEGER, kind VARCHAR, name VARCHAR, line BIGINT, shared BOOLEAN",
    "raw_segments": "source BIGINT, trial INTEGER, segment INTEGER, start_step BIGINT, line BIGINT, clock VARCHAR, reset_line BIGINT",
    "raw_facts": "source BIGINT, trial INTEGER, key VARCHAR, value VARCHAR, line BIGINT, pointer VARCHAR",
    "raw_findings": "source BIGINT, severity VARCHAR, kind VARCHAR, trial INTEGER, text VARCHAR, line BIGINT",
    "sources": (
        "id BIGINT, path VARCHAR, format VARCHAR, reason VARCHAR, precedence TINYINT, parser_version INTEGER, size BIGINT, mtime_ns BIGINT,"
        " fingerprint VARCHAR, fingerprint_kind VARCHAR, bytes_read BIGINT, lines_read BIGINT, lines_used BIGINT, lines_ignored BIGINT,"
        " lines_bad BIGINT, lines_pending BIGINT, ignored VARCHAR, bad VARCHAR, status VARCHAR, state VARCHAR"
    ),
}  # table -> columns, for rows that wait and are inserted together


class Store:
    """An open report database."""

    def __init__(self, path: str, read_only: bool = False, threads: int | None = None) -> None:
        self.path = path
        self.con = _open(path, read_only, threads)
        self.buffer = PointBuffer(self)
        self.waiting: dict[str, list[tuple[Any, ...]]] = {table: [] for table in RAW}
        if not read_only:
            self.script("schema.sql")

    # -- talking to DuckDB ----------------------------------------------------------------------------------------
    def run(self, text: str, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Execute one statement and drain its result."""
        result = self.con.execute(text, parameters) if parameters is not None else self.con.execute(text)
        return result.fetchall() if result.description else []

    def rows(self, text: str, parameters: Sequence[Any] | None = None) -> list[dict[str, Any]]:
        """A query's rows as dictionaries."""
        result = self.con.execute(text, parameters) if parameters is not None else self.con.execute(text)
        names = [d[0] for d in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def script(self, name: str) -> None:
        """Run the statements of a .sql file, one after the other."""
        for statement in statements(sql(name)):
            self.run(statement)

    def close(self) -> None:
        """Close the database file; everything is on disk."""
        self.con.close()

    # -- loading --------------------------------------------------------------------------------------------------
    def forget(self, source: int) -> None:
        """Remove everything that a source said."""
        for table in ("raw_trials", "raw_points", "raw_segments", "raw_facts", "raw_findings", "lines"):
            self.run(f"DELETE FROM {table} WHERE source = ?", [source])
        self.run("DELETE FROM sources WHERE id = ?", [source])

    def insert(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows as columns in one statement; `columns` is 'name TYPE, name TYPE'."""
        if not rows:
            return
        kinds = [c.split() for c in columns.split(", ")]
        lists = ", ".join(f"unnest(?::{kind}[])" for _, kind in kinds)
        names = ", ".join(f'"{name}"' for name, _ in kinds)
        self.run(f"INSERT INTO {table} ({names}) SELECT {lists}", [list(column) for column in zip(*rows, strict=True)])

    def insert_points(self, columns: dict[str, Any], metrics: list[str], pointers: list[str]) -> None:
        """Insert a batch of points, given as one list or array per column."""
        if isinstance(columns["step"], list):
            unnests = ", ".join(f"unnest(?::{kind}[]) AS {name}" for name, kind in COLUMNS)
            text = INSERT_POINTS.format(incoming=f"(SELECT {unnests})")
            self.run(text, [metrics, pointers, *columns.values()])
            return
        self.con.register("incoming", columns)
        try:
            self.run(INSERT_POINTS.format(incoming="incoming"), [metrics, pointers])
        finally:
            self.con.unregister("incoming")

    def add_reading(self, source: int, reading: Reading) -> None:
        """Put what one file said into the raw tables; points wait in the buffer."""
        for block in reading.blocks:
            self.buffer.add(source, block)
        wait = self.waiting
        wait["raw_trials"] += [(source, t.index, t.kind, t.name, t.line, t.shared) for t in reading.trials]
        wait["raw_segments"] += [(source, s.trial, s.index, s.start_step, s.line, s.clock, s.reset_line) for s in reading.segments]
        wait["raw_facts"] += [(source, f.trial, f.key, to_json(f.value), f.line, f.pointer) for f in reading.facts]
        wait["raw_findings"] += [(source, f.severity, f.kind, f.trial, f.text, f.line) for f in reading.findings]

    def flush(self) -> None:
        """Insert everything that waits."""
        self.buffer.flush()
        for table, rows in self.waiting.items():
            self.insert(table, RAW[table], rows)
            rows.clear()

    def bulk_events(self, source: int, path: str, metrics: Sequence[str]) -> int:
        """Let DuckDB read a healthy event log; returns the number of points. Lines are numbered as they stream by."""
        fixed = {"kind": "VARCHAR", "segment": "INTEGER", "step": "BIGINT", "tokens": "BIGINT", "elapsed_s": "DOUBLE"}
        columns = ", ".join(f"{quoted(name)}: '{kind}'" for name, kind in [*fixed.items(), *((m, "DOUBLE") for m in metrics)])
        found = self.run(
            f"""
            INSERT INTO raw_points
            SELECT {source}, 0, segment, step, metric, value, NULL, elapsed_s, tokens, line, NULL
            FROM (
                SELECT *, row_number() OVER () AS line
                FROM read_ndjson(?, columns = {{{columns}}}, maximum_object_size = 16777216)
            ) UNPIVOT (value FOR metric IN ({", ".join(quoted(m) for m in metrics)}))
            WHERE kind IN ('train', 'eval')
            """,
            [path],
        )
        return int(found[0][0])


def quoted(name: str) -> str:
    """An identifier, quoted."""
    return '"' + name.replace('"', '""') + '"'


def to_json(value: Any) -> str:
    """Compact JSON; NaN and infinity become null."""
    return json.dumps(finite(value), ensure_ascii=False, separators=(",", ":"), default=str)


def finite(value: Any) -> Any:
    """The value with NaN and infinity replaced by None, at any depth."""
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, dict):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    return value


def statements(text: str) -> list[str]:
    """The statements of a script; semicolons end lines in our files."""
    bare = re.sub(r"(?m)--.*$", "", text)
    return [s for part in re.split(r";\s*(?:\n|$)", bare) if (s := part.strip())]


def _open(path: str, read_only: bool, threads: int | None) -> duckdb.DuckDBPyConnection:
    """Attach the file; another process that holds it is waited for a moment, then named."""
    import duckdb

    con = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    if threads:
        con.execute(f"SET threads = {int(threads)}").fetchall()
    con.execute("SET preserve_insertion_order = true").fetchall()
    options = "READ_ONLY" if read_only else "STORAGE_VERSION 'v1.5.0'"
    deadline = time.monotonic() + LOCK_WAIT
    while True:
        try:
            con.execute(f"ATTACH '{path.replace(chr(39), chr(39) * 2)}' AS report ({options})").fetchall()
            con.execute("USE report").fetchall()
            return con
        except duckdb.IOException as e:
            holder = re.search(r"\(PID (\d+)\)", str(e))
            if "lock" not in str(e).lower():
                raise ReportError(f"{path} cannot be opened as a report database: {str(e).splitlines()[0]}") from e
            if time.monotonic() > deadline:
                who = f"process {holder[1]}" if holder else "another process"
                raise ReportError(f"{path} is held by {who}, which is building or querying it; wait for it or give -o another folder") from e
            time.sleep(0.1)
