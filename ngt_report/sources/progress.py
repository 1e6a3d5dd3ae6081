"""Progress bars that show a loss (tqdm, Lightning): `Epoch 0: 50%|##| 50/100 [00:10<00:10, 5.0it/s, loss=5.1, val_loss=5.2]`.

What is printed between the bars is read too: an evaluation stands at the step that the training bar reached.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from ngt_report import names
from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._above import settings_above
from ngt_report.sources._bars import EVALUATED, Bar, Steps, alike, bars_in, evaluated
from ngt_report.sources._curve import CurveReader
from ngt_report.sources._drawn import drawings
from ngt_report.sources._shape import Shape
from ngt_report.text import loglines
from ngt_report.text.epochsteps import without_steps
from ngt_report.text.lone import epoch_of, values_of
from ngt_report.waist import Block, Column, Reading

SIGN = re.compile(rb"%\|[^|\n]{0,800}\|[ \t]*[0-9]+/[0-9]+[ \t]*\[[0-9:]+<[^\]\n]{0,200}loss=")
SHAPE = Shape("curve", "the bars advance", "step")
SAID = frozenset("final stated time throughput results stop traceback crash kill".split())  # kinds of other lines that are recorded
TOGETHER = "Several evaluations stand together after the bars, and which came when is not said: the points have no step, only their order."


def sniff(file: InputFile) -> str | None:
    """Bars that show a loss; asked after all formats that print one."""
    found = SIGN.search(file.head) if file.encoding != "binary" else None
    return f"line {file.head.count(bytes([10]), 0, found.start()) + 1} is a progress bar that shows a loss" if found else None


def read(file: InputFile) -> Reading:
    """The bars that train count on over the epochs; bars that evaluate and lines between stand where training is."""
    reading = Reading()
    bars = BarReader(reading)
    for line, drawn in drawings(file, reading):
        said = [bars.drawing(text, line) for text in drawn]
        if any(said):
            reading.lines_used += 1
        else:
            reading.ignore("no metrics" if drawn else "blank")
    bars.finish(file.complete)
    settings_above(file, reading)
    if reading.trials:
        text = "The losses are those that a progress bar showed, which may be averages; one that it shows again is no new evaluation."
        reading.note("info", "from_a_bar", text, None, reading.trials[0].line)
    return reading


class Evaluation(Struct):
    """The full bar of an evaluation, which counts unless a line says what came out."""

    bar: Bar
    line: int
    values: dict[str, str]
    named: bool  # its names say that they are results of an evaluation
    mixed: bool = False  # another bar came after it: which of them counts is not said


class BarReader:
    """Reads the drawings of a file in order."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.curve = CurveReader(reading, SHAPE)
        self.steps = Steps()
        self.at: int | None = None  # the step that training has reached
        self.name: str | None = None  # the marker that waits for its run
        self.shown: dict[str, str] = {}  # evaluation -> the latest number that the training bar showed
        self.told: dict[str, tuple[str, int]] = {}  # evaluation -> the latest number on a line, and its step
        self.places = 0  # steps at which lines told an evaluation of this run
        self.stated: dict[tuple[str, int], str] = {}  # what bars and lines said since training went on
        self.held: dict[str, Evaluation] = {}  # phase -> its bar since then
        self.trusted = False  # such a bar was all that told an epoch's evaluation
        self.shift: int | None = None  # from the epochs of lines to those of bars
        self.barred: list[Block] = []  # evaluations that only bars told
        self.unknown: set[int] = set()  # runs whose steps cannot be known
        self.together: set[int] = set()  # runs whose evaluations cannot be put in their places

    def drawing(self, text: str, line: int) -> bool:
        """One drawing, or a line without bars; whether it says something of a run."""
        bars, rest = bars_in(text)
        said = [self._bar(bar, line) for bar in bars]
        return bool(rest.strip()) and self._text(rest, line) or any(said)

    def _bar(self, bar: Bar, line: int) -> bool:
        if bar.phase == "train":
            inner = self.steps.bar if self.at is not None else None
            outer = bar.counts_epochs and inner is not None and not inner.counts_epochs
            return self._outer(bar, line) if outer else self._training(bar, line)
        return bool(bar.phase) and self.at is not None and self._evaluation(bar, line)

    # -- training -------------------------------------------------------------------------------------------------
    def _training(self, bar: Bar, line: int) -> bool:
        """A drawing of the bar that trains: a point when it shows something new."""
        found = bar.metrics()
        if not found or self.steps.aside(bar):
            return False
        if self.steps.follow(bar, bool(self.stated or self.held)):
            self.begin()
        step = self.steps.reached
        if step == 0:
            return False
        if step != self.at:
            self._settle()
            self.told, self.places = (self.told, self.places) if step > (self.at or 0) else ({}, 0)
        new = {raw: bar.values[raw] for raw, name in found.items() if self._is_new(name, bar.values[raw], step)}
        if not new:
            self.at = None if self.at is None else step
            return False
        seconds = self.steps.clock()
        return self._add({"step": step} | new | ({} if seconds is None else {"elapsed_s": seconds}), line)

    def _is_new(self, name: str, text: str, step: int) -> bool:
        """Whether a bar shows a value for the first time; an evaluation is shown until the next."""
        if not name.startswith(EVALUATED):
            return True
        if self.shown.get(name) == text:
            return False
        self.shown[name] = text
        if name in self.told and alike(self.told[name][0], text):
            return False
        self.stated[name, step] = text
        return True

    def _add(self, record: Mapping[str, Any], line: int) -> bool:
        """A point of training."""
        runs = len(self.reading.trials)
        added = self.curve.add(record, line)
        if added:
            self.at = record["step"]
        if len(self.reading.trials) > runs and self.name is not None:
            trial = self.reading.trials[-1]
            trial.name, trial.shared = self.name, True
            self.reading.fact("marker", self.name, trial.index, line)
            self.name = None
        if self.steps.unknown:
            self.unknown.add(len(self.reading.trials) - 1)
        return added

    def begin(self) -> None:
        """What comes next is another run."""
        self._settle()
        self.curve.begin()
        self.shown, self.told, self.at, self.shift, self.places = {}, {}, None, None, 0

    def _outer(self, bar: Bar, line: int) -> bool:
        """The bar around those that train counts epochs: of what it shows only evaluations are new."""
        values = {name: bar.values[raw] for raw, name in bar.metrics().items() if name.startswith(EVALUATED)}
        return self._put(
            {name: text for name, text in values.items() if self._is_new(name, text, self.steps.reached)}, self.steps.reached, line
        )

    # -- evaluations ----------------------------------------------------------------------------------------------
    def _evaluation(self, bar: Bar, line: int) -> bool:
        """A drawing of a bar that evaluates: the full one is held until a line says more, or training goes on."""
        before = self.held.get(bar.phase)
        if not bar.full:
            if before is not None:
                before.mixed = True
            return False
        values, named = evaluated(bar)
        if values:
            mixed = before is not None and (before.mixed or (before.bar.label.text, before.bar.of) != (bar.label.text, bar.of))
            self.held[bar.phase] = Evaluation(bar, line, values, named, mixed)
        return bool(values)

    def _settle(self, end: bool = False, complete: bool = False) -> None:
        """Training goes on, or the file ends: what no line said is what the bars showed."""
        for phase, held in self.held.items():
            said = held.mixed or any(name.startswith(phase) for name, _ in self.stated)
            if not said and (held.named or self.trusted or not end or complete):  # else a line may still come
                self.barred.append(self._block(held))
                self.trusted = self.trusted or not held.named
        self.held, self.stated = {}, {}

    def _block(self, held: Evaluation) -> Block:
        """The values of a bar, where training is."""
        trial = len(self.reading.trials) - 1
        segment = max((s.index for s in self.reading.segments if s.trial == trial), default=0)
        columns = {name: Column([float(text.replace(",", ""))], names.decimals(text)) for name, text in held.values.items()}
        return Block(trial, segment, [self.at], columns, [held.line])

    def _put(self, values: Mapping[str, str], step: int | None, line: int) -> bool:
        """An evaluation of the current run."""
        return bool(values) and self.curve.add({"step": step, **values}, line)

    def _text(self, text: str, line: int) -> bool:
        """A line without bars: an evaluation, the beginning of a run, or how one ended."""
        kind = loglines.kind_of(text.encode())
        if kind == "marker":
            self.begin()
            self.steps, self.name = Steps(self.steps.base), loglines.marker_name(text)
        elif self.at is None:
            return False
        elif kind == "lone":
            self._stated(text, line)
        elif kind in SAID:
            loglines.record(self.reading, len(self.reading.trials) - 1, str(kind), text, line, self.at)
        return kind in SAID or kind in ("marker", "lone")

    def _stated(self, text: str, line: int) -> None:
        """An evaluation on a line of its own."""
        epoch, at = epoch_of(text), self.steps.bar.epoch if self.steps.bar else None
        if epoch is not None and at is not None and self.shift is None:
            self.shift = at - epoch if abs(at - epoch) <= 1 else 0
        step = self.steps.end_of(epoch, self.shift or 0)
        values = {"val/loss" if name == "eval_loss" else name: number for name, number in values_of(text)}
        new = {name: number for name, number in values.items() if self._is_first(name, number, step)}
        self._put(new, step, line)
        self.places += "val/loss" in new and self.told.get("val/loss", ("", -1))[1] != step
        for name, number in new.items():
            self.told[name], self.stated[name, step] = (number, step), number

    def _is_first(self, name: str, number: str, step: int) -> bool:
        """Whether a line is the first to tell an evaluation. Of two that differ the later is left out; where the run's first
        place has several, they were held back while the bars went on, and none has its step."""
        said, last = self.stated.get((name, step)), self.told.get(name, ("", -1))[1]
        if last < step and (said is None or not alike(said, number)):
            return True
        if last != step or alike(said, number):
            return False
        late = name == "val/loss" and self.places == 1
        if late:
            self.together.add(len(self.reading.trials) - 1)
        return late

    def finish(self, complete: bool) -> None:
        """Hand over what was read."""
        self._settle(end=True, complete=complete)
        self.curve.finish()
        self.reading.blocks += [block for block in self.barred if block.trial not in self.together]
        without_steps(self.reading, self.unknown)
        without_steps(self.reading, self.together - self.unknown, TOGETHER)


FORMAT = Format(
    name="progress",
    title="progress bars that show a loss",
    example="Epoch 0: 100%|##########| 100/100 [00:25<00:00, 4.0it/s, v_num=0, train_loss=4.101, val_loss=4.201]",
    clock="the bar's own elapsed time, evaluations within it included, added up over bars; where they name their epoch none",
    sniff=sniff,
    read=read,
    rank=64,
    version=4,
)
