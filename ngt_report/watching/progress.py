"""How far the runs of one log are: what a look needs of a reading, small enough to keep, and able to take what was appended."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from itertools import count, pairwise
from operator import itemgetter
from statistics import median
from typing import Any

from msgspec import Struct, field

from ngt_report.waist import Block, Reading

LOSSES = ("val/loss", "eval_loss")  # the second is the first where no cross-entropy stands beside it
TRAIN = "train/loss"
RECENT = 32  # evaluations that the usual interval is taken from
DRAWN = 64  # points of a curve that are kept
Point = tuple[int, int, float, Block, int]  # segment, step, loss, and where it stands
IN_ORDER, LOWEST = itemgetter(0, 1), itemgetter(2, 1)
Mark = list[Any]  # [step, clock or None, seconds of the evaluation itself or None, segment, time of writing or None]

CAUSES = (
    ("out of memory", re.compile(r"out ?of ?memory|MemoryError|\boom\b|cannot allocate memory|CUBLAS_STATUS_ALLOC_FAILED", re.I)),
    ("disk full", re.compile(r"no space left|disk quota|errno (?:28|122)\b|\bENOSPC\b|disk is full|free the disk", re.I)),
    ("killed", re.compile(r"\bkilled\b|\bterminated\b|SIG(?:TERM|KILL|HUP|INT)\b|CANCELLED AT|preempt|KeyboardInterrupt", re.I)),
)


def cause_of(text: str, otherwise: str = "traceback") -> str:
    """A cause in words of ours, then the log's own: `out of memory: CUDA out of memory. Tried to allocate 2 GiB`."""
    kind = next((name for name, pattern in CAUSES if pattern.search(text)), otherwise)
    return f"{kind}: {text}" if text and text.lower() != kind else kind


class Curve(Struct):
    """One run as its log tells it."""

    name: str | None = None  # as the log gives it, in files with several runs
    trial: int = 0
    total: int | None = None
    step: int | None = None  # of the last data line
    loss: str = ""  # the metric that stands for the validation loss; empty: none was seen
    last: list[Any] | None = None  # [step, loss] of the last evaluation
    best: list[Any] | None = None  # [step, loss] of the lowest finite one, where it occurred first
    train: list[Any] | None = None  # [step, loss] of the last training loss
    count: int = 0  # evaluations
    recent: list[Mark] = field(default_factory=list)  # the last evaluations
    lines: list[Mark] = field(default_factory=list)  # the last lines with a clock
    drawn: list[list[Any]] = field(default_factory=list)  # [step, loss] for a small picture
    crash: str | None = None  # what the log says after its last data line
    end: dict[str, Any] | None = None  # status and reason that the log states
    stopped: str | None = None  # a line that says that it stopped early
    closed: bool = False  # a closing evaluation was printed

    def reached(self) -> bool:
        """Whether the declared steps are done; logs that count from 0 end one before, those that print every N a little before."""
        if self.total is None or self.step is None:
            return False
        return self.step >= self.total - 1 or self.closed and self.step >= 0.95 * self.total

    def interval(self) -> tuple[float, float] | None:
        """The usual [steps, seconds] from one evaluation to the next: by the times of writing, else by the log's own clock."""
        both = [(a, b) for a, b in pairwise(self.recent) if a[3] == b[3] and b[0] > a[0]]
        pairs = [(b[0] - a[0], seconds) for a, b in both if (seconds := _seconds(a, b)) is not None and seconds > 0]
        marks = [m for m in self.recent if m[1] is not None]
        if pairs:
            return median(s for s, _ in pairs), median(t for _, t in pairs)
        if marks and marks[-1][0] and marks[-1][1] > 0:  # one evaluation: from the start to it
            return float(marks[-1][0]), marks[-1][1] + (marks[-1][2] or 0.0)
        return None

    def rate(self) -> float | None:
        """Steps a second lately, by the log's own clock."""
        for marks in (self.recent[-10:], self.lines):
            known = [m for m in marks if m[1] is not None]
            steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(known) if _follows(a, b)]
            if seconds := sum(t for _, t in steps):
                return float(sum(s for s, _ in steps) / seconds)
        return None


def _seconds(a: Mark, b: Mark) -> float | None:
    """The time from one evaluation to the next."""
    if a[4] is not None and b[4] is not None:
        return float(b[4] - a[4])
    return None if a[1] is None or b[1] is None else float(b[1] - a[1] + (b[2] or 0.0))


def _follows(a: Mark, b: Mark) -> bool:
    """Whether a mark comes after another in one stretch of a log."""
    return bool(a[3] == b[3] and b[0] > a[0] and b[1] > a[1])


def curves_of(reading: Reading) -> list[Curve]:
    """The curves of a reading that began at the file's start."""
    out = [Curve(trial.name, trial.index) for trial in reading.trials if trial.kind == "curve"]
    for curve in out:
        extend(curve, reading)
    return out


