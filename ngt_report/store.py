"""The database: one file, opened by one writer, loaded once per content, appended where a log only grew.

Works with DuckDB 1.5.6 and 2.x: every result is drained, the storage format is v1.5.0, the file is attached to an
in-memory connection. One build is one transaction, so a killed build leaves the database of the build before it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ngt_report.errors import DatabaseError, ReportError
from ngt_report.points import PointBuffer
from ngt_report.waist import Reading
from ngt_report.wide import Wide, literal

if TYPE_CHECKING:
    import duckdb

LOCK_WAIT = 3.0  # seconds that a second build waits
# a database that is only read may be anybody's: its views reach no file, no network and no setting
LOCKED = "SET enable_external_access = false; SET python_enable_replacements = false; SET lock_configuration = true"
HEADERS = 3 * 4096  # bytes of a database file in which nothing was ever stored
SCHEMA_VERSION = "11"
SQL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sql")


def source_id(path: str) -> int:
    """A stable key of a source's path: 63 bits."""
    return int.from_bytes(hashlib.blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "big") >> 1


def sql(name: str) -> str:
    """The text of a .sql file of this package."""
    with open(os.path.join(SQL, name), encoding="utf-8") as f:
        return f.read()


def sql_names(folder: str) -> list[str]:
    """The names of the .sql files of a folder, sorted."""
    return sorted(name.removesuffix(".sql") for name in os.listdir(os.path.join(SQL, folder)) if name.endswith(".sql"))


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

# what is asked of all points of a source (summaries.py)
SUMMARIES = ("spans", "curves", "trial_values", "stretches", "smooth_rates", "long_audits")


