"""Answers one SELECT on a report's database: read-only, no files, no network, no settings."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from ngt_report import engine
from ngt_report.errors import UsageError
from ngt_report.formatting import csv_cell, number
from ngt_report.reports import database
from ngt_report.store import finite
from ngt_report.terminal import table

ON_SCREEN = 200  # rows of a table, where no limit is given
Rows = list[tuple[Any, ...]]


def ask(folder: Path, text: str, limit: int | None) -> tuple[list[str], Rows, bool]:
    """Column names, rows, and whether there were more than the limit."""
    store = database(folder)
    try:
        found = store.con.extract_statements(text)
        kinds = [s.type.name for s in found]
        if len(kinds) != 1 or kinds[0] != "SELECT":
            raise UsageError(f"query takes one SELECT, and this is {' and '.join(kinds[:3]) or 'nothing'}; the report is only read")
        result = store.con.execute(found[0])
        names = [str(d[0]) for d in result.description or ()]
        rows = result.fetchall() if limit is None else result.fetchmany(limit + 1)
    except engine.Error as e:
        raise UsageError("SQL: " + _sentence(str(e))) from e
    finally:
        store.close()
    return names, rows[:limit], limit is not None and len(rows) > limit


def _sentence(message: str) -> str:
    """DuckDB's message without its picture of the query."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    kept = [line for line in lines[:3] if not line.startswith(("LINE ", "^"))]
    return " ".join(kept)[:400]


def to_csv(names: list[str], rows: Rows) -> str:
    """CSV whose text no spreadsheet takes for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([csv_cell(n) for n in names])
    writer.writerows([csv_cell(flat(v)) for v in row] for row in rows)
    return out.getvalue().removesuffix("\n")


def to_json(names: list[str], rows: Rows) -> str:
    """A list of objects; NaN and infinity are null."""
    return json.dumps([finite(dict(zip(names, row, strict=True))) for row in rows], indent=1, ensure_ascii=False, default=str)


def to_table(names: list[str], rows: Rows, width: int | None) -> str:
    """A table: numbers to the right, text to the left."""
    align = "".join("r" if any(isinstance(r[i], int | float) for r in rows) else "l" for i in range(len(names)))
    text = [["-" if v is None else str(flat(v)) if isinstance(v, int) else number(flat(v)) for v in row] for row in rows]
    widest = max(range(len(names)), key=lambda i: max((len(r[i]) for r in text), default=0), default=0)
    return "\n".join(table(names, text, align, width, elastic=widest)) if names else ""


def flat(value: Any) -> Any:
    """Lists and structs as JSON text; NaN and infinity stay what they are."""
    return json.dumps(finite(value), ensure_ascii=False, default=str) if isinstance(value, dict | list | tuple) else value
