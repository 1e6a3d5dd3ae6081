"""What `ngtreport status` says of runs: states and causes, on one screen, for programs, and when its reader goes away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ngt_report.commands import cli
from ngt_report.watching import follow, pids, screen
from ngt_report.watching.looks import Looks
from ngt_report.watching.progress import cause_of
from ngt_report.watching.status import Screen, look
from tests.conftest import LOGS

TOP = Path(__file__).parents[1]
NOW = 1_800_000_000.0
TRACE = 'Traceback (most recent call last):\n  File "train.py", line 88, in <module>\n'
Write = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def log(upto: int, total: int = 1000, every: int = 100) -> str:
    """Evaluations 60 seconds apart."""
    return "".join(
        f"step {s}/{total} train_loss=4.5 val_loss={5 - s / 1000:.4f} elapsed={s * 60 / every:.1f}s\n"
        for s in range(every, upto + 1, every)
    )


def seen(path: Path, text: str, silent: float = 5, pid: int | None = None, looks: Looks | None = None) -> Any:
    """The only row of a log that was last written to so many seconds ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (NOW - silent, NOW - silent))
    if pid is not None:
        path.with_suffix(".pid").write_text(f"{pid}\n")
    (row,) = look((str(path.parent),), looks, NOW).rows
    return row


def dead() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


# -- states ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "silent", "state"),
    [
        (log(500), 100, "going"), (log(500), 179, "going"), (log(500), 181, "stalled"), (log(1000), 1e6, "finished"),
        ("loading\n", 5, "waiting"), ("", 5, "waiting"), (log(400) + "Early stopping at step 400\n", 1e6, "finished"),
        (log(100), 170, "going"), (log(100), 190, "stalled"),  # one evaluation: the time to it
    ],
)  # fmt: skip
def test_the_state_of_a_log(text: str, silent: float, state: str, tmp_path: Path) -> None:
    assert seen(tmp_path / "g" / "a.log", text, silent).state.state == state


OPEN = log(500).replace("/1000", "")


@pytest.mark.parametrize(("silent", "lives", "state"), [(5, False, "going"), (1e5, False, "quiet"), (1e5, True, "stalled")])
def test_without_a_total_silence_is_not_called_a_stall_unless_its_process_lives(
    silent: float, lives: bool, state: str, tmp_path: Path
) -> None:
    assert seen(tmp_path / "g" / "a.log", OPEN, silent, os.getpid() if lives else None).state.state == state


@pytest.mark.parametrize(("width", "words"), [(120, "quiet 1d 3h"), (40, "quiet 1d 3h")])
def test_a_quiet_run_says_how_long_and_a_note_says_what_that_means(width: int, words: str, tmp_path: Path) -> None:
    seen(tmp_path / "g" / "a.log", OPEN, 1e5)
    for height in (None, 6):
        text = screen.to_text(look((str(tmp_path / "g"),), None, NOW), width, height, True)
        assert words in text and "quiet: " in text.splitlines()[-1] and "total" in text.splitlines()[-1]
        assert all(len(line) <= width for line in text.splitlines()) and "..." not in text


@pytest.mark.parametrize(
    ("end", "cause"),
    [
        (TRACE + "RuntimeError: shapes differ\n", "traceback: RuntimeError: shapes differ"),
        (TRACE + "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB\n", "out of memory: "),
        (TRACE + "OSError: [Errno 28] No space left on device\n", "disk full: "),
        ("Killed\n", "killed"),
        ("slurmstepd: error: Detected 1 oom-kill event(s)\n", "out of memory: "),
        ("Out of memory: Killed process 812 (python)\n", "out of memory: "),
        (TRACE, "traceback"),
    ],
)
@pytest.mark.parametrize("begun", [True, False])
def test_a_crash_has_its_cause(end: str, cause: str, begun: bool, tmp_path: Path) -> None:
    row = seen(tmp_path / "g" / "a.log", (log(400) if begun else "loading\n") + end)
    assert row.state.state == "crashed" and row.state.cause.startswith(cause)


def test_what_went_on_after_an_error_did_not_crash(tmp_path: Path) -> None:
    row = seen(tmp_path / "g" / "a.log", log(400) + TRACE + "ValueError: one bad file\n" + log(500)[len(log(400)) :])
    assert (row.state.state, row.curve.step) == ("going", 500)


