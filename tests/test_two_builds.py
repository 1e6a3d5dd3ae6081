"""Builds that meet or die: the second says who holds the report, and a killed build leaves nothing that a later one cannot mend."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from ngt_report import store
from ngt_report.build import Request, build
from ngt_report.errors import ReportError
from ngt_report.watching.watch import Watch

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
    left = (out / "Summary.md").read_bytes()
    build(Request((str(folder),), out=str(out), dashboard=False))
    build(Request((str(folder),), out=str(tmp_path / "cold"), dashboard=False))
    whole = (tmp_path / "cold" / "Summary.md").read_bytes()
    assert left == whole if finished else left in (before, whole)  # it may be killed when all is written
    for name in ("Summary.md", "results.csv", "summary.json"):
        assert (out / name).read_bytes() == (tmp_path / "cold" / name).read_bytes()


def child(code: str) -> subprocess.Popen[str]:
    """A Python of its own, with this package."""
    text = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom ngt_report import build as b, store\n{code}"
    return subprocess.Popen([sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_of_two_first_builds_the_second_goes_on_from_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, out = logs(tmp_path / "logs", 2, 10), tmp_path / "out"
    opened = store._open

    def late(*args: Any) -> Any:
        """The database does not exist when this build looks, and is another's by the time it has it."""
        monkeypatch.setattr(store, "_open", opened)
        with child(f"b.build(b.Request(({str(folder / 'run_00.log')!r},), out={str(out)!r}, dashboard=False))") as first:
            first.communicate()
        assert first.returncode == 0
        return opened(*args)

    monkeypatch.setattr(store, "_open", late)
    assert build(Request((str(folder),), out=str(out), dashboard=False)).read == 1
    build(Request((str(folder),), out=str(tmp_path / "cold"), dashboard=False))
    assert (out / "summary.json").read_bytes() == (tmp_path / "cold" / "summary.json").read_bytes()


@pytest.mark.parametrize("small", [1, 1 << 30])
def test_a_build_that_waited_for_its_like_has_nothing_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: int) -> None:
    """Whatever the size of the blocks that the other one chose."""
    folder, out = logs(tmp_path / "logs", 2, 10), tmp_path / "out"
    request = f"b.Request(({str(folder)!r},), out={str(out)!r}, dashboard=False)"
    code = f"b.SMALL, render = {small}, b.render_all\n"
    code += "def slow(*a):\n    print('held', flush=True)\n    sys.stdin.readline()\n    return render(*a)\n"
    with child(f"{code}b.render_all = slow\nb.build({request})") as first:
        assert first.stdin is not None and first.stdout is not None and first.stdout.readline() == "held\n"
        monkeypatch.setattr(store, "LOCK_WAIT", 120.0)
        monkeypatch.setattr("ngt_report.build.compute", None)
        release = threading.Timer(0.3, lambda: print(file=first.stdin, flush=True))
        release.start()
        built = build(Request((str(folder),), out=str(out), dashboard=False))
        release.join()
    assert (built.read, built.anew) == (0, False)
    assert len(json.loads((out / "summary.json").read_text())["runs"]) == 2


def test_only_a_database_in_which_nothing_is_counts_as_new(tmp_path: Path) -> None:
    path = tmp_path / "report.duckdb"
    for _ in range(2):  # one that a killed build left empty
        made = store.Store(str(path), small=True)
        assert made.new
        made.close()
    code = "import os\nfrom ngt_report import engine\nc = engine.connect(':memory:', config={'checkpoint_threshold': '1GB'})\n"
    code += f"c.execute(\"ATTACH '{path}' AS r\")\nc.execute('CREATE TABLE r.a (i INTEGER)')\nos._exit(0)"  # killed behind its commit
    with child(code) as killed:
        killed.communicate()
    assert path.with_name("report.duckdb.wal").is_file()
    made = store.Store(str(path))
    assert not made.new
    made.close()


def test_what_the_database_refuses_is_one_sentence_and_watch_goes_on(tmp_path: Path) -> None:
    folder, out = logs(tmp_path / "logs", 1, 10), tmp_path / "out"
    request = Request((str(folder),), out=str(out), dashboard=False)
    build(request)
    damaged = store.Store(str(out / "report.duckdb"))
    damaged.run("DROP TABLE sources")
    damaged.close()
    (folder / "run_00.log").write_text("step 1/1 val_loss=3.0000\n")
    with pytest.raises(ReportError, match=r"report\.duckdb: Catalog Error: .*sources.*; build the report again, in another folder"):
        build(request)
    said: list[str] = []
    with Watch(request, 0) as watch:
        assert watch.once(said.append) is None
        (out / "report.duckdb").unlink()
        assert watch.once(said.append) is not None
    assert len(said) == 1 and said[0].startswith("not built: ")
