"""Runs that outlive their terminal: started, looked at, ended by name, gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from click.testing import CliRunner, Result  # noqa: E402

from ngt_train import config, detach, settings  # noqa: E402
from ngt_train.commands import main  # noqa: E402
from ngt_train.errors import ConfigError, TrainError  # noqa: E402
from tests import training  # noqa: E402


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a corpus and a run that takes long."""
    tokens = training.corpus(tmp_path)
    made = training.tiny(tokens, Path("."), "train.steps=100000", "eval.interval=20", "log.interval=20", "checkpoint.best=false")
    (tmp_path / "run.toml").write_text(settings.to_toml(config.to_dict(made)), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(detach, "BEGIN_S", 600)  # on a busy machine the import of torch alone takes long
    return tmp_path


def call(*args: str) -> Result:
    return CliRunner().invoke(main, list(args), prog_name="ngttrain")


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


def files(folder: Path, name: str = "run", number: int | None = None) -> detach.Files:
    (folder / "logs" / "g").mkdir(parents=True, exist_ok=True)
    found = detach.files_of(folder / "logs" / "g" / f"{name}.jsonl")
    if number is not None:
        found.pid.write_text(f"{number}\n")
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="looks at sessions")
def test_a_run_outlives_us_and_is_ended_by_its_name_and_gone_on_with(place: Path) -> None:
    begun = call("run", "--config", "run.toml", "--detach")
    assert (begun.exit_code, begun.stdout) == (0, "logs/g/run.pid\n"), begun.output
    assert "ngttrain stop run" in begun.stderr and "ngtreport status logs/g" in begun.stderr
    number = int(Path("logs/g/run.pid").read_text())
    assert os.getsid(number) == number != os.getsid(0)  # a session of its own
    again = call("run", "--config", "run.toml", "--resume", "--detach")
    assert again.exit_code == 2 and f"g/run is going on as process {number}" in again.stderr
    ended = call("stop", "run")
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.startswith("g/run: stopped early at step ") and "--resume goes on" in ended.stdout
    assert detach.process_of(Path("logs/g/run.pid")) is None
    made = config.load("run.toml")
    (end,) = training.events(made, "run_end")
    assert end["status"] == "stopped early" and made.checkpoint_path("last").exists()
    assert call("stop", "run").stdout.startswith("g/run: had ended before: stopped early at step ")
    assert call("run", "--config", "run.toml", "--resume", "--detach").exit_code == 0
    starts = training.events(made, "run_start")
    assert [s["step"] for s in starts] == [0, end["step"]]
    assert call("stop", "g/run").exit_code == 0


def test_a_run_that_is_finished_says_so_and_trains_no_more(place: Path) -> None:
    short = ("run", "--config", "run.toml", "--set", "train.steps=2")
    assert call(*short).exit_code == 0
    assert call(*short, "--resume", "--detach").stderr.startswith("g/run: already finished at step 2")


def test_a_run_that_cannot_begin_says_why(place: Path) -> None:
    done = call("run", "--config", "run.toml", "--set", "model.heads=3", "--detach")
    assert done.exit_code != 0 and done.stdout == "" and "heads" in done.stderr.splitlines()[-1]
    Path("logs/g").mkdir(parents=True, exist_ok=True)
    Path("logs/g/run.jsonl").write_text("")
    refused = call("run", "--config", "run.toml", "--detach")
    assert refused.exit_code == 2 and "is there already; go on with --resume" in refused.stderr


def test_a_run_is_found_by_any_unique_part_of_its_name(tmp_path: Path) -> None:
    for name in ("vanilla_s1", "vanilla_s2", "gated"):
        files(tmp_path, name, 2**22 + 1)
    logs = tmp_path / "logs"
    assert detach.find("gat", logs).pid.name == "gated.pid"
    assert detach.find("g/gated", logs).pid.name == "gated.pid"
    with pytest.raises(ConfigError, match="may be g/vanilla_s1, g/vanilla_s2"):
        detach.find("vanilla", logs)
    with pytest.raises(ConfigError, match="did you mean 'g/gated'"):
        detach.find("g/gatde", logs)
    with pytest.raises(ConfigError, match="no run 'x' was started with --detach"):
        detach.find("x", tmp_path / "nowhere")


def test_a_number_that_was_given_again_is_left_alone(tmp_path: Path) -> None:
    process = sleeper()
    try:
        found = files(tmp_path, number=process.pid)
        assert detach.process_of(found.pid) == process.pid
        os.utime(found.pid, (1_000_000_000, 1_000_000_000))
        if sys.platform == "linux":
            assert detach.stop(found, 5, print) is None and process.poll() is None
        for text in ("", "x", "-1", "0"):
            found.pid.write_text(text)
            assert detach.process_of(found.pid) is None
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGTERM")
def test_a_run_that_does_not_end_in_time_is_said(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline()
    try:
        with pytest.raises(TrainError, match=r"has not ended within 0 s"):
            detach.stop(files(tmp_path, number=process.pid), 0.2, lambda _: None)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_stop_file_ends_a_run_where_signals_do_not_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raised = threading.Event()
    asked: list[Any] = []
    monkeypatch.setattr(detach.signal, "raise_signal", lambda number: (asked.append(number), raised.set()))
    found = files(tmp_path, number=1)
    detach.listen(str(found.pid))
    time.sleep(0.05)
    assert not raised.is_set()
    found.stop.touch()
    assert raised.wait(30) and asked == [signal.SIGTERM] and not found.stop.exists()


def test_a_killed_run_has_no_end(tmp_path: Path) -> None:
    found = files(tmp_path)
    found.events.write_text('{"kind":"run_start","run":"a","segment":0,"seq":0,"step":0}\n')
    assert "its log has no run_end" in detach.ended_as(found)
