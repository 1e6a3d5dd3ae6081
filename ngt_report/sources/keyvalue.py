"""Any text log with a step and named numbers on a line: `step 500/15000 train_loss=4.1 val_loss=4.2 elapsed=612.3s`."""

from __future__ import annotations

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.text.firstdata import first_data_line
from ngt_report.text.reader import read_text
from ngt_report.text.tokens import Dialect
from ngt_report.waist import Reading

DIALECT = Dialect(keys={"dt": "@step_clock"})


def sniff(file: InputFile) -> str | None:
    found = first_data_line(file, DIALECT)
    return f"line {found[0]} has a step and named numbers" if found else None


def read(file: InputFile) -> Reading:
    return read_text(file, DIALECT)


FORMAT = Format(
    name="keyvalue",
    title="key=value text log",
    example="step 500/15000 train_loss=6.1034 val_loss=6.2517 rep_loss=0.0912 elapsed=617.4s",
    clock="elapsed (or time, train_time ...), cumulative since the process started, as printed; scope unknown",
    sniff=sniff,
    read=read,
    rank=60,
    grows=True,
    version=5,
)
