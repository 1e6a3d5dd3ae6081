"""litgpt logs: `Epoch 1 | iter 64 step 4 | loss train: 7.123, val: 9.123 | ...` beside `iter 64: val loss 7.1234, val time: 9.1 ms`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.text.firstdata import first_data_line
from ngt_report.text.reader import read_text
from ngt_report.text.tokens import Dialect
from ngt_report.waist import Block, Column, Reading

# `val:` on a training line only repeats the evaluation before; the times are of single iterations, many of which go unprinted
SHOWN = "val/shown"
UNPLACED = "Lines of training show the latest evaluation, and at which step it was is not said: evaluations have no step, only their order."
DIALECT = Dialect(
    keys={
        "val": SHOWN, "val_prev_val_iter": SHOWN, "loss_train_curr": "train/loss", "iter_time": "@drop", "val_time": "@drop",
        "remaining_time": "@drop",
    },
    iterations=True,
)  # fmt: skip
LINE = re.compile(r"(?:.*\s)?(?:Epoch\s+\d+\s*\|\s*)?iter\s+\d+\s+(?:\|\s*)?step\s+\d+\s*[|:].*\bloss\b.*\biter time\b", re.IGNORECASE)


def sniff(file: InputFile) -> str | None:
    found = first_data_line(file, DIALECT)
    if found and any(LINE.match(t) for t in found[1]):
        return f"line {found[0]} on: `iter N step M`, a loss and an iter time"
    return None


def read(file: InputFile) -> Reading:
    """As any text log; what lines of training show again counts only where no line of an evaluation is there."""
    reading = read_text(file, DIALECT)
    told = {block.trial for block in reading.blocks if "val/loss" in block.columns}
    shown: list[Block] = []
    if file.state is None and not told:
        reading.state = None  # a line of an evaluation may still come
        shown = [block for trial in reading.trials for block in _changes(reading, trial.index)]
        if shown:
            reading.note("info", "steps_of_neighbours", UNPLACED, shown[0].trial, shown[0].line[0] if shown[0].line else None)
    for block in reading.blocks:
        block.columns.pop(SHOWN, None)
    reading.blocks = [block for block in reading.blocks if block.columns or block.elapsed is not None] + shown
    return reading


def _changes(reading: Reading, trial: int) -> Iterator[Block]:
    """The evaluations that lines of training show for the first time, in the order of the lines."""
    last = ""
    for line, value, places, segment in sorted(_shown(reading, trial)):
        if repr(value) != last:
            yield Block(trial, segment, [None], {"val/loss": Column([value], places)}, [line])
        last = repr(value)


def _shown(reading: Reading, trial: int) -> Iterator[tuple[int, float, int | None, int]]:
    """What the lines of training show: line, value, its decimals and the segment."""
    for block in reading.blocks:
        column = block.columns.get(SHOWN)
        if block.trial == trial and column is not None and block.line is not None:
            places = column.decimals if isinstance(column.decimals, list) else [column.decimals] * len(column.values)
            yield from zip(block.line, map(float, column.values), places, [block.segment] * len(places), strict=True)


FORMAT = Format(
    name="litgpt",
    title="litgpt text log",
    example="Epoch 1 | iter 64 step 4 | loss train: 7.1234, val: n/a | iter time: 123.45 ms (step) remaining time: 0:10:00\n"
    "iter 64: val loss 7.2101, val time: 1234.56 ms",
    clock="none on the lines; an evaluation that gives only its iteration stands at the step of that iteration",
    sniff=sniff,
    read=read,
    rank=41,
    grows=True,
    version=4,
)
