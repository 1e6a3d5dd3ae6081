"""Verdicts as text for people, as JSON for programs, and as marks in a copy of the report."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ngt_report.formatting import plain
from ngt_report.terminal import paint
from ngt_report.verify.verdict import MATCH, MISMATCH, UNDECIDABLE, Checked

if TYPE_CHECKING:
    from ngt_report.verify.check import Verified

COLOURS = {MATCH: "green", MISMATCH: "red", UNDECIDABLE: "yellow"}
MARKS = {MATCH: "✓", MISMATCH: "✗", UNDECIDABLE: "?"}


def to_json(found: Verified) -> str:
    """All verdicts."""
    counts = {verdict: found.counts[verdict] for verdict in COLOURS}
    claims = [c.as_json() for c in found.checked]
    return json.dumps({"report": found.path, "counts": counts, "claims": claims}, indent=1, ensure_ascii=False)


def to_text(found: Verified, everything: bool = False) -> str:
    """Mismatches, or all verdicts, each with what the data says; counts at the end."""
    shown = [c for c in found.checked if everything or c.verdict == MISMATCH]
    counts = found.counts
    total = ", ".join(f"{counts[v]} {v}" for v in COLOURS)
    return "\n".join([*(_line(found.path, c) for c in shown), total])


def _line(path: str, c: Checked) -> str:
    said = f"{path}:{c.line}: {paint(c.verdict, COLOURS[c.verdict])} {plain(c.text)} ({plain(c.claim)})"
    if c.verdict == MISMATCH and c.value is not None:
        said += f": the data gives {shown(c.value)}"
    if c.note:
        said += f" [{plain(c.note)}]" if c.value is not None else f": {plain(c.note)}"
    return said + (f", {plain(c.where)}" if c.where and c.verdict != UNDECIDABLE else "")


def shown(value: float) -> str:
    """A value of the data, at most nine digits."""
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.9g}"


def annotate(found: Verified) -> str:
    """The report with a mark behind each number; a wrong one gets the right value as well."""
    out, at = [], 0
    for c in found.checked:
        end = _outside(found.source, c.end)
        if end < at:
            continue
        out.append(found.source[at:end] + _mark(c))
        at = end
    return "".join(out) + found.source[at:]


def _mark(c: Checked) -> str:
    right = f" {shown(c.value)}" if c.verdict == MISMATCH and c.value is not None else ""
    return f" [{MARKS[c.verdict]}{right}]"


def _outside(source: str, end: int) -> int:
    """Behind the markup that closes right after a number, so that the mark does not break it."""
    match = re.compile(r"[`*_]*").match(source, end)
    return match.end() if match else end
