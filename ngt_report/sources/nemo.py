"""NeMo lines, which show the latest evaluation until the next: `... | global_step: 120 | reduced_train_loss: 4.233 | val_loss: 4.406`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.text.firstdata import first_data_line
from ngt_report.text.reader import read_text
from ngt_report.text.tokens import Dialect
from ngt_report.waist import Block, Column, Reading

DIALECT = Dialect(keys={"global_batch_size": "@drop", "consumed_samples": "@drop", "train_step_timing_in_s": "@drop"})
LINE = re.compile(r".*\bglobal_step\b.*\breduced_train_loss\b", re.IGNORECASE)
EVALUATED = ("val/", "test/")
Shown = dict[str, float]  # trial and metric -> the latest value


def sniff(file: InputFile) -> str | None:
    found = first_data_line(file, DIALECT)
    if found and any(LINE.match(t) for t in found[1]):
        return f"line {found[0]} on: `global_step` and `reduced_train_loss`"
    return None


def read(file: InputFile) -> Reading:
    """As any text log, but an evaluation that is shown again is no new one."""
    shown: Shown = dict((file.state or {}).pop("shown", {}))
    reading = read_text(file, DIALECT)
    reading.blocks = [part for block in reading.blocks for part in _new(block, shown)]
    if reading.state is not None:
        reading.state["shown"] = shown
    return reading


def _new(block: Block, shown: Shown) -> Iterator[Block]:
    """A block without its evaluations, and those of them that are new."""
    held = {name: column for name, column in block.columns.items() if name.startswith(EVALUATED)}
    rest = {name: column for name, column in block.columns.items() if name not in held}
    if rest or not held:
        yield Block(block.trial, block.segment, block.step, rest, block.line, block.pointer, block.elapsed, block.tokens)
    for name, column in held.items():
        places = list(_changes(list(column.values), f"{block.trial} {name}", shown))
        if places:
            own = {name: Column(_at(column.values, places), _at(column.decimals, places))}
            yield Block(block.trial, block.segment, _at(block.step, places), own, *(_at(c, places) for c in _beside(block)))


def _changes(values: Sequence[float], key: str, shown: Shown) -> Iterator[int]:
    for i, value in enumerate(values):
        if shown.get(key) != value:
            shown[key] = value
            yield i


def _beside(block: Block) -> tuple[Any, ...]:
    return block.line, block.pointer, block.elapsed, block.tokens


def _at(column: Any, places: list[int]) -> Any:
    """The values at some places; what is no list is the same for all."""
    return [column[i] for i in places] if column is not None and not isinstance(column, int) else column


FORMAT = Format(
    name="nemo",
    title="NeMo text log",
    example="Training epoch 0, iteration 120/149 | lr: 3e-05 | global_step: 120 | reduced_train_loss: 4.233 | val_loss: 4.406\n"
    "Training epoch 0, iteration 121/149 | lr: 3e-05 | global_step: 121 | reduced_train_loss: 4.188 | val_loss: 4.406",
    clock="none on the lines; an evaluation that is shown again is no new one",
    sniff=sniff,
    read=read,
    rank=46,
    grows=True,
)
