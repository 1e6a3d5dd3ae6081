"""Writes a table of the report as CSV, Parquet or JSON lines, under a temporary name first; never over another file."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

from ngt_report import queries, reports
from ngt_report.ask import flat
from ngt_report.atomic import replacing
from ngt_report.errors import UsageError
from ngt_report.formatting import csv_cell
from ngt_report.store import Store
from ngt_report.wide import literal

TABLES = ("points", "runs", "findings", "sources", "checkpoints", "evals", "compared", "baselines", "targets", "lines")
SUFFIXES = {".csv": "csv", ".parquet": "parquet", ".json": "json", ".jsonl": "json", ".ndjson": "json"}
BATCH = 20_000  # rows in memory at a time


def form_of(form: str | None, out: str | None) -> str:
    """The format that was asked for, else what the file's name says."""
    if form is None and out is not None:
        form = SUFFIXES.get(Path(out).suffix.lower())
    if form is None:
        raise UsageError("give --csv, --parquet or --json, or a file name that ends in one of them")
    if form == "parquet" and out is None:
        raise UsageError("Parquet goes to a file: give -o FILE")
    return form


def export(folder: Path, table: str, form: str, out: Path, force: bool) -> int:
    """Write a table of a report to a file; returns how many rows it has."""
    if out.exists() and not force:
        raise UsageError(f"{out} exists; give another name, or --force to write over it")
    if out.is_dir():
        raise UsageError(f"{out} is a folder; give -o a file's name")
    query = _query(table)
    with (
        replacing(out, "give -o another place") as temporary,
        temporary.open("wb") as f,
        closing(reports.database(folder, temporary if form == "parquet" else None)) as store,
    ):
        return _parquet(store, query, temporary) if form == "parquet" else stream(store, table, form, f)


def stream(store: Store, table: str, form: str, out: BinaryIO) -> int:
    """Write a table's rows as CSV or JSON lines; returns how many there were."""
    result = store.con.execute(_query(table))
    names = [str(d[0]) for d in result.description or ()]
    batches = iter(lambda: result.fetchmany(BATCH), [])
    rows = 0
    for batch in _csv(names, batches) if form == "csv" else _json(names, batches):
        out.write(batch[0])
        rows += batch[1]
    return rows


def _query(table: str) -> str:
    """All rows of one of our own relations, in a fixed order."""
    known = (*TABLES, *queries.metric_names())
    if table not in known:
        near = difflib.get_close_matches(table, known, 1)
        raise UsageError(f"there is no table {table!r}; " + (f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"))
    return f"SELECT * FROM {table} ORDER BY ALL"


def _csv(names: list[str], batches: Iterator[list[tuple[Any, ...]]]) -> Iterator[tuple[bytes, int]]:
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    yield text.getvalue().encode(), 0
    for batch in batches:
        text.seek(0)
        text.truncate()
        writer.writerows([csv_cell(flat(v)) for v in row] for row in batch)
        yield text.getvalue().encode("utf-8", "replace"), len(batch)


def _json(names: list[str], batches: Iterator[list[tuple[Any, ...]]]) -> Iterator[tuple[bytes, int]]:
    import orjson  # writes null for NaN and infinity

    for batch in batches:
        lines = [orjson.dumps(dict(zip(names, row, strict=True)), default=str, option=orjson.OPT_APPEND_NEWLINE) for row in batch]
        yield b"".join(lines), len(batch)


def _parquet(store: Store, query: str, path: Path) -> int:
    return int(store.run(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet, USE_TMP_FILE false)")[0][0])
