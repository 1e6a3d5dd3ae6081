"""Rebuilds against a cold build of the same runs: nothing changed, and 100 lines appended to one of 200 files."""

from __future__ import annotations

import os
import statistics
from pathlib import Path

from benchmarks import data
from benchmarks.measure import Row, cost, fresh

TURNS = 5
APPENDED = 100  # lines


def rows(scratch: Path, total: int) -> list[Row]:
    """Text lines and events, as a log that a person watches grows: its own next lines are appended."""
    out = scratch / "rebuilt"
    return [*_of("text", data.text(scratch / "growing_tx", total), out), *_of("events", data.events(scratch / "growing_ev", total), out)]


def _of(what: str, folder: Path, out: Path) -> list[Row]:
    arguments = ["build", str(folder), str(out)]
    last = sorted(folder.iterdir())[-1]
    each = min(APPENDED, len(last.read_bytes().splitlines()) // (2 * TURNS))
    held = hold_back(last, TURNS * each)
    same: list[float] = []
    grown: list[float] = []
    colds: list[float] = []
    for turn in range(TURNS):
        fresh(out)()
        colds.append(cost(arguments).seconds)
        same.append(cost(arguments).seconds)
        append(last, held[turn * each : (turn + 1) * each])
        grown.append(cost(arguments).seconds)
    cold, nothing, appended = (statistics.median(x) for x in (colds, same, grown))
    return [
        Row(f"{what}: nothing changed, over cold", f"{nothing:.2f} s", f"{cold:.2f} s", nothing / cold, 0.1),
        Row(
            f"{what}: {each} lines appended to 1 of {data.FILES} files, over cold",
            f"{appended:.2f} s",
            f"{cold:.2f} s",
            appended / cold,
            0.2,
        ),
    ]


def hold_back(path: Path, lines: int) -> list[str]:
    """Cut the last lines off a log, and return them."""
    texts = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(texts[:-lines]), encoding="utf-8")
    return texts[-lines:]


def append(path: Path, lines: list[str]) -> None:
    """Append lines, and wait until they are on disk."""
    with path.open("a", encoding="utf-8") as f:
        f.writelines(lines)
        f.flush()
        os.fsync(f.fileno())