def test_an_error_appended_after_the_last_look_is_found(tmp_path: Path) -> None:
    path, looks = tmp_path / "g" / "a.log", Looks([tmp_path / "g"])
    assert seen(path, log(400), looks=looks).state.state == "going"
    assert seen(path, log(400) + TRACE, looks=looks).state.cause == "traceback"
    assert seen(path, log(400) + TRACE + "ValueError: no\n", looks=looks).state.cause == "traceback: ValueError: no"
    assert seen(path, log(400) + TRACE + "ValueError: no\n" + log(500)[len(log(400)) :], looks=looks).state.state == "going"


@pytest.mark.parametrize(
    ("end", "state", "cause"),
    [
        ({"status": "finished"}, "finished", None),
        ({"status": "stopped early", "reason": "SIGTERM at step 8; --resume goes on"}, "stopped", "SIGTERM at step 8; --resume goes on"),
        ({"status": "stopped early", "reason": "val/loss 3 reached train.target_loss 3"}, "finished", "val/loss 3 reached"),
        ({"status": "diverged", "reason": "train/loss is NaN at step 7"}, "crashed", "diverged: train/loss is NaN"),
        ({"status": "crashed", "reason": "OutOfMemoryError: CUDA out of memory"}, "crashed", "out of memory: OutOfMemoryError"),
        (None, "going", None),
    ],
)
def test_what_an_event_log_says_of_its_end_is_believed(end: dict[str, str] | None, state: str, cause: str | None, tmp_path: Path) -> None:
    head = {"run": "a", "segment": 0, "ts": "2027-01-15T07:58:00Z"}
    lines = [{"kind": "run_start", **head, "seq": 0, "step": 0, "elapsed_s": 0, "total_steps": 100}]
    lines += [
        {"kind": "eval", **head, "seq": i, "step": i, "tokens": i, "elapsed_s": i * 60.0, "segment_elapsed_s": i, "val/loss": 5 - i / 10}
        for i in range(1, 8)
    ]
    lines += [{"kind": "run_end", **head, "seq": 9, "step": 8, "elapsed_s": 480.0, **end}] if end else []
    row = seen(tmp_path / "g" / "a.jsonl", "".join(json.dumps(x) + "\n" for x in lines))
    assert row.state.state == state and (row.state.cause or "").startswith(cause or "")
    assert (row.curve.step, row.curve.total, row.curve.best) == (7, 100, [7, 4.3])


# -- processes ------------------------------------------------------------------------------------------------------------
def test_a_pid_file_tells_killed_from_slow(tmp_path: Path) -> None:
    assert seen(tmp_path / "a" / "run.log", log(400), pid=os.getpid()).state.state == "going"
    row = seen(tmp_path / "b" / "run.log", log(400), pid=dead())
    assert row.state.state == "crashed" and row.state.cause.startswith("killed: its process")
    assert seen(tmp_path / "c" / "run.log", log(1000), pid=dead()).state.state == "finished"
    assert seen(tmp_path / "d" / "run.log", log(400), silent=500, pid=os.getpid()).state.state == "stalled"


def test_a_number_that_was_given_again_is_not_the_process(tmp_path: Path) -> None:
    path = tmp_path / "a.pid"
    path.write_text(f"{os.getpid()}\n")
    assert pids.read(path) == pids.Pid(os.getpid(), path.stat().st_mtime, True)
    os.utime(path, (1_000_000_000, 1_000_000_000))  # written long before this process began
    if sys.platform == "linux":
        found = pids.read(path)
        assert found is not None and not found.alive
    for text in ("", "hello", "-4", "0", "99999999999"):
        path.write_text(text)
        assert pids.read(path) is None


def test_a_dead_process_does_not_count_once_its_log_has_grown(tmp_path: Path) -> None:
    path, gone = tmp_path / "g" / "a.log", dead()
    assert seen(path, log(400), pid=gone).state.state == "crashed"
    assert seen(path, log(500), pid=gone).state.state == "going"  # somebody resumed it and kept no new pid


def test_a_process_that_has_written_nothing_is_waiting(tmp_path: Path) -> None:
    (tmp_path / "g").mkdir()
    (tmp_path / "g" / "run.pid").write_text(str(os.getpid()))
    (row,) = look((str(tmp_path / "g"),), None, NOW).rows
    assert (row.name, row.state.state) == ("run", "waiting")


# -- the screen -------------------------------------------------------------------------------------------------------------
def sample() -> Screen:
    return look((str(LOGS),), None, NOW)


@pytest.mark.parametrize("width", [20, 40, 60, 78, 100, 200])
@pytest.mark.parametrize("plain_ascii", [True, False])
def test_a_screen_keeps_its_width_and_its_characters(width: int, plain_ascii: bool) -> None:
    text = screen.to_text(sample(), width, None, plain_ascii)
    assert max(map(len, text.splitlines())) <= max(width, 24)
    assert text.isascii() == plain_ascii
    assert width < 40 or "4.5554" in text and "15000/15000" in text