def extend(curve: Curve, reading: Reading) -> None:
    """Take what a reading says of this curve; it may be of appended lines only, without a restart among them."""
    own = [block for block in reading.blocks if block.trial == curve.trial and len(block.step)]
    curve.loss = curve.loss or next((name for name in LOSSES if any(name in b.columns for b in own)), "")
    bounds = _superseded(reading, curve.trial)
    points = sorted((p for block in own for p in _points(block, curve.loss, bounds.get(block.segment))), key=IN_ORDER)
    rows = [row for block in own for row in _rows(block, bounds.get(block.segment))]
    _take_evaluations(curve, points)
    _take_rows(curve, rows)
    closing = [b for b in own if any(name.startswith("final/") for name in b.columns)]
    curve.closed = curve.closed or bool(closing)
    _take_facts(curve, reading, max((line for b in own if b not in closing and b.line for line in (b.line[-1],)), default=0))


def _superseded(reading: Reading, trial: int) -> dict[int, int]:
    """The step from which on the points of a segment no longer count, because a later one did them again."""
    starts = [(s.index, s.start_step) for s in reading.segments if s.trial == trial and s.index > 0 and s.start_step is not None]
    segments = {b.segment for b in reading.blocks if b.trial == trial}
    return {g: min(later) for g in segments if (later := [step for index, step in starts if index > g])}


def _points(block: Block, loss: str, bound: int | None) -> list[Point]:
    """The evaluations of a block that count."""
    if loss not in block.columns:
        return []
    rows = zip(block.step, map(float, block.columns[loss].values), count())
    return [(block.segment, step, v, block, i) for step, v, i in rows if step is not None and (bound is None or step < bound)]


def _mark(point: Point) -> Mark:
    """What the usual interval between evaluations is taken from."""
    segment, step, _, block, i = point
    own, walls = block.columns.get("val/s"), block.columns.get("wall_s")
    seconds = float(own.values[i]) if own is not None and math.isfinite(own.values[i]) else None
    return [step, block.elapsed[i] if block.elapsed is not None else None, seconds, segment, walls.values[i] if walls else None]


def _rows(block: Block, bound: int | None) -> Iterable[tuple[int, float | None, float | None, int]]:
    """(step, clock, training loss, segment) of a block's last lines."""
    train = block.columns.get(TRAIN)
    for i in range(max(0, len(block.step) - 8), len(block.step)):
        step = block.step[i]
        if step is not None and (bound is None or step < bound):
            clock = block.elapsed[i] if block.elapsed is not None else None
            yield step, clock, float(train.values[i]) if train is not None else None, block.segment


def _take_evaluations(curve: Curve, found: list[Point]) -> None:
    if not found:
        return
    finite = [p for p in found if math.isfinite(p[2])]
    if finite and (curve.best is None or min(finite, key=LOWEST)[2] < curve.best[1]):
        _, step, loss, _, _ = min(finite, key=LOWEST)
        curve.best = [step, loss]
    curve.last = [found[-1][1], found[-1][2]]
    curve.count += len(found)
    curve.recent = [*curve.recent, *map(_mark, found[-RECENT:])][-RECENT:]
    curve.drawn = thinned([*curve.drawn, *([step, loss] for _, step, loss, _, _ in finite)])


def _take_rows(curve: Curve, rows: list[tuple[int, float | None, float | None, int]]) -> None:
    if not rows:
        return
    rows = sorted(rows, key=lambda r: (r[3], r[0]))
    curve.step = rows[-1][0]
    curve.lines = [*curve.lines, *([step, clock, None, segment, None] for step, clock, _, segment in rows if clock is not None)][-8:]
    if trained := [[step, loss] for step, _, loss, _ in rows if loss is not None]:
        curve.train = trained[-1]
    curve.crash = curve.end = curve.stopped = None  # it went on


def _take_facts(curve: Curve, reading: Reading, last_line: int) -> None:
    """What was declared, and how it ended: only what stands after the last data line ends it."""
    resumed = max((s.line for s in reading.segments if s.trial == curve.trial), default=0)
    for fact in reading.facts:
        if fact.trial != curve.trial:
            continue
        after = (fact.line or 0) > last_line and (fact.line or 0) > resumed
        if fact.key == "total_steps" and isinstance(fact.value, int | float) and 0 < fact.value < 2**62:
            curve.total = int(fact.value)
        elif fact.key == "status" and after and isinstance(fact.value, dict):
            curve.end = {key: str(value) for key, value in fact.value.items() if value is not None}
        elif fact.key == "crash" and after:
            _take_crash(curve, fact.value["kind"], str(fact.value["cause"])[:300])
        elif fact.key == "stopped" and after:
            curve.stopped = str(fact.value)[:200]


def _take_crash(curve: Curve, kind: str, text: str) -> None:
    """The first named error wins; that there was a traceback says less than any name."""
    otherwise = "killed" if kind == "kill" else "traceback"
    text = "" if kind == "traceback" else " ".join(text.split())
    if curve.crash in (None, "traceback"):
        curve.crash = cause_of(text, otherwise)


def thinned(points: list[list[Any]]) -> list[list[Any]]:
    """At most DRAWN points, the newest among them."""
    while len(points) > DRAWN:
        points = points[:-1][::2] + points[-1:]
    return points
