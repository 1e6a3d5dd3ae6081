"""TensorBoard with the same curves: its event files, its server on this machine, the address of its page. Only where it is installed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ngt_train.tensorboard import TensorBoardLog

CHART = {"chart": "line-chart canvas"}  # there before its lines are: the comparison favours TensorBoard
WAIT = 150  # seconds for the server to have read the runs


def installed() -> bool:
    """Whether there is a TensorBoard to compare with."""
    return find_spec("tensorboard") is not None


def write(folder: Path, columns: dict[str, list[Any]]) -> Path:
    """One event file a run, one event a point, by our trainer's own writer."""
    logs: dict[str, TensorBoardLog] = {}
    for run, step, loss in zip(*columns.values(), strict=True):
        if run not in logs:
            logs[run] = TensorBoardLog(folder / run)
        logs[run].write({"loss": loss}, step)
    for log in logs.values():
        log.close()
    return folder


@contextmanager
def served(folder: Path, runs: int, points: int) -> Iterator[str | None]:
    """The address of its page, once the server has read all runs; it keeps every point, as ours do. None when it does not in time."""
    options = ["--logdir", str(folder), "--port", "0", f"--samples_per_plugin=scalars={points}"]
    said = folder.parent / f"{folder.name}.txt"
    with said.open("w") as out:
        process = subprocess.Popen([sys.executable, "-m", "tensorboard.main", *options], stderr=out, stdout=out)
    try:
        yield _address(process, said, runs, points)
    finally:
        process.terminate()
        process.wait(30)


def _address(process: subprocess.Popen[bytes], said: Path, runs: int, points: int) -> str | None:
    end = time.monotonic() + WAIT
    while time.monotonic() < end and process.poll() is None:
        time.sleep(0.5)
        if (found := re.search(r"http://\S+", said.read_text())) and _read(found[0]) == (runs, points):
            return f"{found[0]}#timeseries"
    print(f"bench_page: TensorBoard did not read {runs} runs of {points} points within {WAIT} s and is left out")
    return None


def _read(address: str) -> tuple[int, int]:
    """How many runs the server has read, and how many points of the last."""
    with urllib.request.urlopen(address + "data/plugin/scalars/tags") as answer:
        tags = json.load(answer)
    if not tags:
        return 0, 0
    with urllib.request.urlopen(f"{address}data/plugin/scalars/scalars?tag=loss&run={max(tags)}") as answer:
        return len(tags), len(json.load(answer))