@pytest.mark.parametrize(("width", "height"), [(40, 24), (100, 6), (40, 3), (100, 50)])
def test_one_screen_is_one_screen(width: int, height: int) -> None:
    text = screen.to_text(sample(), width, height, True)
    assert len(text.splitlines()) <= max(height, 6)


def test_what_needs_somebody_comes_first(tmp_path: Path) -> None:
    for name, text in {"a": log(1000), "b": log(400), "c": log(300) + "Killed\n"}.items():
        path = tmp_path / "g" / f"{name}.log"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        os.utime(path, (NOW, NOW))
    assert [r.name for r in look((str(tmp_path / "g"),), None, NOW).rows] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("environment", "plain_ascii"),
    [
        ({"LANG": "C"}, True), ({}, True), ({"LANG": "en_US.UTF-8"}, False), ({"LANG": "en_US.UTF-8", "LC_ALL": "C"}, True),
        ({"LC_ALL": "C.UTF-8"}, False), ({"LC_CTYPE": "C.UTF-8"}, True),  # the last is what Python sets itself where the locale is C
    ],
)  # fmt: skip
def test_the_locale_says_which_characters(environment: dict[str, str], plain_ascii: bool, tmp_path: Path) -> None:
    env = {k: v for k, v in os.environ.items() if k not in ("LANG", "LC_ALL", "LC_CTYPE")} | environment
    code = "import sys; from ngt_report.watching.screen import ascii_only; sys.stdout.reconfigure(encoding='utf-8'); print(ascii_only())"
    done = subprocess.run([sys.executable, "-c", code], env=env | {"PYTHONPATH": str(TOP)}, capture_output=True, text=True)
    assert done.stdout.strip() == str(plain_ascii), done.stderr


def test_json_has_every_figure(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["status", str(LOGS), "--json"])
    document = json.loads(done.stdout)
    assert document["counts"] == {"finished": 7}
    (run,) = [r for r in document["runs"] if r["run"] == "screen_vanilla_25m"]
    assert (run["step"], run["total_steps"], run["val_loss"], run["best_val_loss"], run["best_step"]) == (
        15000,
        15000,
        4.5554,
        4.5524,
        13500,
    )
    assert run["steps_per_s"] == pytest.approx(4.96, abs=0.01) and run["state"] == "finished"


