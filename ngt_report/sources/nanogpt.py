"""nanoGPT logs: `step 250: train loss 1.9, val loss 2.0` beside `iter 250: loss 1.9, time 330.04ms, mfu 12.8%`."""

from __future__ import annotations

import re

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.text.firstdata import first_data_line
from ngt_report.text.reader import read_text
from ngt_report.text.tokens import Dialect
from ngt_report.waist import Reading

DIALECT = Dialect(
    keys={"time": "@step_clock", "dt": "@step_clock", "iter_time": "@step_clock", "iter_dt": "@step_clock"},
    totals=frozenset({"max_iters"}), scope="training and evaluation",
)  # fmt: skip
LINE = re.compile(
    r"(?:.*\s)?(?:iter|step)\s+\d+\s*[:|].*\b(?:(?:iter[ _])?time|dt|iter_dt)\W*[\d.]+\s*m?s\b|(?:.*\s)?iter_dt\s+[\d.]+m?s;\s*iter\s+\d+:",
    re.IGNORECASE,
)


def sniff(file: InputFile) -> str | None:
    found = first_data_line(file, DIALECT)
    if found and any(LINE.match(t) for t in found[1]):
        return f"line {found[0]} on: steps with their own time (`time 330.04ms`)"
    return None


def read(file: InputFile) -> Reading:
    return read_text(file, DIALECT)


FORMAT = Format(
    name="nanogpt",
    title="nanoGPT text log",
    example="step 250: train loss 2.1034, val loss 2.2210\niter 250: loss 2.0944, time 330.04ms, mfu 12.82%",
    clock="time is one step's own; the clock is their sum, each printed time standing for the steps since the one before; "
    "evaluations included",
    sniff=sniff,
    read=read,
    rank=45,
    sums=True,
    grows=True,
    version=5,
)
