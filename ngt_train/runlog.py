"""Append-only event logs (docs/events.md) for any training script: one write a line, no torch.

    from ngt_train import runlog

    runlog.init("logs/demo/vanilla.jsonl", config={"lr": 3e-4}, seed=1, total_steps=2000, model="vanilla")
    runlog.log({"train/loss": 4.2, "lr": 3e-4}, step=50)
    runlog.log({"val/loss": 4.1}, step=50)
    runlog.finish()

`init` returns the log, for scripts that keep several. On a file that exists it goes on, in a new segment.
"""

from __future__ import annotations

import itertools
import math
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from ngt_train.errors import TrainError

SCHEMA = 1
STATUSES = ("finished", "stopped early", "diverged", "crashed")
SEVERITIES = ("info", "warning", "error")
CHECKPOINTS = ("best", "last", "step")
ENVELOPE = frozenset("kind run segment seq ts step tokens elapsed_s segment_elapsed_s".split())
NAME = re.compile(r"[a-z0-9_]+(?:/[a-zA-Z0-9_.-]+)*\Z")
EVALUATED = ("val/", "test/", "final/")
FIRST = b'{"kind":"run_start"'
LONGEST = 1 << 20  # bytes; ngtreport takes no longer line
OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS

Metrics = Mapping[str, float | None]


class RunLogError(TrainError):
    """An event that docs/events.md does not allow, or a file that cannot be written."""


class RunLog:
    """One run's log, open for appending. Threads may share it; of several processes only one may write."""

    def __init__(self, path: Path, run: str, segment: int, seq: int, elapsed_s: float, torn: bool) -> None:
        self.path, self.run, self.segment = path, run, segment
        self.step, self.elapsed_s = -1, elapsed_s  # of the last event
        self.tokens: int | None = None
        self._from_s, self._opened = elapsed_s, time.perf_counter()
        self._seq = itertools.count(seq)
        self._torn = torn  # the file does not end in a newline
        self._known: set[str] = set()  # names of metrics that were checked
        self._now, self._stamp = 0, ""  # of the last event, in milliseconds and as text
        self._fd = _open(path)

    def log(self, metrics: Metrics, step: int, tokens: int | None = None, elapsed_s: float | None = None) -> None:
        """Write an eval event when one of the metrics is val/, test/ or final/, else a train event."""
        self._metrics("eval" if any(map(_is_evaluation, metrics)) else "train", metrics, step, tokens, elapsed_s)

    def train(self, metrics: Metrics, step: int, tokens: int | None = None, elapsed_s: float | None = None) -> None:
        """Write metrics of the training batches since the last train event, after `step` optimizer steps.

        `tokens` and the training clock `elapsed_s` (seconds) count over the whole run. Left out, the clock is the time since
        `init`, and both are those of the last event when that was at the same step. Raises RunLogError.
        """
        self._metrics("train", metrics, step, tokens, elapsed_s)

    def eval(self, metrics: Metrics, step: int, tokens: int | None = None, elapsed_s: float | None = None) -> None:
        """Write metrics of an evaluation after `step` optimizer steps; arguments as for `train`."""
        self._metrics("eval", metrics, step, tokens, elapsed_s)

    def checkpoint(
        self, kind: str, path: str | os.PathLike[str], step: int, tokens: int | None = None, elapsed_s: float | None = None,
        size: int | None = None, best_val: float | None = None, best_step: int | None = None,
    ) -> None:  # fmt: skip
        """Write that a checkpoint of `size` bytes was saved; kind is best, last or step."""
        _one_of("a checkpoint is", kind, CHECKPOINTS)
        where = os.fspath(path).replace(os.sep, "/")
        fields = {"checkpoint": kind, "path": where, "bytes": size, "best_val": best_val, "best_step": best_step}
        self._event("checkpoint", step, tokens, elapsed_s, fields)

    def coords(
        self, layer: int, token_labels: Sequence[str], positions: Sequence[int], masses: Sequence[float], coordinates: Sequence[Any],
        step: int, tokens: int | None = None, elapsed_s: float | None = None,
    ) -> None:  # fmt: skip
        """Write where a layer puts a text's N tokens: N labels, N positions, N masses, N points; lists, arrays or tensors."""
        lengths = [len(token_labels), len(positions), len(masses), len(coordinates)]
        if len(set(lengths)) != 1:
            raise RunLogError(f"coords of layer {layer} have {lengths} labels, positions, masses and points; give one of each a token")
        fields = {"layer": layer, "token_labels": list(token_labels)}
        fields |= {"positions": positions, "masses": masses, "coordinates": coordinates}
        self._event("coords", step, tokens, elapsed_s, fields)

    def note(self, text: str, severity: str = "info", step: int | None = None) -> None:
        """Write one sentence that becomes a finding of the report."""
        _one_of("the severity of a note is", severity, SEVERITIES)
        if not text:
            raise RunLogError("a note has no text; say in one sentence what was seen")
        self._event("note", self.step if step is None else step, None, None, {"severity": severity, "text": text})

    def finish(self, status: str = "finished", reason: str | None = None) -> None:
        """Write run_end and close the file; a second call does nothing. A killed run has no run_end, and the report says so."""
        _one_of("the status of a run is", status, STATUSES)
        if self._fd >= 0:
            self._event("run_end", self.step, None, None, {"status": status, "reason": reason})
            self.close()

    def close(self) -> None:
        """Close the file without a word: the run is to go on later."""
        if self._fd >= 0:
            _close(self._fd)
            self._fd = -1

    def __enter__(self) -> RunLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.finish()
        else:
            self.finish("crashed", f"{kind.__name__}: {error}" if str(error) else kind.__name__)

    def _metrics(self, kind: str, metrics: Metrics, step: int, tokens: int | None, elapsed_s: float | None) -> None:
        if not self._known.issuperset(metrics):
            self._known.update(map(_checked_name, metrics))
        for value in metrics.values():
            if value.__class__ is not float or value - value != 0.0:
                self._odd_metrics(kind, metrics, step, tokens, elapsed_s)
                break
        else:
            if not metrics:
                raise RunLogError(f"the {kind} event at step {step} has no metrics; give at least one")
            self._event(kind, step, tokens, elapsed_s, metrics)

    def _odd_metrics(self, kind: str, metrics: Metrics, step: int, tokens: int | None, elapsed_s: float | None) -> None:
        """Values that are not all plain finite floats: JSON has no NaN, so that is null, and a note says which it was."""
        plain = {name: _number(name, value) for name, value in metrics.items()}
        self._event(kind, step, tokens, elapsed_s, plain)
        for name, value in plain.items():
            if value is not None and not math.isfinite(value):
                said = "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
                told = {"severity": "warning", "metric": name, "value": said, "text": f"{name} is {said} at step {step}"}
                self._event("note", step, None, None, told)

    def _event(self, kind: str, step: int, tokens: int | None, elapsed_s: float | None, fields: Mapping[str, Any]) -> None:
        if step == self.step:  # what is left out is as it was at this step
            tokens = self.tokens if tokens is None else tokens
            elapsed_s = self.elapsed_s if elapsed_s is None else elapsed_s
        elif elapsed_s is None:
            elapsed_s = round(self._from_s + time.perf_counter() - self._opened, 6)
        self.step, self.tokens, self.elapsed_s = step, tokens, elapsed_s
        now = time.time_ns() // 1_000_000
        if now != self._now:
            self._now, self._stamp = now, _iso(now)
        event = {
            "kind": kind, "run": self.run, "segment": self.segment, "seq": next(self._seq), "ts": self._stamp, "step": step,
            "tokens": tokens, "elapsed_s": elapsed_s,
            "segment_elapsed_s": round(elapsed_s - self._from_s, 6) if self._from_s else elapsed_s, **fields,
        }  # fmt: skip
        try:
            line = orjson.dumps(event, _plain, OPTIONS)
        except TypeError:  # a whole number above 64 bits, or text that is no UTF-8
            line = orjson.dumps(_tamed(event), _plain, OPTIONS)
        if self._torn:
            line = b"\n" + line
        if len(line) > LONGEST:
            raise RunLogError(f"an event of {len(line):,} bytes is longer than {LONGEST:,}; log fewer tokens or a smaller config")
        written = 0
        try:
            while (written := written + os.write(self._fd, line[written:])) < len(line):
                pass
        except OSError as error:
            self._torn = self._torn or written > 0
            raise RunLogError(self._why(error)) from error
        self._torn = False

    def _why(self, error: OSError) -> str:
        if self._fd < 0:
            return f"{self.path} is closed, its run is finished; call init again to go on with it"
        return f"{self.path} cannot be written: {error.strerror}; free the disk and resume the run"


