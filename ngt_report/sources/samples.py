"""Logs that count the samples of an epoch, as PyTorch's examples do: `Train Epoch: 3 [25600/60000 (43%)]  Loss: 0.43`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from msgspec import Struct

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._rewritten import STAMP, Rewritten, rewritten, shows
from ngt_report.text.firstdata import first_data_line
from ngt_report.text.late import late
from ngt_report.text.reader import read_text
from ngt_report.text.tokens import Dialect
from ngt_report.waist import Block, Reading

DIALECT = Dialect(keys={"time": "@drop"})
LINE = late(
    rb"(?im)^" + STAMP + rb"train(?:ing)?[ \t]+epoch[ \t]*:?[ \t]*(?P<epoch>[0-9]{1,9})(?:[ \t]*/[ \t]*[0-9]{1,9})?[ \t:,|\-]*+"
    rb"\[[ \t]*(?P<at>[0-9]{1,12})[ \t]*/[ \t]*(?P<of>[0-9]{1,12})[ \t]*"
    rb"\([ \t]*(?P<share>[0-9]{1,3}(?:\.[0-9]{1,6})?)[ \t]*%[ \t]*\)[ \t]*\]"
)
EVALUATED = late(  # Test set: Average loss: 0.32
    rb"(?im)^(?P<phase>[^\w\n]*+(?:test|val|valid|validation|eval|evaluation|dev))"
    rb"(?:[ \t]set)?[ \t:,|\-]++(?:(?:average|avg\.?|mean)[ \t]++)?(?=loss\b)"
)
SAID = (
    "No step is given, and lines count the samples of an epoch: points of training have no step, only their order. "
    "Evaluations after an epoch stand at its number."
)


class Places(Struct):
    """Numbers for the places in epochs, in the order of training."""

    of: int = 0  # what an epoch has
    others: int = 0  # lines that say another number

    def rewrite(self, block: bytes) -> bytes:
        """The block with a number for each place."""
        return EVALUATED.sub(rb"\g<phase> ", LINE.sub(self._line, block)) if b"poch" in block or b"loss" in block else block

    def _line(self, found: re.Match[bytes]) -> bytes:
        at, of = int(found["at"]), int(found["of"])
        self.of = self.of or of
        self.others += of != self.of
        if of != self.of or at > of or abs(100 * at - float(found["share"]) * of) > of:  # its own numbers do not agree
            return found[0]
        return b"step %d" % ((int(found["epoch"]) + 1) * (of + 1) + at)

    def epoch(self, place: int) -> int:
        """The epoch of a place, as printed."""
        return place // (self.of + 1) - 1


def sniff(file: InputFile) -> str | None:
    """Lines of training with an epoch, and how far it is in numbers and in percent."""
    plain, _ = _plain(file)
    found = first_data_line(plain, DIALECT) if shows(file, b"poch", LINE) else None
    return f"line {found[0]} on: `Train Epoch: N [at/of (share%)]` and a loss" if found else None


def _plain(file: InputFile) -> tuple[Rewritten, list[Places]]:
    """The file with numbers for places, and what was found out about them by each reading."""
    readings: list[Places] = []

    def begin() -> Places:
        readings.append(Places())
        return readings[-1]

    return rewritten(file, lambda: begin().rewrite), readings


def read(file: InputFile) -> Reading:
    """As any text log; then places become what is known of them."""
    plain, readings = _plain(file)
    reading = read_text(plain, DIALECT)
    reading.state = None
    places = readings[-1]
    for trial in reading.trials:
        _place([b for b in reading.blocks if b.trial == trial.index], places)
    for segment in reading.segments:
        segment.start_step = None if segment.start_step is None else places.epoch(segment.start_step)
    reading.facts = [f for f in reading.facts if f.key != "total_steps"]
    reading.findings = [f for f in reading.findings if f.kind != "steps_of_neighbours"]
    _note(reading, places)
    return reading


def _note(reading: Reading, places: Places) -> None:
    if reading.trials:
        reading.note("info", "epochs_as_steps", SAID, None, reading.trials[0].line)
    if places.others:
        text = f"{places.others} lines count an epoch of another length than the first: they are not read."
        reading.note("warning", "another_length", text)


def _place(blocks: list[Block], places: Places) -> None:
    """Steps of a run: none for training; for evaluations the number of their epoch, where each came after one."""
    train = sorted((line, step) for b in blocks if "train/loss" in b.columns for line, step in _points(b))
    other = [b for b in blocks if "train/loss" not in b.columns]
    after = all(_over(line, step, train, places) for b in other for line, step in _points(b))
    for block in blocks:
        known = after and "train/loss" not in block.columns
        block.step = [places.epoch(s) if known and s is not None else None for s in block.step]


def _points(block: Block) -> Iterable[tuple[int, int]]:
    """(line, place) of the points of a block."""
    return ((line, step) for line, step in zip(block.line or (), block.step, strict=False) if step is not None)


def _over(line: int, step: int, train: list[tuple[int, int]], places: Places) -> bool:
    """Whether the epoch of a place was over when an evaluation came: training goes on with a later one, or it would be past its end."""
    after = next((s for at, s in train if at > line), None)
    if after is not None:
        return places.epoch(after) != places.epoch(step)
    before = [s for at, s in train if at < line]
    gap = next((b - a for a, b in reversed(list(pairwise(before))) if places.epoch(a) == places.epoch(b)), 0)
    return step % (places.of + 1) + gap >= places.of


FORMAT = Format(
    name="samples",
    title="text log of samples",
    example="Train Epoch: 1 [0/60000 (0%)]\tLoss: 4.1012\nTrain Epoch: 1 [32000/60000 (53%)]\tLoss: 3.1012\n"
    "Test set: Average loss: 3.0012, Accuracy: 9500/10000 (95%)",
    clock="none",
    sniff=sniff,
    read=read,
    rank=66,
)
