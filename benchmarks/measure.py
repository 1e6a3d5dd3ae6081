"""Runs commands in pairs, each in a process of its own on one core, and keeps medians: on noisy machines only ratios mean anything."""

from __future__ import annotations

import compileall
import os
import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 5


@dataclass
class Row:
    """One line of the table: our figure over the peer's, and the bar it is held against."""

    name: str
    ours: str
    peer: str
    ratio: float
    bar: float
    at_least: bool = False  # the bar is a lower bound

    @property
    def met(self) -> bool:
        return self.ratio >= self.bar if self.at_least else self.ratio <= self.bar


@dataclass
class Cost:
    """What one process took."""

    seconds: float  # CPU, user and system
    megabytes: float  # peak resident


def one_core() -> None:
    """Keep this process and its children on one core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


@contextmanager
def all_cores() -> Iterator[None]:
    """What starts in here has all cores, as a browser on a desk has: it is several processes."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@cache
def compiled() -> None:
    """Compile our modules, as pip does when it installs them; else each process would, where bytecode is not written."""
    for package in ("ngt_report", "ngt_train", "benchmarks"):
        compileall.compile_dir(ROOT / package, quiet=1)


def cost(arguments: list[str]) -> Cost:
    """Run a Python program to its end and return its CPU time and peak memory."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    compiled()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    code = f"import resource, runpy, sys\n{PROGRAM}"
    done = subprocess.run([sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"benchmark program failed: {arguments}\n{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds, float(done.stdout.strip().splitlines()[-1]) / 1024)


PROGRAM = """
program, arguments = sys.argv[1], sys.argv[2:]
sys.argv = [program, *arguments]
if program == "build":
    from ngt_report.commands import main
    sys.argv = ["ngtreport", "build", arguments[0], "--out", arguments[1], "--threads", "1", "--no-dashboard", "--quiet"]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
else:
    exec(program)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def paired(ours: list[str], peer: list[str], before: Callable[[], None] = lambda: None, rounds: int = ROUNDS) -> tuple[Cost, Cost, float]:
    """Medians of interleaved rounds, and the median of the rounds' ratios."""
    mine: list[Cost] = []
    theirs: list[Cost] = []
    for _ in range(rounds):
        before()
        mine.append(cost(ours))
        theirs.append(cost(peer))
    ratio = statistics.median(a.seconds / b.seconds for a, b in zip(mine, theirs, strict=True))
    return median(mine), median(theirs), ratio


def median(costs: list[Cost]) -> Cost:
    """Medians of time and memory."""
    return Cost(statistics.median(c.seconds for c in costs), statistics.median(c.megabytes for c in costs))


def fresh(folder: Path) -> Callable[[], None]:
    """A function that removes a folder, so that the next build is cold."""
    return lambda: shutil.rmtree(folder, ignore_errors=True)
