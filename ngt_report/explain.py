"""Says how a file would be read, without any report: its format and why, what became of every line, runs and metrics."""

from __future__ import annotations

import difflib
import json
import os
from typing import Any

from ngt_report.errors import ReportError, UsageError
from ngt_report.files import InputFile
from ngt_report.formatting import number, plain
from ngt_report.sources import Format, choose, formats, read
from ngt_report.store import finite
from ngt_report.terminal import paint, safe, table
from ngt_report.waist import Reading, Trial

Row = dict[str, Any]
FACTS, RUNS, BAD = 30, 20, 10  # what is printed of each; --json has all


def explain(path: str, complete: bool = False) -> Row:
    """Read one file and tell what was made of it."""
    file = _file(path, complete)
    try:
        form, why = choose(file)
        file.notes["no_bulk"] = True  # points are counted here, so they are read here
        reading = read(file, form)
    except OSError as e:
        raise ReportError(f"{path} cannot be read: {(e.strerror or str(e)).lower()}") from e
    return {
        "file": path,
        "format": form.name if form else None,
        "title": form.title if form else None,
        "clock": form.clock if form else None,
        "why": why,
        "status": reading.status,
        "lines": {
            "read": reading.lines_read, "used": reading.lines_used, "ignored": dict(sorted(reading.ignored.items())),
            "bad": len(reading.bad), "pending": reading.pending,
        },
        "bad": [{"line": line, "why": why} for line, why in reading.bad],
        "runs": [_run(reading, trial, file) for trial in reading.trials],
        "findings": [{"severity": f.severity, "kind": f.kind, "text": f.text, "line": f.line} for f in reading.findings],
    }  # fmt: skip


def _file(path: str, complete: bool) -> InputFile:
    try:
        info = os.stat(path)
    except OSError as e:
        raise ReportError(f"{path}: {(e.strerror or 'cannot be read').lower()}; give a log file") from e
    if os.path.isdir(path):
        raise UsageError(f"{path} is a folder; explain reads files one by one, such as {path.rstrip('/')}/*")
    return InputFile(path, os.path.basename(path), info.st_size, info.st_mtime_ns, complete=complete)


def _run(reading: Reading, trial: Trial, file: InputFile) -> Row:
    return {
        "name": trial.name or os.path.splitext(file.rel)[0],
        "kind": trial.kind,
        "line": trial.line,
        "metrics": _metrics(reading, trial),
        "facts": [{"key": f.key, "value": f.value, "line": f.line, "pointer": f.pointer} for f in reading.facts if f.trial == trial.index],
    }


def _metrics(reading: Reading, trial: Trial) -> list[Row]:
    """Each metric with its number of points and the steps between which they lie."""
    found: dict[str, Row] = {}
    for block in reading.blocks:
        if block.trial != trial.index:
            continue
        steps = [s for s in block.step if s is not None]
        for name, column in block.columns.items():
            m = found.setdefault(name, {"name": name, "points": 0, "first_step": None, "last_step": None})
            m["points"] += len(column.values)
            for key, choose_one in (("first_step", min), ("last_step", max)):
                known = [s for s in (m[key], choose_one(steps, default=None)) if s is not None]
                m[key] = choose_one(known, default=None)
    return [found[name] for name in sorted(found)]


# -- printed ----------------------------------------------------------------------------------------------------------
def to_json(explained: list[Row]) -> str:
    """All of it for programs, one object a file."""
    return json.dumps(finite(explained), indent=1, ensure_ascii=False, default=str)


def to_text(x: Row) -> str:
    """One file's explanation for a terminal."""
    lines = x["lines"]
    ignored = sorted(lines["ignored"].items(), key=lambda rule: (-rule[1], rule[0]))
    out = [paint(plain(x["file"]), "bold") + ": " + (f"{x['format']} ({x['title']})" if x["format"] else "no format")]
    out.append(f"  why: {plain(x['why'])}")
    if x["clock"]:
        out.append(f"  clock: {plain(x['clock'])}")
    total = {**lines, "ignored": sum(n for _, n in ignored)}
    out.append(f"  lines: {lines['read']} read = " + " + ".join(f"{total[k]} {k}" for k in ("used", "ignored", "bad", "pending")))
    if ignored:
        out.append("  ignored: " + ", ".join(f"{n} {plain(rule)}" for rule, n in ignored))
    out += [f"  bad: line {b['line']}: {plain(b['why'])}" for b in x["bad"][:BAD]] + _more(len(x["bad"]), BAD, "bad lines")
    if lines["pending"]:
        out.append("  pending: the last line has no newline yet; it counts once it is whole, or with --assume-complete")
    for run in x["runs"][:RUNS]:
        out += _run_lines(run, len(x["runs"]) == 1)
    out += _more(len(x["runs"]), RUNS, "runs")
    out += [f"  {f['severity']}: {plain(f['text'])}" + (f" (line {f['line']})" if f["line"] else "") for f in x["findings"]]
    if not x["runs"]:
        out.append("  no run")
    return "\n".join(out)


def _run_lines(run: Row, alone: bool) -> list[str]:
    kind = {"curve": "run", "row": "run (one row)", "checkpoint": "checkpoint of"}[run["kind"]]
    out = [f"  {kind} {plain(run['name'])}" + (f", from line {run['line']}" if run["line"] else "")]
    for m in run["metrics"]:
        ends = dict.fromkeys(s for s in (m["first_step"], m["last_step"]) if s is not None)
        span = f", step {' to '.join(map(str, ends))}" if ends else ""
        out.append(f"    {plain(m['name'])}: {m['points']} {'point' if m['points'] == 1 else 'points'}{span}")
    shown = FACTS if alone else 4
    for f in run["facts"][:shown]:
        value = number(f["value"]) if not isinstance(f["value"], dict | list) else json.dumps(f["value"])
        where = f" (line {f['line']})" if f["line"] else f" ({plain(f['pointer'])})" if f["pointer"] else ""
        out.append(f"    {plain(f['key'])} = {plain(value)[:120]}{where}")
    return out + ["  " + line for line in _more(len(run["facts"]), shown, "facts")]


def _more(count: int, shown: int, what: str) -> list[str]:
    return [f"  and {count - shown} more {what}: --json lists them"] if count > shown else []


# -- the formats themselves ---------------------------------------------------------------------------------------------
def formats_named(name: str | None) -> list[Format]:
    """All formats by name, or the one that was named."""
    known = {f.name: f for f in sorted(formats(), key=lambda f: f.name)}
    if name is None:
        return list(known.values())
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        raise UsageError(f"there is no format {name!r}; " + (f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"))
    return [known[name]]


def formats_json(found: list[Format]) -> str:
    """The formats for programs."""
    listed = [{"name": f.name, "title": f.title, "clock": f.clock, "example": f.example} for f in found]
    return json.dumps(listed, indent=1, ensure_ascii=False)


def formats_text(found: list[Format], described: bool, width: int | None) -> str:
    """A table of formats, or one format with its example."""
    if described:
        f = found[0]
        example = ["    " + safe(line) for line in f.example.splitlines()]
        return "\n".join([f"{paint(f.name, 'bold')}: {f.title}", f"clock: {f.clock}", "", *example])
    rows = [(f.name, f.title, f.clock) for f in found]
    return "\n".join(table(("name", "title", "clock"), rows, "lll", width, elastic=2, droppable=("clock",)))