def init(
    path: str | os.PathLike[str], run: str | None = None, config: Mapping[str, Any] | None = None, seed: int | None = None,
    step: int | None = None, tokens: int | None = None, elapsed_s: float | None = None, **facts: Any,
) -> RunLog:  # fmt: skip
    """Open a run's log and write its run_start; `run` is the file's name when left out.

    `facts` are the other fields of run_start in docs/events.md (total_steps, model, flags, dataset, val_tokens, params, ...).
    On a log that exists a new segment begins, at `step`, `tokens` and `elapsed_s` of the checkpoint it goes on from (left out:
    where the log ends). Raises RunLogError when the file is no event log, is another run's or cannot be written.
    """
    global _active
    where = Path(path)
    name = (run or where.stem).encode("utf-8", "replace").decode()
    if wrong := facts.keys() & ENVELOPE:
        raise RunLogError(f"{min(wrong)!r} is a field of every event; give it another name")
    last, torn, lost = _ending(where)
    if last is not None and last["run"] != name:
        raise RunLogError(f"{where} is the log of run {last['run']!r}, not of {name!r}; give another path")
    before = last or {"segment": -1, "seq": -1, "step": 0, "tokens": 0, "elapsed_s": 0.0}
    clock = _or(elapsed_s, before.get("elapsed_s")) or 0.0
    log = RunLog(where, name, before["segment"] + 1, before["seq"] + 1 + lost, clock, torn)
    start = {"schema": SCHEMA, "seed": seed, **facts, "config": dict(config or {})}
    log._event("run_start", _or(step, before.get("step")) or 0, _or(tokens, before.get("tokens")), clock, start)
    _active = log
    return log


