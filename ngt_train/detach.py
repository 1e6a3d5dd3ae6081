"""Runs that outlive their terminal: started in a session of their own, with a pid file beside the log, and ended by their name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ngt_train.config import RunConfig
from ngt_train.errors import ConfigError, TrainError, nearest

BEGIN_S = 60.0  # seconds that we wait for a run to begin or to fail, before we leave it to itself
LATE_S = 2.0  # by which a process may seem to have begun after its number was written
POLL_S = 0.1
CHILD = "NGTTRAIN_DETACHED"  # in the environment of a run that has no terminal: its pid file


@dataclass(frozen=True, slots=True)
class Files:
    """What lies beside a run's event log."""

    events: Path
    out: Path  # what it would have printed
    pid: Path
    stop: Path  # where signals cannot ask a run to end, this file does
    idle: str = ""  # what a process said that found nothing to train


def files_of(events: Path) -> Files:
    """The files of the run with this event log."""
    return Files(events, events.with_suffix(".out"), events.with_suffix(".pid"), events.with_suffix(".stop"))


def start(made: RunConfig, arguments: Sequence[str], *, anew: bool = False) -> Files:
    """Start `ngttrain ARGUMENTS` as a process of its own, which neither the end of this one nor of its terminal ends.

    Args:
        anew: what an earlier run of this name left is removed.

    Raises:
        ConfigError: a run of this name is going on.
        TrainError: the process cannot be started, or ended before it began to train; the message says why.
    """
    files = files_of(made.events_path())
    going = process_of(files.pid)
    if going is not None:
        raise ConfigError(f"{made.group}/{made.name} is going on as process {going}; end it with `ngttrain stop {made.name}`, or wait")
    before = _size(files.events)
    try:
        files.out.parent.mkdir(parents=True, exist_ok=True)
        files.stop.unlink(missing_ok=True)
        with files.out.open("wb" if anew else "ab") as out:
            said = out.tell()
            child = subprocess.Popen(
                [sys.executable, "-m", "ngt_train.commands", *arguments],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=_environment(files), **_apart(),
            )  # fmt: skip
        files.pid.write_text(f"{child.pid}\n", encoding="ascii")
    except OSError as e:
        raise TrainError(f"{e.filename or files.out}: {(e.strerror or str(e)).lower()}; the run cannot be started there") from e
    deadline = time.monotonic() + BEGIN_S
    while child.poll() is None and _size(files.events) in (0, before) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    if child.poll():
        raise TrainError(f"the run ended before it began: {_last_line(files.out, said)}; {files.out.as_posix()} has all that it said")
    idle = child.poll() == 0 and _size(files.events) == before
    child.returncode = 0  # it goes on without us: no warning of that
    return replace(files, idle=_last_line(files.out, said)) if idle else files


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _environment(files: Files) -> dict[str, str]:
    """Ours, and that the output goes out at once, and that this package is found."""
    here = str(Path(__file__).resolve().parents[1])
    found = os.pathsep.join(p for p in (here, os.environ.get("PYTHONPATH", "")) if p)
    return {**os.environ, "PYTHONPATH": found, "PYTHONUNBUFFERED": "1", CHILD: str(files.pid)}


def _apart() -> dict[str, Any]:
    """How a system starts a process that has no terminal and no console."""
    if sys.platform == "win32":
        flags = "DETACHED_PROCESS", "CREATE_NEW_PROCESS_GROUP", "CREATE_BREAKAWAY_FROM_JOB"
        return {"creationflags": sum(getattr(subprocess, name) for name in flags)}
    return {"start_new_session": True}


def _last_line(path: Path, begin: int) -> str:
    with path.open("rb") as f:
        f.seek(begin)
        lines = f.read().decode("utf-8", "replace").strip().splitlines()
    return (lines[-1].removeprefix("Error: ") if lines else "it said nothing")[:300]


def told(made: RunConfig, files: Files) -> list[str]:
    """What to know of a run that was started: how to look at it, how to end it, how to go on."""
    log = files.events.with_suffix(".log")
    if files.idle:
        return [files.idle]
    return [
        f"{made.group}/{made.name} trains as process {_number(files.pid)}; this terminal may be closed",
        f"  look      ngtreport status {files.events.parent.as_posix()}",
        f"  follow    tail -F {log.as_posix()}",
        f"  output    {files.out.as_posix()}",
        f"  end it    ngttrain stop {made.name}",
        "  go on     the same command with --resume --detach",
    ]


