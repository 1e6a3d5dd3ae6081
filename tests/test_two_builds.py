"""Builds that meet or die: the second says who holds the report, and a killed build leaves nothing that a later one cannot mend."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ngt_report import store
from ngt_report.build import Request, build
from ngt_report.errors import ReportError

ROOT = Path(__file__).parents[1]


def logs(folder: Path, runs: int, lines: int) -> Path:
    """Runs long enough that a build takes a while."""
    folder.mkdir()
    for number in range(runs):
        rows = (f"step {i}/{lines} train_loss={9 - i / lines:.4f} val_loss={8 - (i + number) / lines:.4f}\n" for i in range(1, lines + 1))
        (folder / f"run_{number:02d}.log").write_text("".join(rows))
    return folder


def test_the_second_build_says_who_holds_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, out = logs(tmp_path / "logs", 1, 10), tmp_path / "out"
    build(Request((str(folder),), out=str(out), dashboard=False))
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom ngt_report.store import Store\n"
    code += f"s = Store({str(out / 'report.duckdb')!r})\nprint('held', flush=True)\nsys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        monkeypatch.setattr(store, "LOCK_WAIT", 0.2)
        (folder / "run_00.log").write_text("step 1/2 val_loss=3.0000\nstep 2/2 val_loss=2.0000\n")
        with pytest.raises(ReportError, match=rf"held by process {holder.pid}\b"):
            build(Request((str(folder),), out=str(out), dashboard=False))
        holder.communicate("")
    build(Request((str(folder),), out=str(out), dashboard=False))
    assert "2.0000" in (out / "Summary.md").read_text()


@pytest.mark.parametrize("delay", [0.3, 0.6, 0.9])
def test_a_killed_build_leaves_the_old_report_and_the_next_one_is_whole(tmp_path: Path, delay: float) -> None:
    folder, out = logs(tmp_path / "logs", 2, 10), tmp_path / "out"
    build(Request((str(folder),), out=str(out), dashboard=False))
    before = (out / "Summary.md").read_bytes()
    for path in logs(tmp_path / "more", 20, 5_000).iterdir():
        path.rename(folder / f"more_{path.name}")
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom ngt_report.build import Request, build\nprint('go', flush=True)\n"
    code += f"build(Request(({str(folder)!r},), out={str(out)!r}, dashboard=False))\nprint('done', flush=True)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as doomed:
        assert doomed.stdout is not None and doomed.stdout.readline() == "go\n"
        try:
            doomed.wait(delay)
        except subprocess.TimeoutExpired:
            os.kill(doomed.pid, signal.SIGKILL)
        finished = doomed.stdout.read() == "done\n"
    assert finished or (out / "Summary.md").read_bytes() == before
    build(Request((str(folder),), out=str(out), dashboard=False))
    build(Request((str(folder),), out=str(tmp_path / "cold"), dashboard=False))
    for name in ("Summary.md", "results.csv", "summary.json"):
        assert (out / name).read_bytes() == (tmp_path / "cold" / name).read_bytes()
