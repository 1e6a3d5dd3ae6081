"""litgpt logs: `Epoch 1 | iter 64 step 4 | loss train: 7.123, val: 9.123 | ...` beside `iter 64: val loss 7.1234, val time: 9.1 ms`."""

from __future__ import annotations

import re

from ngt_report.files import InputFile
from ngt_report.firstdata import first_data_line
from ngt_report.sources import Format
from ngt_report.textlog import Dialect
from ngt_report.textreader import read_text
from ngt_report.waist import Reading

# `val:` on a training line only repeats the evaluation before; the times are of single iterations, many of which go unprinted
DIALECT = Dialect(
    keys={
        "val": "@drop", "val_prev_val_iter": "@drop", "loss_train_curr": "train/loss", "iter_time": "@drop", "val_time": "@drop",
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
    return read_text(file, DIALECT)


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
    version=2,
)
