"""Console logs of sweeps: `Step 50: loss = 7.5764` beside `[Val @ step 50]: train=7.5764, val=7.3620`, many runs a file."""

from __future__ import annotations

import re

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.text.firstdata import first_data_line
from ngt_report.text.reader import read_text
from ngt_report.text.tokens import Dialect
from ngt_report.waist import Reading

DIALECT = Dialect(keys={"val": "val/loss", "train": "@drop", "valid": "val/loss", "validation": "val/loss"})
LINE = re.compile(r"\s*\[?(?:Val(?:idation)?|Eval)\b[^\n]*\bstep\s*\d+\]?.*\bval\w*\s*[=:]", re.IGNORECASE)


def sniff(file: InputFile) -> str | None:
    found = first_data_line(file, DIALECT)
    if found and any(LINE.match(t) for t in found[1]):
        return f"line {found[0]} on: `[Val @ step N]: train=..., val=...`"
    return None


def read(file: InputFile) -> Reading:
    return read_text(file, DIALECT)


FORMAT = Format(
    name="console",
    title="console log of a sweep",
    example="Experiment: A1\nStep   50: loss = 7.5764\n  [Val @ step 50]: train=7.5764, val=7.3620\nValidation loss: 7.3411",
    clock="none on the lines; `Training time:` at the end is the train time",
    sniff=sniff,
    read=read,
    rank=42,
    grows=True,
    version=4,
)
