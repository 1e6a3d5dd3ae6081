"""Megatron-LM and Megatron-DeepSpeed logs: ` iteration 10/ 100 | ... | elapsed time per iteration (ms): 1234.5 | lm loss: 9.1E+00 |`."""

from __future__ import annotations

import re

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.text.firstdata import first_data_line
from ngt_report.text.reader import read_text
from ngt_report.text.tokens import Dialect
from ngt_report.waist import Reading

DIALECT = Dialect(
    keys={
        "global_batch_size": "@drop",
        "number_of_skipped_iterations": "@drop", "number_of_nan_iterations": "@drop", "num_zeros": "@drop", "loss_scale": "@drop",
    },
    scope="training",
)  # fmt: skip
LINE = re.compile(r".*\biteration:?\s+\d+\s*/\s*\d+\s*\|.*\belapsed[ _]time[ _]per[ _]iteration[ _](?:\(m?s\)|m?s):", re.IGNORECASE)


def sniff(file: InputFile) -> str | None:
    found = first_data_line(file, DIALECT)
    if found and any(LINE.match(t) for t in found[1]):
        return f"line {found[0]} on: `iteration N/ TOTAL | ... elapsed time per iteration`"
    return None


def read(file: InputFile) -> Reading:
    return read_text(file, DIALECT)


FORMAT = Format(
    name="megatron",
    title="Megatron text log",
    example=" iteration       20/     100 | consumed samples:  5120 | elapsed time per iteration (ms): 1234.5 |"
    " lm loss: 9.042713E+00 | grad norm: 4.123 |\n"
    " validation loss at iteration 20 | lm loss value: 9.100000E+00 | lm loss PPL: 8.955293E+03 |",
    clock="the mean time of an iteration since the line before; the clock is their sum over all iterations; training only",
    sniff=sniff,
    read=read,
    rank=41,
    sums=True,
    grows=True,
    version=4,
)
