"""Logs whose lines begin with the step and the total: `500/20000 train_loss: 3.33`, `67/446 (epoch 0), train_loss = 2.9`."""

from __future__ import annotations

import re
from itertools import pairwise

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.text.firstdata import first_data_line
from ngt_report.text.late import late
from ngt_report.text.reader import read_text
from ngt_report.text.tokens import BEGIN, THOUSANDS, Dialect
from ngt_report.waist import Reading

LINE = BEGIN + (
    r"(?P<before>)(?P<phase>)(?P<what>)(?P<word>)(?P<step>" + THOUSANDS + r")[ \t]?/[ \t]?(?P<total>" + THOUSANDS + r")"
    r"(?:[ \t]*\(epoch[ \t]+[0-9.]+\))?[ \t,|:]++(?=[A-Za-z_])"
)
DIALECT = Dialect(
    header=late(LINE, re.IGNORECASE),
    maybe=re.compile(rb"(?:^|(?<=[\n \t|:\]]))[0-9][0-9,]*[ \t]?/[ \t]?[0-9][0-9,]*(?:[ \t]*\([^)\n]{1,30}\))?[ \t,|:]++[A-Za-z_]"),
)


def sniff(file: InputFile) -> str | None:
    """Steps that never fall among lines with a loss, of one total; asked after the formats whose lines say `step`."""
    found = first_data_line(file, DIALECT)
    lines = [(m, t) for t in found[1] if (m := DIALECT.header.match(t))] if found else []
    steps = [int(m["step"].replace(",", "")) for m, _ in lines]
    if not found or not any("loss" in t.lower() for _, t in lines) or any(b < a for a, b in pairwise(steps)):
        return None
    same = len({m["total"] for m, _ in lines}) == 1 and max(steps) <= int(lines[0][0]["total"].replace(",", ""))
    return f"line {found[0]} on: `step/total name: value`" if same else None


def read(file: InputFile) -> Reading:
    return read_text(file, DIALECT)


FORMAT = Format(
    name="leading",
    title="text log with step/total in front",
    example="0/20000 val_loss: 9.0101 val_bpb: 3.4801\n500/20000 train_loss: 3.3311 train_time: 0.8m tok/s: 7727000",
    clock="train_time, time, elapsed ..., cumulative since the process started, as printed; scope unknown",
    sniff=sniff,
    read=read,
    rank=63,
    grows=True,
)
