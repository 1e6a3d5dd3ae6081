"""llm.c logs: `step 100/1000 | loss 5.1 (+0.21z)| norm 1.5 (-0.10z)| lr 3.00e-04 | 132.50 ms | 42.6% bf16 MFU | 123456 tok/s`."""

from __future__ import annotations

import re

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.text.firstdata import first_data_line
from ngt_report.text.reader import read_text
from ngt_report.text.tokens import Dialect
from ngt_report.waist import Reading

REST = re.compile(
    r"\|[ \t]*(?P<iter_ms>[0-9]+(?:\.[0-9]+)?) ms[ \t]*\|[ \t]*(?P<mfu>-?[0-9]+(?:\.[0-9]+)?)%(?: [a-z0-9]+)? MFU[ \t]*"
    r"\|[ \t]*(?P<tok_s>[0-9]+(?:\.[0-9]+)?) tok/s"
)
DIALECT = Dialect(keys={"iter_ms": "@step_clock"}, unnamed=REST, scope="training")


def sniff(file: InputFile) -> str | None:
    found = first_data_line(file, DIALECT)
    if found and any(REST.search(t) for t in found[1]):
        return f"line {found[0]} on: steps with their time, MFU and tokens a second (`132.50 ms | 42.6% bf16 MFU | 123456 tok/s`)"
    return None


def read(file: InputFile) -> Reading:
    """As any text; its `total batch size` is one of tokens."""
    reading = read_text(file, DIALECT)
    for fact in reading.facts:
        fact.key = "batch_tokens" if fact.key == "batch_size" else fact.key
    reading.facts = [fact for fact in reading.facts if fact.key != "config.total_batch_size"]
    return reading


FORMAT = Format(
    name="llmc",
    title="llm.c text log",
    example="val loss 5.230012\n"
    "step 100/1000 | loss 5.123400 (+0.21z)| norm 1.5012 (-0.10z)| lr 3.00e-04 | 132.50 ms | 42.6% bf16 MFU | 123456 tok/s",
    clock="the time on a line is one step's own; the clock is their sum, each printed time standing for the steps since the one before; "
    "training only",
    sniff=sniff,
    read=read,
    rank=44,
    sums=True,
    grows=True,
    version=2,
)
