"""The programs that two runs pasted into their logs, line by line: what recorded settings do not say."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

from ngt_report import queries
from ngt_report.errors import UsageError
from ngt_report.linetext import LineTexts
from ngt_report.lookup import run_names, select
from ngt_report.store import Store
from ngt_report.terminal import paint, safe
from ngt_report.text.pasted import length

COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def difference(store: Store, folder: Path, first: str, second: str) -> str:
    """A unified diff of the programs in the logs of two runs."""
    names = run_names(store)
    sides = [_program(store, folder, run, dict(names)[run]) for run in (queries.find_run(names, name) for name in (first, second))]
    (a, before), (b, after) = sides
    lines = difflib.unified_diff(before, after, a, b, lineterm="")
    return "\n".join(_painted(line) for line in lines) or f"both logs hold the same program: {a} and {b}"


def _program(store: Store, folder: Path, run: str, name: str) -> tuple[str, list[str]]:
    """FILE:LINE of a run's program, and its lines."""
    found = select(store, "program", {"run": run})
    if not found:
        raise UsageError(f"the log of {name} holds no program; `ngtreport compare` without --program compares recorded settings")
    row = found[0]
    texts, why = LineTexts(store, folder).several(row["id"], range(row["line"], row["line"] + length(json.loads(row["value"]))))
    if why:
        raise UsageError(f"the program of {name} cannot be read from {row['path']}: {why}")
    return f"{row['path']}:{row['line']}", texts


def _painted(line: str) -> str:
    colour = COLOURS.get(line[:1]) if line[:3] not in ("+++", "---") else "bold"
    return paint(safe(line), colour) if colour else safe(line)
