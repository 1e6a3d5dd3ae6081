"""Text logs whose lines count nothing but epochs: `Epoch 2/10 | Train Loss: 3.1023 | Val Loss: 3.2011`."""

from __future__ import annotations

import re

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.text.firstdata import first_data_line
from ngt_report.text.reader import read_text
from ngt_report.text.tokens import EPOCHS, Dialect
from ngt_report.waist import Reading

DIALECT = Dialect(
    keys={"epoch": "@step", "ep": "@step", "time": "@drop", "epoch_time": "@drop"},  # a time beside an epoch may be its own
    header=EPOCHS,
    maybe=re.compile(rb"(?i)\bep(?:och)?['\"]?[ \t]*+(?:[:=#][ \t]*+)?(?:[\[(][ \t]*+)?[0-9]"),
)


def sniff(file: InputFile) -> str | None:
    """Asked after the formats that count steps."""
    found = first_data_line(file, DIALECT)
    if found is None or _bars_tell_steps(file, found[1]):
        return None
    return f"line {found[0]} has an epoch and named numbers, and no line has a step"


def _bars_tell_steps(file: InputFile, lines: list[str]) -> bool:
    """Whether values only stand below headings, and bars with a loss stand beside them, which tell the steps too."""
    if any(line.encode() in file.head for line in lines):
        return False
    from ngt_report.sources.progress import SIGN

    return SIGN.search(file.head) is not None


def read(file: InputFile) -> Reading:
    """A run whose epochs count as steps."""
    reading = read_text(file, DIALECT)
    if reading.blocks and file.state is None:
        reading.note("info", "epochs_as_steps", "No step is given; epochs count as steps.")
    return reading


FORMAT = Format(
    name="epochs",
    title="text log of epochs",
    example="Epoch 1/10 | Train Loss: 4.1023 | Val Loss: 3.9011\nEpoch 2/10 | Train Loss: 3.1023 | Val Loss: 3.2011",
    clock="elapsed and the like, cumulative; a time beside an epoch may be the epoch's own and is not read",
    sniff=sniff,
    read=read,
    rank=62,
    grows=True,
    version=5,
)