class Store:
    """An open report database."""

    def __init__(
        self, path: str, read_only: bool = False, threads: int | None = None, small: bool = False, writes: str | None = None
    ) -> None:  # fmt: skip
        """`small`: a new file gets small blocks, for a table takes at least one; a large one reads faster from large blocks.

        `writes`: the only file that statements on a database that is only read may reach.
        """
        from ngt_report import engine

        self.path, self.error = path, engine.Error
        self.con, self.waited = _open(path, read_only, threads, small)  # waited: another process had it until now
        if read_only:
            self.run((f"SET allowed_paths = [{literal(writes)}]; " if writes else "") + LOCKED)
        self.new = not read_only and _blank(path)  # nothing is in it but what this build writes
        self.empty: set[str] = set()  # tables that an earlier build left empty
        self.unmade: set[str] = set()  # metrics for which there is nothing to compute from
        self.waiting: dict[str, list[tuple[Any, ...]]] = {table: [] for table in RAW}
        self.wide = Wide(self)
        self.buffer = PointBuffer(self)

    # -- talking to DuckDB ----------------------------------------------------------------------------------------
    def run(self, text: str, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Execute one statement and drain its result: of one that makes a table or inserts, a row with the number of rows."""
        return self._drained(text, parameters)[1]

    def rows(self, text: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """A query's rows as dictionaries."""
        names, rows = self._drained(text, parameters)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _drained(self, text: str, parameters: Sequence[Any] | dict[str, Any] | None) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The names of a result's columns, and its rows."""
        try:
            result = self.con.execute(text, parameters) if parameters is not None else self.con.execute(text)
            described = result.description
            return ([d[0] for d in described], result.fetchall()) if described else ([], [])
        except (self.error, RuntimeError) as e:
            from ngt_report import engine

            if engine.interrupted(e):
                raise KeyboardInterrupt from e
            if not isinstance(e, self.error):
                raise
            said = str(e).splitlines()[0]
            raise DatabaseError(f"{self.path}: {said}; build the report again, in another folder if this stays") from e

    def small(self) -> None:
        """The input is small: planning costs more than plans save."""
        self.run("PRAGMA disable_optimizer")
        self.run("SET threads = 1")

    def begin(self) -> None:
        """Begin the one transaction of a build; a new file, or one of another version, gets its tables in it."""
        # what a transaction adds has no statistics yet: left alone, the planner would build its hash tables on the points
        self.run("SET disabled_optimizers = 'join_order,build_side_probe_side'")
        self.run("BEGIN TRANSACTION")
        if not self.new:
            found = dict(self.run("SELECT table_name, estimated_size FROM duckdb_tables() WHERE database_name = 'report'"))
            if "meta" in found and self.run("SELECT value FROM meta WHERE key = 'schema'") == [(SCHEMA_VERSION,)]:
                self.empty = {name for name, rows in found.items() if rows == 0}
                return
            self._drop(list(found))
        self.run(sql("schema.sql") + sql("report_schema.sql"))
        self.run("INSERT INTO meta VALUES ('schema', ?)", [SCHEMA_VERSION])

    def _drop(self, tables: list[str]) -> None:
        """Remove everything that a build of another version left."""
        for (name,) in self.run("SELECT view_name FROM duckdb_views() WHERE database_name = 'report' AND NOT internal"):
            self.run(f'DROP VIEW "{name}"')
        for name in tables:
            self.run(f'DROP TABLE "{name}"')
        self.new = True

    def close(self) -> None:
        """Close the database file; everything is on disk."""
        self.con.close()

    # -- loading --------------------------------------------------------------------------------------------------
    def forget(self, ids: Sequence[int]) -> None:
        """Remove everything that these sources said."""
        if not ids:
            return
        for table in (*RAW, *SUMMARIES, "raw_values", "lines", *(t.name for t in self.wide.tables.values())):
            column = "id" if table == "sources" else "source"
            self.run(f"DELETE FROM {table} WHERE {column} IN (SELECT unnest(?::BIGINT[]))", [list(ids)])

    def clear(self, *tables: str) -> None:
        """Remove what an earlier build left in these tables."""
        for table in () if self.new else tables:
            if table not in self.empty:
                self.run(f"DELETE FROM {table}")

    def insert(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows as columns in one statement; `columns` is 'name TYPE, name TYPE'."""
        if not rows:
            return
        kinds = [c.split() for c in columns.split(", ")]
        lists = ", ".join(f"unnest(?::{kind}[])" for _, kind in kinds)
        names = ", ".join(f'"{name}"' for name, _ in kinds)
        self.run(f"INSERT INTO {table} ({names}) SELECT {lists}", [list(column) for column in zip(*rows, strict=True)])

    def add_reading(self, source: int, reading: Reading) -> None:
        """Put what one file said into the raw tables; points wait in the buffer."""
        self.buffer.add(source, reading.blocks)
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


_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str, allow_nan=False)


def to_json(value: Any) -> str:
    """Compact JSON; NaN and infinity become null."""
    try:
        return _COMPACT.encode(value)
    except (ValueError, TypeError):  # a number that is none, or a key that is no text
        return _COMPACT.encode(finite(value))


def line_each(document: dict[str, Any]) -> str:
    """JSON with a line for every member of a list: quick to write, and a diff shows what changed."""
    texts = []
    for key, value in document.items():
        many = isinstance(value, list) and len(value) > 0
        text = "[\n  " + ",\n  ".join(map(to_json, value)) + "\n ]" if many else to_json(value)
        texts.append(f' "{key}": {text}')
    return "{\n" + ",\n".join(texts) + "\n}"


def finite(value: Any) -> Any:
    """The value with NaN and infinity replaced by None, at any depth."""
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, dict):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    return value


def _open(path: str, read_only: bool, threads: int | None, small: bool) -> tuple[duckdb.DuckDBPyConnection, bool]:
    """Attach the file; another process that holds it is waited for a moment, then named. Also whether there was one."""
    from ngt_report import engine

    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": True,
        "checkpoint_threshold": "1KB",  # the commit writes the file itself, not first a log of it
    }
    con: duckdb.DuckDBPyConnection = engine.connect(":memory:", config=config | ({"threads": threads} if threads else {}))
    deadline = time.monotonic() + LOCK_WAIT
    waited = False
    while True:
        try:
            con.execute(f"ATTACH '{path.replace(chr(39), chr(39) * 2)}' AS report ({_options(path, read_only, small)})").fetchall()
            con.execute("USE report").fetchall()
            return con, waited
        except engine.Error as e:
            _check_held(path, e, time.monotonic() > deadline)
        waited = True
        time.sleep(0.1)


def _options(path: str, read_only: bool, small: bool) -> str:
    """How to attach a file; of one that is there, the size of its blocks is settled."""
    new = small and not os.path.exists(path)
    return "READ_ONLY" if read_only else "STORAGE_VERSION 'v1.5.0'" + (", BLOCK_SIZE 16384" if new else "")


def _check_held(path: str, error: Exception, late: bool) -> None:
    """An error when a file cannot be attached for another reason than that a process holds it, or when it is too late to wait for that."""
    said = str(error).replace(path, "")
    if "lock" not in said.lower():
        raise ReportError(f"{path} cannot be opened as a report database: {str(error).splitlines()[0]}") from error
    if late:
        holder = re.search(r"\(PID (\d+)\)", said)
        who = f"process {holder[1]}" if holder else "another process"
        raise ReportError(f"{path} is held by {who}, which is building or querying it; wait for it or give -o another folder") from error


def _blank(path: str) -> bool:
    """Whether nothing is in a database that was just attached; what is not in the file yet would be in the log beside it."""
    return os.path.getsize(path) <= HEADERS and not os.path.exists(f"{path}.wal")
