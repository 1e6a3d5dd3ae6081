"""What the lines of a text log print of time: an elapsed time, or the times of steps, whose sum is the clock."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Sequence

from msgspec import Struct, field

from ngt_report.text.spans import Part
from ngt_report.text.tokens import CLOCKS, Shape, numbers
from ngt_report.waist import Block


class StepTimes(Struct):
    """The clock of a log that prints step times: their sum, each printed time standing for the steps since the one before."""

    total: float = 0.0
    usual: float | None = None  # of one step
    odd: bool = False  # whether the latest was far longer
    step: int | None = None  # the latest that is in the sum
    means: bool = False  # whether the times are means over the steps since the one before
    first: tuple[int, int, float] | None = None  # line, step and mean of the first, whose interval the second tells
    late: list[tuple[int, float]] = field(default_factory=list)  # lines whose clock became known afterwards

    @property
    def waits(self) -> bool:
        """Whether the first mean waits for its interval."""
        return self.first is not None

    def add(self, seconds: float, step: int, mean: bool, line: int) -> float | None:
        """The clock at this step. A time far longer than usual (an evaluation) stands for itself only, unless it is a mean."""
        self.means = mean
        if mean and self.step is None and step > 1:  # of how many iterations? the next line tells
            self.first, self.step, self.usual = (line, step, seconds), step, seconds
            return None
        if self.first:
            at, start, of_first = self.first
            self.total = of_first * max(1, min(start, step - start))
            self.late, self.first = [*self.late, (at, self.total)], None
        steps = max(1, step - self.step) if self.step is not None else 1
        usual = seconds if self.usual is None else self.usual
        self.odd = not mean and seconds > 3 * usual > 0 and not self.odd
        self.total += seconds + (steps - 1) * (usual if self.odd else seconds)
        self.usual, self.step = usual if self.odd else seconds, step
        return self.total

    def before(self, step: int) -> float | None:
        """The clock of an evaluation that stands before this step, or behind it: steps of which no time is told yet took the usual one."""
        if self.step is None or self.usual is None or self.waits:
            return None
        if step > self.step + 1:
            if self.means:
                return None  # the next mean tells of these steps
            self.total += (step - 1 - self.step) * self.usual
            self.step = step - 1
        return self.total

    def summed(
        self, readings: Iterable[tuple[float | None, str, int, int]], evaluating: Container[int], elapsed: bool
    ) -> tuple[list[float | None], bool]:
        """The clock of lines, from (seconds, kind, step, line), of which some print a step's time; an elapsed time ends that."""
        out: list[float | None] = []
        for i, (seconds, kind, step, line) in enumerate(readings):
            elapsed = elapsed or kind == "@clock" and seconds is not None
            if seconds is not None and kind == "@clock":
                out.append(seconds)
            elif elapsed or seconds is None and i not in evaluating:
                out.append(None)
            else:
                out.append(self.before(step) if seconds is None else self.add(seconds, step, kind == "@mean_clock", line))
        return out, elapsed


def clocks_of(
    parts: list[Part], steps: Sequence[int], lines: Sequence[int], times: StepTimes, elapsed: bool
) -> tuple[list[float | None] | None, bool]:
    """The clock of each line in seconds, and whether an elapsed time was printed so far: times of steps are no clock then."""
    clocks, kinds = printed_clocks(parts, len(steps))
    if clocks is None:
        if elapsed or times.step is None:
            return None, elapsed
        clocks = [None] * len(steps)
    elif not elapsed and all(kind == "@clock" for kind in kinds):
        return clocks, True
    kinds = kinds * len(steps) if len(kinds) == 1 else kinds
    return times.summed(zip(clocks, kinds or ["@clock"] * len(steps), steps, lines, strict=False), evaluating(parts, len(steps)), elapsed)


def evaluating(parts: list[Part], size: int) -> set[int]:
    """Which lines hold a validation metric."""
    return {i for p in parts if evaluates(p.shape) for i in (p.places if p.places is not None else range(size))}


def put_late(blocks: Sequence[Block], late: Sequence[tuple[int, float]]) -> None:
    """Give lines the clock that a later line told."""
    for at, seconds in late:
        for block in blocks:
            if block.elapsed is not None and block.line is not None and at in block.line:
                block.elapsed = [seconds if line == at else e for line, e in zip(block.line, block.elapsed, strict=True)]


def printed_clocks(parts: list[Part], size: int) -> tuple[list[float | None] | None, list[str]]:
    """What the lines print of time, and its kind (once if all lines are alike); an elapsed time counts before a step's own."""
    clocks: list[float | None] = [None] * size
    kinds = ["@clock"] * size
    found = False
    for part in parts:
        names = {v.name: k for k, v in reversed(list(enumerate(part.shape.values)))}
        kind = next((name for name in CLOCKS if name in names), None)
        if kind is None:
            continue
        found = True
        seconds = _finite(numbers(part.columns[names[kind]], part.shape.values[names[kind]]))
        if part.places is None:
            return seconds, [kind]
        for i, s in zip(part.places, seconds, strict=True):
            clocks[i], kinds[i] = s, kind
    return (clocks, kinds) if found else (None, [])


def _finite(seconds: Sequence[float]) -> list[float | None]:
    """Readings that are no numbers are none."""
    return list(seconds) if math.isfinite(sum(seconds)) else [s if math.isfinite(s) else None for s in seconds]


def evaluates(shape: Shape) -> bool:
    """Whether lines of this shape hold a validation metric."""
    return any(v.name.startswith("val/") for v in shape.values)
