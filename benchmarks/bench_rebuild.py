"""Rebuilds against a cold build of the same runs: nothing changed, and 100 lines appended to one of 200 files."""

from __future__ import annotations

import os
import statistics
from pathlib import Path

from benchmarks import data
from benchmarks.measure import Row, cost, fresh


def rows(scratch: Path, total: int) -> list[Row]:
    """Text lines, as a log that a person watches grows."""
    folder, out = data.text(scratch / "growing_tx", total), scratch / "rebuilt"
    arguments = ["build", str(folder), str(out)]
    last = sorted(folder.iterdir())[-1]
    same: list[float] = []
    grown: list[float] = []
    colds: list[float] = []
    for turn in range(5):
        fresh(out)()
        colds.append(cost(arguments).seconds)
        same.append(cost(arguments).seconds)
        append(last, turn)
        grown.append(cost(arguments).seconds)
    cold, nothing, appended = (statistics.median(x) for x in (colds, same, grown))
    return [
        Row("nothing changed, over cold", f"{nothing:.2f} s", f"{cold:.2f} s", nothing / cold, 0.1),
        Row("100 lines appended to 1 of 200 files, over cold", f"{appended:.2f} s", f"{cold:.2f} s", appended / cold, 0.2),
    ]


def append(path: Path, turn: int) -> None:
    """One hundred more lines, each at a later step."""
    start = 10_000_000 * (turn + 1)
    with path.open("a", encoding="utf-8") as f:
        f.writelines(f"step {start + i}/2500000 train_loss=1.0000 val_loss=1.{i:04d} elapsed={start + i}.0s\n" for i in range(100))
        f.flush()
        os.fsync(f.fileno())
