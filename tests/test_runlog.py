"""The event log writer: its lines keep the contract, survive kills, resumes and full disks, and are read by ngtreport."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngt_report.build import Request, build
from ngt_train import runlog
from ngt_train.runlog import RunLogError
from tests.test_schema import problems

TOP = Path(__file__).parents[1]
NAMES = st.from_regex(r"[a-z0-9_]{1,8}(/[a-zA-Z0-9_.-]{1,8}){0,2}", fullmatch=True).filter(lambda name: name not in runlog.ENVELOPE)


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def whole_run(path: Path, **changes: Any) -> Path:
    """A run with every kind of event."""
    facts = {"model": "ngt", "flags": ["mass_in_value"], "dataset": "toy", "val_tokens": 4096, "versions": {"python": "3.11"}}
    with runlog.init(
        path, config={"lr": 1e-3, "out": Path("a/b"), "betas": (0.9, 0.95)}, seed=7, total_steps=100, **facts | changes
    ) as log:
        for step in range(10, 101, 10):
            log.train({"train/loss": 5 - step / 100, "lr": 1e-3, "grad_norm": 1.0}, step, step * 512, step / 4)
            log.eval({"val/loss": 5.1 - step / 100 if step != 50 else math.nan}, step, step * 512, step / 4)
        log.checkpoint("best", "checkpoints/toy/a.pt_best.pt", 100, size=1000, best_val=4.1, best_step=100)
        log.coords(1, ["a", "Ġb"], np.arange(2), np.array([0.5, np.nan], dtype=np.float32), np.ones((2, 3)), 100)
        log.note("the disk is slow", "warning")
    return path


def test_every_kind_of_event_keeps_the_contract(tmp_path: Path) -> None:
    written = events(whole_run(tmp_path / "logs/toy/a.jsonl"))
    assert {e["seq"]: found for e in written if (found := problems(e))} == {}
    assert {e["kind"] for e in written} == {"run_start", "train", "eval", "checkpoint", "coords", "note", "run_end"}
    assert [e["seq"] for e in written] == list(range(len(written)))
    assert all(next(iter(e)) == "kind" for e in written)


def test_a_metric_that_is_no_number_becomes_null_with_a_note(tmp_path: Path) -> None:
    log = runlog.init(tmp_path / "a.jsonl")
    log.log({"val/loss": math.inf, "val/accuracy": 0.5, "lr": -math.inf}, step=3)
    log.log({"train/loss": np.float32("nan"), "grad_norm": None}, step=4)
    _, first, *rest = events(log.path)
    assert (first["kind"], first["val/loss"], first["val/accuracy"], first["lr"]) == ("eval", None, 0.5, None)
    assert [(e["kind"], e.get("metric"), e.get("value"), e["step"]) for e in rest] == [
        ("note", "val/loss", "Infinity", 3), ("note", "lr", "-Infinity", 3), ("train", None, None, 4), ("note", "train/loss", "NaN", 4),
    ]  # fmt: skip
    assert [found for e in rest if (found := problems(e))] == []


@given(st.dictionaries(NAMES, st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70), min_size=1, max_size=5))
def test_any_metrics_come_back_as_written(tmp_path_factory: pytest.TempPathFactory, metrics: dict[str, float]) -> None:
    path = tmp_path_factory.mktemp("any") / "a.jsonl"
    runlog.init(path).train(metrics, step=1)
    event = events(path)[1]
    assert problems(event) == []
    assert {name: event[name] for name in metrics} == {name: float(value) for name, value in metrics.items()}


def test_what_is_left_out_is_taken_from_the_last_event_at_the_step(tmp_path: Path) -> None:
    log = runlog.init(tmp_path / "a.jsonl")
    log.train({"train/loss": 2.0}, 5, tokens=640, elapsed_s=1.25)
    log.eval({"val/loss": 2.1}, 5)
    log.train({"train/loss": 1.9}, 6)
    _, train, evaluation, later = events(log.path)
    assert (evaluation["tokens"], evaluation["elapsed_s"]) == (train["tokens"], train["elapsed_s"]) == (640, 1.25)
    assert later["tokens"] is None and 0 < later["elapsed_s"] < 1.25


def test_the_module_keeps_the_log_opened_last(tmp_path: Path) -> None:
    runlog.init(tmp_path / "a.jsonl", config={"lr": 0.1}, seed=1)
    runlog.log({"train/loss": 2.0}, step=1)
    runlog.finish("stopped early", "target reached")
    runlog.finish()
    start, train, end = events(tmp_path / "a.jsonl")
    assert (start["run"], start["config"], train["train/loss"]) == ("a", {"lr": 0.1}, 2.0)
    assert (end["status"], end["reason"], end["step"]) == ("stopped early", "target reached", 1)


def test_a_script_that_raises_ends_as_crashed(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), runlog.init(tmp_path / "a.jsonl") as log:
        log.train({"train/loss": 1 / 0}, 1)
    assert [(e["kind"], e.get("reason")) for e in events(log.path)][1:] == [("run_end", "ZeroDivisionError: division by zero")]


def test_each_event_is_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[bytes] = []
    real = os.write
    monkeypatch.setattr(runlog.os, "write", lambda fd, data: writes.append(bytes(data)) or real(fd, data))
    path = whole_run(tmp_path / "a.jsonl")
    assert writes == path.read_bytes().splitlines(keepends=True)


def test_a_resumed_run_goes_on_in_a_new_segment(tmp_path: Path) -> None:
    path = whole_run(tmp_path / "a.jsonl")
    before = events(path)
    log = runlog.init(path, step=50, tokens=25600, elapsed_s=12.5)
    log.train({"train/loss": 4.4}, 60, 30720, 15.0)
    start, train = events(path)[len(before) :]
    assert (start["kind"], start["segment"], start["seq"], start["step"]) == ("run_start", 1, len(before), 50)
    assert (train["elapsed_s"], train["segment_elapsed_s"], train["seq"]) == (15.0, 2.5, len(before) + 1)


def test_a_log_torn_at_any_byte_of_its_last_line_goes_on(tmp_path: Path) -> None:
    whole = whole_run(tmp_path / "a.jsonl").read_bytes()
    lines = whole.splitlines(keepends=True)
    for cut in range(len(lines[-1])):
        path = tmp_path / "b.jsonl"
        path.write_bytes(whole[: len(whole) - len(lines[-1]) + cut])
        runlog.init(path, run="a").train({"train/loss": 1.0}, 101)
        after = path.read_bytes().splitlines(keepends=True)
        assert after[: len(lines) - 1] == lines[:-1]
        torn = 0 < cut < len(lines[-1]) - 1
        start, train = (json.loads(line) for line in after[-2:])
        kept = len(lines) - 1 + (cut == len(lines[-1]) - 1)  # a line that lacks only its newline is whole
        assert (start["seq"], start["segment"], train["seq"]) == (kept + torn, 1, kept + torn + 1)
        assert len(after) == kept + torn + 2


def test_a_log_torn_in_its_first_line_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for torn in (b"", b"{", b'{"kind":"run_start","run":"a","segm'):
        path.write_bytes(torn)
        runlog.init(path)
        assert json.loads(path.read_bytes().splitlines()[-1])["segment"] == 0


def test_a_killed_run_loses_at_most_its_last_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    code = "import sys, itertools\nfrom ngt_train import runlog\nlog = runlog.init(sys.argv[1])\nprint(flush=True)\n"
    code += "for i in itertools.count(1): log.train({'train/loss': 1 / i}, i)"
    for segment in range(3):
        with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, cwd=TOP) as process:
            assert process.stdout and process.stdout.readline()
            while path.stat().st_size < 20_000 * (segment + 1):
                pass
            process.kill()
        written = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
        assert [e["seq"] for e in written] == list(range(len(written)))
        assert written[-1]["segment"] == segment


def test_a_full_disk_is_one_sentence_and_the_log_goes_on_later(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "a.jsonl"
    log = runlog.init(path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 50, before[1]))
        with pytest.raises(RunLogError, match=r"a\.jsonl cannot be written: .+; free the disk and resume the run"):
            log.train({"train/loss": 1.0}, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    log.train({"train/loss": 2.0}, 2)
    first, torn, last = path.read_bytes().splitlines()
    assert (len(torn), json.loads(first)["seq"], json.loads(last)["seq"]) == (50, 0, 2)


def test_threads_share_a_log(tmp_path: Path) -> None:
    log = runlog.init(tmp_path / "a.jsonl")
    threads = [threading.Thread(target=lambda: [log.train({"train/loss": 1.0}, i) for i in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(e["seq"] for e in events(log.path)) == list(range(801))


def fresh(folder: Path) -> runlog.RunLog:
    return runlog.init(folder / "a.jsonl")


def _in_log(name: str, value: object) -> Callable[[Path], object]:
    return lambda folder: fresh(folder).log({name: value}, step=1)  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (_in_log("Val Loss", 1.0), "'Val Loss' cannot name a metric; write it like val/loss or grad_norm"),
        (_in_log("step", 1.0), "'step' is a field of every event; give the metric another name"),
        (_in_log("val/loss", "4.5"), "val/loss is '4.5', not a number"),
        (_in_log("val/loss", True), "val/loss is True, not a number"),
        (lambda folder: fresh(folder).train({}, 3), "the train event at step 3 has no metrics; give at least one"),
        (
            lambda folder: fresh(folder).finish("done"),
            "the status of a run is finished, stopped early, diverged or crashed",
        ),
        (lambda folder: fresh(folder).note("a", "bad"), "the severity of a note is info, warning or error, not 'bad'"),
        (lambda folder: fresh(folder).note(""), "a note has no text"),
        (lambda folder: fresh(folder).checkpoint("new", "a", 1), "a checkpoint is best, last or step, not 'new'"),
        (
            lambda folder: fresh(folder).coords(0, ["a"], [0, 1], [1.0], [[1.0]], 1),
            "labels, positions, masses and points",
        ),
        (lambda folder: runlog.init(folder / "a.jsonl", ts=3), "'ts' is a field of every event; give it another name"),
        (lambda folder: runlog.init(folder), "cannot be read: Is a directory"),
        (lambda folder: runlog.init(folder / "notes.txt"), "notes.txt exists and is no event log; give another path"),
        (lambda folder: runlog.init(folder / "notes.txt/a.jsonl"), "a.jsonl cannot be"),
        (lambda folder: runlog.init(folder / "theirs.jsonl", run="b"), "is the log of run 'theirs', not of 'b'; give another path"),
        (lambda folder: runlog.init(folder / "a.jsonl", config={"text": "a" * 2**20}), "is longer than 1,048,576"),
    ],
)
def test_what_the_contract_forbids_is_refused_in_one_sentence(act: Callable[[Path], object], said: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("my notes\n")
    runlog.init(tmp_path / "theirs.jsonl").finish()
    with pytest.raises(RunLogError, match=re.escape(said)):
        act(tmp_path)


def test_a_finished_log_takes_no_more(tmp_path: Path) -> None:
    log = runlog.init(tmp_path / "a.jsonl")
    log.finish()
    with pytest.raises(RunLogError, match="is closed, its run is finished; call init again to go on with it"):
        log.train({"train/loss": 1.0}, 1)


def test_text_that_is_no_utf8_is_replaced(tmp_path: Path) -> None:
    log = runlog.init(tmp_path / "a.jsonl", run="a\udcff", config={"path\udcff": ["\udcff", 2**70]})
    assert events(log.path)[0]["run"] == "a?"
    assert events(log.path)[0]["config"] == {"path?": ["?", 2.0**70]}


def test_a_build_reads_what_was_written(tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "toy"
    whole_run(folder / "ngt.jsonl")
    whole_run(folder / "vanilla.jsonl", model="vanilla", flags=[])
    resumed = runlog.init(folder / "ngt.jsonl", step=90, tokens=90 * 512, elapsed_s=22.5, seed=7, total_steps=100, model="ngt")
    resumed.eval({"val/loss": 4.0}, 100, 51200, 25.0)
    resumed.finish()
    out = tmp_path / "out"
    build(Request((str(folder),), out=str(out), dashboard=False))
    summary = json.loads((out / "summary.json").read_text())
    runs = {run["run"]: run for run in summary["runs"]}
    assert summary["common_step"] == 100
    assert {name: (run["last"]["val_loss"], run["seed"], run["status"]) for name, run in runs.items()} == {
        "ngt": (4.0, 7, "finished"), "vanilla": (4.1, 7, "finished"),
    }  # fmt: skip
    assert any("val/loss is NaN at step 50" in finding["text"] for finding in summary["findings"])


def test_the_writer_needs_no_torch() -> None:
    code = "import sys, ngt_train.runlog; print(sorted({'torch', 'numpy', 'pandas', 'click'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=TOP, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
def test_of_two_processes_one_may_write(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    code = f"from ngt_train import runlog; runlog.init({str(path)!r}); print('open', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"open\n"
        before = path.read_bytes()
        for act in (runlog.init, runlog.reopen, runlog.refuse_busy):
            with pytest.raises(RunLogError, match=r"a\.jsonl is being written by another process; wait until that run has ended"):
                act(path)
        assert path.read_bytes() == before
        other.kill()
    runlog.refuse_busy(path)
    runlog.init(path).finish()
    assert [event["segment"] for event in events(path)] == [0, 1, 1]


def test_a_script_may_open_its_log_again(tmp_path: Path) -> None:
    """As a notebook's cell does that is run twice."""
    first, second = runlog.init(tmp_path / "a.jsonl"), runlog.init(tmp_path / "a.jsonl")
    first.close()
    second.finish()
    assert [event["segment"] for event in events(tmp_path / "a.jsonl")] == [0, 1, 1]
