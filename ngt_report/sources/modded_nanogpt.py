"""modded-nanogpt logs: `step:125/1500 val_loss:4.9272 train_time:46413ms step_avg:403.59ms` below the whole program."""

from __future__ import annotations

import re

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.text.firstdata import first_data_line
from ngt_report.text.reader import read_text
from ngt_report.text.tokens import Dialect
from ngt_report.waist import Reading

DIALECT = Dialect(keys={"time": "@clock"}, scope="training")
LINE = re.compile(r"(?:.*\s)?step:\d+/\d+\s+\w+:")


def sniff(file: InputFile) -> str | None:
    found = first_data_line(file, DIALECT)
    if found and sum(bool(LINE.match(t)) for t in found[1]) * 2 > len(found[1]):
        return f"line {found[0]} reads `step:N/TOTAL key:value`"
    return None


def read(file: InputFile) -> Reading:
    return read_text(file, DIALECT)


FORMAT = Format(
    name="modded_nanogpt",
    title="modded-nanogpt text log",
    example="step:0/400 val_loss:10.8258 train_time:0ms step_avg:nanms\nstep:125/400 val_loss:4.9011 train_time:16212ms step_avg:140.97ms",
    clock="train_time, cumulative, training only; ms or s as printed; reset after warm-up when it falls before the first evaluation",
    sniff=sniff,
    read=read,
    rank=40,
    grows=True,
    version=3,
)