def reopen(path: str | os.PathLike[str]) -> RunLog:
    """Open a log that exists, to add what belongs to steps it has told, such as coordinates: no segment begins.

    Raises:
        RunLogError: there is no event in it, or it cannot be written.
    """
    where = Path(path)
    last, torn, lost = _ending(where)
    if last is None:
        raise RunLogError(f"{where} has no events yet; give the log of a run")
    return RunLog(where, last["run"], last["segment"], last["seq"] + 1 + lost, 0.0, torn)


_active: RunLog | None = None


def log(metrics: Metrics, step: int, tokens: int | None = None, elapsed_s: float | None = None) -> None:
    """RunLog.log of the log opened last."""
    _current().log(metrics, step, tokens, elapsed_s)


def finish(status: str = "finished", reason: str | None = None) -> None:
    """RunLog.finish of the log opened last."""
    _current().finish(status, reason)


def _current() -> RunLog:
    if _active is None:
        raise RunLogError("no log is open; call runlog.init(path) first")
    return _active


def refuse_busy(path: Path) -> None:
    """Raise RunLogError where another process has the log open for writing."""
    if path.exists():
        _close(_open(path))


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
    except OSError as error:
        raise RunLogError(f"{path} cannot be opened for writing: {error.strerror}; give a path that can") from error
    try:
        _lock(file)
    except BlockingIOError as error:
        os.close(file)
        raise RunLogError(f"{path} is being written by another process; wait until that run has ended, or give another name") from error
    return file


_HELD: dict[tuple[int, int], int] = {}  # (device, inode) of the logs that this process has locked -> the file that holds the lock


def _lock(file: int) -> None:
    """Of several processes only one may write, where the system has locks; within a process everybody may."""
    try:
        import fcntl
    except ImportError:
        return
    key = _identity(file)
    if key in _HELD:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks
        return
    _HELD[key] = file


def _close(file: int) -> None:
    if _HELD.get(key := _identity(file)) == file:
        del _HELD[key]
    os.close(file)


def _identity(file: int) -> tuple[int, int]:
    state = os.fstat(file)
    return state.st_dev, state.st_ino


def _ending(path: Path) -> tuple[dict[str, Any] | None, bool, int]:
    """The last event of a log, whether the file lacks its last newline, and how many events (0 or 1) were torn there."""
    try:
        data = _last_bytes(path) if path.exists() else b""
    except OSError as error:
        raise RunLogError(f"{path} cannot be read: {error.strerror}; give a path that can") from error
    lines = data.split(b"\n")
    last = next((event for line in reversed(lines) if (event := _parsed(line)) is not None), None)
    if last is None and data.strip() and not FIRST.startswith(data[: len(FIRST)]):
        raise RunLogError(f"{path} exists and is no event log; give another path")
    return last, bool(lines[-1]), int(bool(lines[-1]) and last is not None and _parsed(lines[-1]) is None)


def _last_bytes(path: Path) -> bytes:
    """Enough of a file's end to hold its last whole line."""
    with path.open("rb") as f:
        f.seek(max(0, os.fstat(f.fileno()).st_size - 3 * LONGEST))
        return f.read()


def _parsed(line: bytes) -> dict[str, Any] | None:
    """An event of this contract, or None."""
    try:
        event = orjson.loads(line)
    except ValueError:
        return None
    whole = isinstance(event, dict) and isinstance(event.get("run"), str)
    return event if whole and all(isinstance(event.get(key), int) for key in ("segment", "seq")) else None


def _iso(milliseconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000)) + f".{milliseconds % 1000:03d}Z"


def _or(given: Any, before: Any) -> Any:
    return before if given is None else given


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise RunLogError(f"{what} {', '.join(allowed[:-1])} or {allowed[-1]}, not {value!r}")


def _is_evaluation(name: str) -> bool:
    return name.startswith(EVALUATED)


def _checked_name(name: str) -> str:
    if name in ENVELOPE:
        raise RunLogError(f"{name!r} is a field of every event; give the metric another name")
    if not isinstance(name, str) or not NAME.match(name):
        raise RunLogError(f"{name!r} cannot name a metric; write it like val/loss or grad_norm")
    return name


def _number(name: str, value: Any) -> float | None:
    """A metric's value as a plain number: whole numbers, arrays and tensors of one element are taken too."""
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, bool) or not isinstance(plain, int | float | None):
        raise RunLogError(f"{name} is {value!r}, not a number")
    return plain if plain is None else float(plain)


def _plain(value: Any) -> Any:
    """What JSON lacks: arrays, tensors and their scalars become lists and numbers, sets lists, paths and the rest text."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return sorted(value, key=str) if isinstance(value, set | frozenset) else str(value)


def _tamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {_tamed(key): _tamed(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_tamed(inner) for inner in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return float(value) if isinstance(value, int) and not -(2**63) <= value < 2**64 else value
