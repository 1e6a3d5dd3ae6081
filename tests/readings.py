"""Reading a text without a file on disk, and what a reading says, in a form that tests can compare."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from ngt_report.build import Request, build
from ngt_report.files import InputFile
from ngt_report.sources import choose
from ngt_report.waist import Reading

# trial, segment, step, metric, value, line, clock
Point = tuple[int, int, int | None, str, str, int, float | None]


class Memory(InputFile, kw_only=True, dict=True):
    """A file that lies in memory."""

    data: bytes

    def open(self) -> BinaryIO:
        return io.BytesIO(self.data)


def in_memory(data: bytes | str, rel: str = "run.log", complete: bool = False) -> Memory:
    content = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    return Memory("/nowhere/" + rel, rel, len(content), 1, complete=complete, data=content)


def read(data: bytes | str, complete: bool = False) -> tuple[str | None, Reading]:
    """The format that claims the data, and its reading; an empty one when nobody claims it."""
    file = in_memory(data, complete=complete)
    form, _ = choose(file)
    return (form.name, form.read(file)) if form else (None, Reading(status="unsupported"))


def points(reading: Reading) -> list[Point]:
    """Every point, in the order of the lines."""
    out: list[Point] = []
    for block in reading.blocks:
        for metric, column in block.columns.items():
            for i, (step, value) in enumerate(zip(block.step, column.values, strict=True)):
                line = block.line[i] if block.line is not None else 0
                clock = block.elapsed[i] if block.elapsed is not None else None
                out.append((block.trial, block.segment, step, metric, repr(float(value)), line, clock))
    return sorted(out, key=lambda p: (p[5], p[3], p[0]))


def curve(reading: Reading, metric: str = "val/loss", trial: int = 0) -> list[tuple[int | None, float]]:
    """(step, value) of one metric of one trial, in the order of the lines."""
    return [(p[2], float(p[4])) for p in points(reading) if p[3] == metric and p[0] == trial]


def clock(reading: Reading, trial: int = 0) -> dict[int | None, float]:
    """step -> seconds as printed, of one trial; the last printed one of a step counts."""
    out: dict[int | None, float] = {}
    for block in reading.blocks:
        if block.trial == trial and block.elapsed is not None:
            out.update({s: round(e, 6) for s, e in zip(block.step, block.elapsed, strict=True) if e is not None})
    return dict(sorted(out.items(), key=lambda item: item[0] or 0))


def accounted(reading: Reading) -> bool:
    """Whether every line that was read became something."""
    return reading.lines_read == reading.lines_used + sum(reading.ignored.values()) + len(reading.bad) + reading.pending


@dataclass
class Report:
    """What a build wrote."""

    summary: dict[str, Any]
    text: str  # Summary.md
    sources: list[dict[str, Any]]

    @property
    def runs(self) -> dict[str, dict[str, Any]]:
        return {r["id"]: r for r in self.summary["runs"]}

    def kinds(self, *severities: str) -> set[str]:
        """Kinds of findings."""
        return {f["kind"] for f in self.summary["findings"] if not severities or f["severity"] in severities}

    def part(self, folder: str) -> Report:
        """What is said of the files of one folder below the input; Summary.md stays whole."""
        inside = f"{folder}/"
        runs = [r for r in self.summary["runs"] if any(s.startswith(inside) for s in r["sources"])]
        ids = {r["id"] for r in runs}
        findings = [f for f in self.summary["findings"] if f["run"] in ids or (f["source"] or "").startswith(inside)]
        sources = [s for s in self.sources if s["path"].startswith(inside)]
        return Report({**self.summary, "runs": runs, "findings": findings}, self.text, sources)

    def texts(self, kind: str) -> list[str]:
        return [f["text"] for f in self.summary["findings"] if f["kind"] == kind]

    def best(self, run: str | None = None) -> tuple[float, int | None] | None:
        found = (self.runs[run] if run else next(iter(self.runs.values())))["best"]
        return (found["val_loss"], found["step"]) if found else None

    def last(self, run: str | None = None) -> tuple[float, int | None] | None:
        found = (self.runs[run] if run else next(iter(self.runs.values())))["last"]
        return (found["val_loss"], found["step"]) if found else None


def report(path: Path, out: Path, **options: Any) -> Report:
    """Build a report; every source's lines must add up."""
    folder = build(Request((str(path),), out=str(out), dashboard=False, **options)).folder
    with duckdb.connect(str(folder / "report.duckdb"), read_only=True) as db:
        found = db.execute(
            "SELECT path, format, status, lines_read, lines_used, lines_ignored, lines_bad, lines_pending FROM sources ORDER BY path"
        )
        keys = [d[0] for d in found.description]
        sources = [dict(zip(keys, row, strict=True)) for row in found.fetchall()]
    for s in sources:
        assert s["lines_read"] == s["lines_used"] + s["lines_ignored"] + s["lines_bad"] + s["lines_pending"], s
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return Report(summary, (folder / "Summary.md").read_text(encoding="utf-8"), sources)


def written(top: Path, files: Mapping[str, bytes | str] | Iterable[tuple[str, bytes | str]]) -> Path:
    """Write files below a folder; returns the folder."""
    for name, data in dict(files).items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return top