# -- ending a run ----------------------------------------------------------------------------------------------------------
def find(name: str, folder: Path) -> Files:
    """The files of a run by NAME or GROUP/NAME, below the folder of logs.

    Raises:
        ConfigError: there is none, or several; the message names them.
    """
    known = {p.relative_to(folder).with_suffix("").as_posix(): p for p in sorted(folder.rglob("*.pid"))} if folder.is_dir() else {}
    wanted = name.removesuffix(".pid").replace(os.sep, "/")
    found = [key for key in known if key == wanted or key.rsplit("/", 1)[-1] == wanted] or [key for key in known if wanted in key]
    alive = [key for key in found if process_of(known[key]) is not None] or found
    if not alive:
        raise ConfigError(f"no run {name!r} was started with --detach: {folder.as_posix()} has no such pid file{nearest(name, known)}")
    if len(alive) > 1:
        raise ConfigError(f"{name!r} may be {', '.join(alive[:8])}; name one of them")
    return files_of(known[alive[0]].with_suffix(".jsonl"))


def stop(files: Files, wait_s: float, say: Callable[[str], None]) -> int | None:
    """Ask a run to save and end, and wait until it has; returns its process, or None where it had ended before.

    Raises:
        TrainError: it did not end in this time, or may not be asked.
    """
    number = process_of(files.pid)
    if number is None:
        return None
    _ask(number, files)
    say(f"asked process {number} to save and end; it does so after the step it is in")
    deadline = time.monotonic() + wait_s
    while process_of(files.pid) == number:
        if time.monotonic() > deadline:
            raise TrainError(f"process {number} has not ended within {wait_s:.0f} s; wait with --wait, or look into {files.out.as_posix()}")
        time.sleep(POLL_S)
    return number


def _ask(number: int, files: Files) -> None:
    try:
        if sys.platform == "win32":  # a process without a console gets no signals
            files.stop.touch()
        else:
            os.kill(number, signal.SIGTERM)
    except ProcessLookupError:
        pass  # it has just ended
    except OSError as e:
        raise TrainError(f"process {number} of {files.pid.as_posix()} cannot be asked to end: {(e.strerror or str(e)).lower()}") from e


def listen(pid_file: str) -> None:
    """In a run without a terminal, on a system whose signals do not reach it: end as by SIGTERM once the stop file is there."""
    path = Path(pid_file).with_suffix(".stop")

    def look() -> None:
        while not path.exists():
            time.sleep(POLL_S)
        path.unlink(missing_ok=True)
        signal.raise_signal(signal.SIGTERM)

    threading.Thread(target=look, daemon=True).start()


def ended_as(files: Files) -> str:
    """How the event log says that the run ended; what else is known where it says nothing."""
    from ngt_train.outcomes import last_end

    end = last_end(files.events)
    if not end:
        return "its log has no run_end: it had not begun to train, or was killed"
    return f"{end.get('status')} at step {end.get('step')}" + (f" ({end['reason']})" if end.get("reason") else "")


# -- processes ----------------------------------------------------------------------------------------------------------------
def _number(path: Path) -> int | None:
    try:
        return int(path.read_bytes()[:32].split()[0])
    except (OSError, ValueError, IndexError):
        return None


def process_of(path: Path) -> int | None:
    """The process that a pid file names, while it runs; a later process that was given the same number is not it."""
    number = _number(path)
    if number is None or number <= 0:
        return None
    if sys.platform == "win32":
        return number if _runs_on_windows(number) else None
    try:
        os.kill(number, 0)
    except PermissionError:
        pass
    except (OSError, OverflowError):
        return None
    began = _began(number)
    return None if began is not None and began > path.stat().st_mtime + LATE_S else number


def _began(number: int) -> float | None:
    """When a process of Linux began, infinity for one that has ended and nobody asked for its end yet; None elsewhere."""
    try:
        fields = Path(f"/proc/{number}/stat").read_bytes().rpartition(b")")[2].split()
        boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime"))
    except (OSError, StopIteration):
        return None
    return float("inf") if fields[0] in (b"Z", b"X") else float(boot.split()[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _runs_on_windows(number: int) -> bool:
    import ctypes

    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
    handle = kernel.OpenProcess(0x00100000, False, number)  # SYNCHRONIZE
    if not handle:
        return bool(kernel.GetLastError() == 5)
    try:
        return bool(kernel.WaitForSingleObject(handle, 0) == 0x102)
    finally:
        kernel.CloseHandle(handle)
