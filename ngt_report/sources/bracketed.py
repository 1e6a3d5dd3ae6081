"""Logs whose lines begin with their step in brackets: `[100] loss=3.2, lr=0.1` (clu) and `[100 | 28.71] loss=3.45` (gpt-2-simple)."""

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
    r"(?P<before>)(?P<phase>)(?P<what>)(?P<word>)\[(?P<step>"
    + THOUSANDS
    + r")(?P<total>(?!))?(?:[ \t]*\|[ \t]*(?P<clock>[0-9]+(?:\.[0-9]+)?))?\]"
    r"[ \t]++(?=[A-Za-z_][\w /]{0,40}=)"
)
DIALECT = Dialect(header=late(LINE, re.IGNORECASE), maybe=re.compile(rb"\[[0-9][0-9,]*(?:[ ]*\|[ ]*[0-9.]+)?\][ \t]+[A-Za-z_]"))


def sniff(file: InputFile) -> str | None:
    """Numbers in brackets that grow and reach further than ranks do; asked after the formats whose lines say `step`."""
    found = first_data_line(file, DIALECT)
    steps = [int(m["step"].replace(",", "")) for t in found[1] if (m := DIALECT.header.match(t))] if found else []
    if not found or not steps or max(steps) < 10 or any(b < a for a, b in pairwise(steps)):
        return None
    return f"line {found[0]} on: `[step] name=value`"


def read(file: InputFile) -> Reading:
    return read_text(file, DIALECT)


FORMAT = Format(
    name="bracketed",
    title="text log with the step in brackets",
    example="[100] learning_rate=0.001, loss=5.101\n[100] eval_loss=5.201\n[200] learning_rate=0.001, loss=4.101",
    clock="the number beside the step, in seconds since the start, where there is one; scope unknown",
    sniff=sniff,
    read=read,
    rank=61,
    grows=True,
)
