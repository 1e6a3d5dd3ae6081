"""What state a run is in: its log, the time of its last write and its process decide; the clock is given, never asked for."""

from __future__ import annotations

from statistics import median

from msgspec import Struct

from ngt_report.watching.pids import Pid
from ngt_report.watching.progress import Curve, cause_of

STALLED_AFTER = 3.0  # usual intervals between evaluations
UNKNOWN = 900.0  # seconds of silence, where no interval is known yet
GROWTHS = 3  # looks at which a log had grown, before these tell the interval
GONE = "killed: its process {} is gone, and its log does not say why"


class Evidence(Struct, frozen=True):
    """All that is known of one run at a time."""

    curve: Curve | None
    written: float  # last write to any of its files
    seen: list[list[float]]  # [time, evaluations] of looks at which the log had grown
    pid: Pid | None = None
    outdated: bool = False  # the log grew after its process was gone: it is another one's now
    cause: str | None = None  # why a script ended before its first metric


class State(Struct, frozen=True):
    """A run's state in a word, the cause where it has one, and the figures that depend on the time."""

    state: str  # going, stalled, quiet, finished, stopped, crashed, waiting
    cause: str | None
    silent_s: float
    interval_s: float | None


def judge(e: Evidence, now: float) -> State:
    """The state at a time."""
    interval = interval_of(e)
    silent = max(0.0, now - e.written)
    quiet = silent > STALLED_AFTER * interval if interval else silent > UNKNOWN
    word, cause = _ended(e, quiet) or (_open(e, quiet), None)
    return State(word, cause, silent, interval)


def _open(e: Evidence, quiet: bool) -> str:
    """What a run is of which nothing says that it ended; of one that declares no total, silence alone does not tell a hang from its end."""
    if not _begun(e):
        return "waiting"
    if not quiet:
        return "going"
    alive = e.pid is not None and e.pid.alive
    return "quiet" if e.curve and e.curve.total is None and not alive else "stalled"


def _begun(e: Evidence) -> bool:
    return e.curve is not None and e.curve.step is not None


def interval_of(e: Evidence) -> float | None:
    """Seconds from one evaluation to the next: as looks saw the log grow, else by its own clock, else since its process began."""
    observed = [(b[0] - a[0]) / (b[1] - a[1]) for a, b in zip(e.seen, e.seen[1:], strict=False) if b[1] > a[1] and b[0] > a[0]]
    if len(observed) >= GROWTHS:
        return median(observed)
    by_clock = e.curve.interval() if e.curve else None
    if by_clock and by_clock[1] > 0:
        return by_clock[1]
    if e.curve and e.curve.count and e.pid and e.written > e.pid.written:
        return (e.written - e.pid.written) / e.curve.count
    return median(observed) if observed else None


def _ended(e: Evidence, quiet: bool) -> tuple[str, str | None] | None:
    """How a run ended, with its cause; None while it has not."""
    curve = e.curve or Curve()
    gone = e.pid is not None and not e.pid.alive and not e.outdated
    alive = e.pid is not None and e.pid.alive
    if curve.end is not None:
        return _stated(curve.end)
    if curve.reached() and _begun(e):
        return "finished", None
    if curve.stopped:
        return "finished", curve.stopped
    crash = curve.crash or e.cause
    if crash and (not alive or quiet):  # a process that goes on may have caught what it printed
        return ("stalled" if alive else "crashed"), crash
    if gone and e.pid is not None:
        if _begun(e) and curve.total is None:
            return "finished", f"process {e.pid.number} is gone; the log does not say how many steps were meant"
        return "crashed", GONE.format(e.pid.number)
    return None


def _stated(end: dict[str, str]) -> tuple[str, str | None]:
    """What run_end says."""
    status, reason = end.get("status", ""), end.get("reason")
    if status == "stopped early":
        return ("stopped" if reason is None or "--resume" in reason else "finished"), reason
    if status == "diverged":
        return "crashed", f"diverged: {reason}" if reason else "diverged"
    if status == "crashed":
        return "crashed", cause_of(reason or "", "traceback")
    return "finished", reason
