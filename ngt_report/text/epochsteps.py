"""Steps that start again with each epoch: counted on over the run where the log says how many an epoch has."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from ngt_report.waist import Reading

Counts = list[int | None]


class EpochSteps(Struct):
    """Where a log stands that prints an epoch and a step."""

    base: int | None = None  # the number of the first epoch
    epoch: int | None = None  # the latest
    last: int = 0  # its latest step as printed
    dense: bool = True  # every step of it was printed
    first: int = 0  # its first step
    length: int | None = None  # steps an epoch
    restarts: bool | None = None  # whether steps start again: None until a second epoch says so
    before: int = 0  # steps of the epochs before, at least, where their length is not known
    unknown: bool = False

    def run_steps(self, steps: Counts, epochs: Counts, totals: Counts) -> list[int]:
        """The steps of lines, counted over the run."""
        return [self._step(s or 0, e, t) for s, e, t in zip(steps, epochs, totals, strict=True)]

    def _step(self, step: int, epoch: int | None, total: int | None) -> int:
        if epoch is None:
            return self._over(step)
        if self.base is None or self.epoch is None or epoch < self.epoch:  # another run begins, or the same goes on from a checkpoint
            self.base = min(epoch, 1) if self.base is None else min(self.base, epoch)
            self.before = 0
            self._begin(step)
        elif epoch > self.epoch:
            self._next(epoch - self.epoch, step, total)
            self._begin(step)
        elif step > self.last:
            self.dense = self.dense and step == self.last + 1
        self.epoch, self.last = epoch, step
        return self._over(step)

    def _begin(self, step: int) -> None:
        self.first, self.dense = step, step <= 1

    def _next(self, epochs: int, step: int, total: int | None) -> None:
        """A later epoch: whether its steps start again, and how many the one before had."""
        if self.restarts is None:
            self.restarts = step <= self.last
            derived = self.last - self.first + 1 if self.dense and self.first == step else None
            self.length = (total if total and total >= self.last else derived) if self.restarts else None
            self.unknown = self.restarts and (self.length is None or self.base is not None and (self.epoch or 0) > self.base)
        self.before += self.last * epochs

    def _over(self, step: int) -> int:
        """This step of the current epoch, counted over the run."""
        if not self.restarts:
            return step
        if self.length and not self.unknown:
            return step + ((self.epoch or 0) - (self.base or 0)) * self.length
        return step + self.before

    def whole(self, total: int, epochs: Counts) -> int | None:
        """The steps of all epochs, where a printed total may be that of one."""
        if self.epoch is None:
            return total
        declared = next((e for e in epochs if e), None)
        if self.restarts:
            return total * declared if declared else None
        # in the first of several epochs nothing says yet whether steps start again
        return None if self.restarts is None and declared and declared > 1 else total

    def end_of(self, epoch: int | None, otherwise: int | None) -> int | None:
        """The step at which an epoch ends, where that is known."""
        if epoch is None or not self.restarts or not self.length or self.unknown or self.base is None:
            return otherwise
        return (epoch - self.base + 1) * self.length

    @property
    def open(self) -> bool:
        """Whether what was read may have to be read otherwise when more follows."""
        return self.unknown or self.epoch is not None and self.restarts is None


RESTART = "Steps start again with each epoch, and how many an epoch has is not said: the points have no step, only their order."


def without_steps(reading: Reading, trials: Iterable[int], said: str = RESTART) -> None:
    """Take the steps from points of runs whose steps cannot be known, and say why."""
    for trial in sorted(trials):
        for block in reading.blocks:
            if block.trial == trial:
                block.step = [None] * len(block.step)
        reading.note("warning", "steps_restart", said, trial, reading.trials[trial].line)
