"""The log.txt of build-nanogpt: `250 val 5.9499`, `250 hella 0.2500`, `250 train 5.921875`, one value a line."""

from __future__ import annotations

import re

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._lines import head_lines
from ngt_report.text.firstdata import first_data_line
from ngt_report.text.loglines import plain
from ngt_report.text.reader import read_text
from ngt_report.text.tokens import NUMBER, Dialect
from ngt_report.waist import Reading

LINE = re.compile(rf"(?P<step>[0-9]{{1,18}}) (?P<key>train|val|test|hella(?:swag)?) (?P<number>{NUMBER})[ \t]*")
DIALECT = Dialect(
    keys={"train": "train/loss", "val": "val/loss", "test": "test/loss", "hella": "hellaswag/accuracy", "hellaswag": "hellaswag/accuracy"},
    line=LINE,
    maybe=re.compile(rb"(?:^|(?<=\n))[0-9]+ (?:train|val|test|hella)"),
)


def sniff(file: InputFile) -> str | None:
    """A head of which nearly every line is a step, a split and a value."""
    lines = [t for t in head_lines(file)[:200] if t.strip()]
    misses, allowed = 0, len(lines) // 10
    for text in lines:
        misses += not LINE.fullmatch(plain(text))
        if misses > allowed:
            return None
    found = first_data_line(file, DIALECT) if lines else None
    return f"line {found[0]} on: a step, train or val, and its loss" if found else None


def read(file: InputFile) -> Reading:
    return read_text(file, DIALECT)


FORMAT = Format(
    name="build_nanogpt",
    title="build-nanogpt log.txt",
    example="0 val 10.9511\n0 train 10.955029\n250 val 5.9499\n250 hella 0.2500\n250 train 5.921875",
    clock="none",
    sniff=sniff,
    read=read,
    rank=48,
    grows=True,
    version=3,
)
