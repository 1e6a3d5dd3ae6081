"""`ngtreport status` on 500 runs of 5,000 lines against a cold build of them: the first screen, a later one, one after all had grown."""

from __future__ import annotations

import os
import shutil
import statistics
from pathlib import Path
from unittest import mock

from benchmarks import data
from benchmarks.measure import Row, cost, fresh

FILES = 500
ROUNDS = 3
LOOK = """
import io
from contextlib import redirect_stdout
from ngt_report.commands import cli
with redirect_stdout(io.StringIO()):
    cli(["status", arguments[0], "--json"], standalone_mode=False)
"""


def rows(scratch: Path, total: int) -> list[Row]:
    """As event logs, and as text with an evaluation on each line."""
    out: list[Row] = []
    for name, make in (("event logs", data.events), ("text logs", data.text)):
        with mock.patch.object(data, "FILES", FILES):
            folder = make(scratch / f"many_{make.__name__}", total * 5 // 2)
        out += _rows(scratch, folder, name)
        shutil.rmtree(folder)
    return out


def _rows(scratch: Path, folder: Path, name: str) -> list[Row]:
    cache, report = scratch / "cache", scratch / "cold"
    first: list[float] = []
    later: list[float] = []
    colds: list[float] = []
    before = os.environ.get("XDG_CACHE_HOME")
    for _ in range(ROUNDS):
        fresh(report)()
        colds.append(cost(["build", str(folder), str(report)]).seconds)
        fresh(cache)()
        os.environ["XDG_CACHE_HOME"] = str(cache)
        first.append(cost([LOOK, str(folder)]).seconds)
        later.append(cost([LOOK, str(folder)]).seconds)
        if before is None:
            del os.environ["XDG_CACHE_HOME"]
        else:
            os.environ["XDG_CACHE_HOME"] = before
    fresh(report)()
    cold, one, two = (statistics.median(x) for x in (colds, first, later))
    ratios = [statistics.median(a / b for a, b in zip(x, colds, strict=True)) for x in (first, later)]
    return [
        Row(f"status of 500 {name}, first screen, over a cold build", f"{one:.2f} s", f"{cold:.2f} s", ratios[0], 0.3),
        Row(f"status of 500 {name}, later screen, over a cold build", f"{two:.2f} s", f"{cold:.2f} s", ratios[1], 0.05),
    ]