def test_a_status_needs_no_database(tmp_path: Path) -> None:
    code = (
        "import sys; from ngt_report.commands import cli; cli(sys.argv[1:], standalone_mode=False)\n"
        "print({'duckdb', '_duckdb'} & set(sys.modules))"
    )
    env = {**os.environ, "PYTHONPATH": str(TOP)}
    done = subprocess.run([sys.executable, "-c", code, "status", str(LOGS)], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "set()", done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["cache"]


# -- looking again --------------------------------------------------------------------------------------------------------
def test_a_second_look_reads_what_was_appended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ngt_report.watching import looks

    path = tmp_path / "g" / "a.log"
    seen(path, log(400))
    monkeypatch.setattr(looks, "_read", lambda *_: pytest.fail("the file was read from its beginning"))
    assert seen(path, log(400)).curve.step == 400
    row = seen(path, log(500) + "step 600/1000 train_lo")
    assert row.curve.step == 500 and row.curve.best == [500, 4.5]
    assert seen(path, log(700)).curve.step == 700


@pytest.mark.parametrize("damage", [b"", b"{", b"\x90", b"\x92\xa10\x80", b"\x92\x01\x02", b"\xff\xfe"])
def test_a_damaged_cache_is_no_error(damage: bytes, tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "g" / "a.log"
    seen(path, log(400))
    (kept,) = (cache / "ngtreport").iterdir()
    kept.write_bytes(damage)
    assert seen(path, log(400)).curve.step == 400


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ngt_report.watching import looks

    path = tmp_path / "g" / os.fsdecode(b"\xff.log")  # a name that is no text
    first = seen(path, log(400).replace("4.6000", "nan"))
    monkeypatch.setattr(looks, "_read", lambda *_: pytest.fail("the file was read again"))
    again = seen(path, log(400).replace("4.6000", "nan"))
    assert repr(again.curve) == repr(first.curve) and "nan" in repr(first.curve)


def test_a_cache_cut_anywhere_is_no_error(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "g" / "a.log"
    seen(path, log(400))
    (kept,) = (cache / "ngtreport").iterdir()
    whole = kept.read_bytes()
    for end in range(0, len(whole), 7):
        kept.write_bytes(whole[:end])
        assert seen(path, log(400)).curve.step == 400


def test_without_a_cache_folder_every_look_reads(tmp_path: Path, cache: Path) -> None:
    cache.write_text("in the way")
    assert seen(tmp_path / "g" / "a.log", log(400)).curve.step == 400


def test_following_looks_again_until_it_is_told_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "g" / "a.log"
    seen(path, log(400))
    turns = iter((False, False, True))

    def wait(_: float) -> bool:
        path.write_text(log(600))
        return next(turns)

    follow.follow((str(tmp_path / "g"),), 1, follow.Drawing(as_json=True), wait)
    said = capsys.readouterr().out
    assert said.count('"step":400') == 1 and said.count('"step":600') == 2


def follower(tmp_path: Path, stdout: Any) -> subprocess.Popen[bytes]:
    code = "from ngt_report.commands import main; main()"
    env = {**os.environ, "PYTHONPATH": str(TOP), "TERM": "xterm"}
    command = [sys.executable, "-c", code, "status", str(LOGS), "--follow", "--every", "0.1"]
    return subprocess.Popen(command, env=env, stdout=stdout, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True)


def test_a_follower_whose_reader_leaves_ends_quietly(tmp_path: Path) -> None:
    process = follower(tmp_path, subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 141 and process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("hangup", [True, False])
def test_a_follower_whose_terminal_is_dropped_ends_quietly(hangup: bool, tmp_path: Path) -> None:
    master, slave = os.openpty()
    process = follower(tmp_path, slave)
    os.close(slave)
    assert b"finished" in os.read(master, 4096)
    if hangup:
        process.send_signal(signal.SIGHUP)
    else:
        os.close(master)
    assert process.stderr is not None
    assert process.wait(60) in (0, 141) and process.stderr.read() == b""
    process.stderr.close()
    if hangup:
        os.close(master)


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="asks the kernel what was written")
def test_a_hangup_ends_a_follower_whose_terminal_takes_no_more(tmp_path: Path) -> None:
    master, slave = os.openpty()
    process = follower(tmp_path, slave)
    os.close(slave)
    assert b"finished" in os.read(master, 4096)
    before = ""
    while before != (before := written(process.pid)):
        time.sleep(2)
    process.send_signal(signal.SIGHUP)
    assert process.stderr is not None
    assert process.wait(60) in (0, 141) and process.stderr.read() == b""
    process.stderr.close()
    os.close(master)


def written(pid: int) -> str:
    """How many bytes a process has written until now."""
    return next(line for line in Path(f"/proc/{pid}/io").read_text().splitlines() if line.startswith("wchar"))


STORM = """
import os, signal, time
from ngt_report.watching.follow import Hangup

waiting = os.getpid()
with Hangup() as hangup:
    child = os.fork()
    if not child:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        while os.getppid() == waiting:
            os.kill(waiting, signal.SIGHUP)
            time.sleep(0.0001)
        os._exit(0)
    answers = [hangup.wait(0.001) for _ in range(5000)]
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
print(answers[-1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no hangup")
def test_a_hangup_that_comes_at_any_moment_of_waiting_is_heard() -> None:
    env = {**os.environ, "PYTHONPATH": str(TOP)}
    done = subprocess.run([sys.executable, "-c", STORM], env=env, capture_output=True, text=True, timeout=120)
    assert done.stdout == "True\n" and done.stderr == ""


def test_a_path_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["status", str(tmp_path / "no")])
    assert done.exit_code == 3 and done.stderr.startswith("Error: ") and "no such file" in done.stderr


def test_a_folder_without_runs_says_so(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["status", str(tmp_path)])
    assert done.exit_code == 0 and "no run yet" in done.stdout


@pytest.mark.parametrize(
    ("text", "cause"),
    [("Killed", "killed"), ("MemoryError", "out of memory: MemoryError"), ("SIGTERM received", "killed: SIGTERM received"),
     ("disk quota exceeded", "disk full: disk quota exceeded"), ("KeyError: 'a'", "traceback: KeyError: 'a'"), ("", "traceback")],
)  # fmt: skip
def test_causes_are_named(text: str, cause: str) -> None:
    assert cause_of(text) == cause


def test_times_are_short() -> None:
    assert [screen.ago(s) for s in (0, 42, 60, 3599, 3600, 86399, 90000)] == ["0s", "42s", "1m", "1h 0m", "1h 0m", "1d 0h", "1d 1h"]
    assert time.gmtime(NOW).tm_year == 2027
