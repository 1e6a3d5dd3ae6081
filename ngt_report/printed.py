"""Numbers of thousands of equal lines at once: a pattern proves the lines equal, then they are one JSON array.

What stands between the numbers is taken out of the text in one pass, so that a parser of JSON can read them all. That works
where one character of those between two numbers stands there once and can become the comma; other lines go the longer way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ngt_report.textlog import Shape

LEAST = 1 << 14  # bytes; shorter stretches are not worth it
DIGITS = b"0123456789.-"
COMMAS = b" /:=,|;\t\n"  # what may become the comma


@dataclass(frozen=True, eq=False)
class Printed(Sequence[bytes]):
    """A column of numbers as printed, all with as many decimals."""

    values: Any  # a numpy array of doubles
    places: int | None  # None: whole numbers

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, at: Any) -> Any:
        return b"%d" % self.values[at] if self.places is None else b"%.*f" % (self.places, self.values[at])

    def count(self, value: Any) -> int:
        """How many values equal this printed one."""
        return int((self.values == float(value)).sum())

    def cut(self, start: int, end: int) -> Printed:
        """A stretch of the column."""
        return Printed(self.values[start:end], self.places)


@dataclass(frozen=True, slots=True)
class Lines:
    """How lines of one shape, with as many decimals, become numbers."""

    pattern: re.Pattern[bytes]
    table: bytes
    deleted: bytes
    places: tuple[int | None, ...]

    def read(self, block: bytes) -> list[Printed] | None:
        """The columns of a block that holds nothing else."""
        import numpy as np
        import orjson

        try:
            flat = orjson.loads(b"[" + block.translate(self.table, self.deleted).strip(b",") + b"]")
        except ValueError:  # 007 is a number in a log and none in JSON
            return None
        columns = np.ascontiguousarray(np.array(flat, np.float64).reshape(-1, len(self.places)).T)
        return [Printed(column, places) for column, places in zip(columns, self.places, strict=True)]


def equal_lines(shape: Shape, line: bytes, block: bytes, start: int) -> tuple[int, list[Printed]] | None:
    """Where the lines like this one end that begin at `start`, and their columns; None when they are few, or must be read one by one."""
    if len(block) - start < LEAST:
        return None
    literals, places = _taken_apart(shape, line)
    lines = _lines(literals, places) if literals else None
    match = lines.pattern.match(block, start) if lines else None
    if lines is None or match is None or match.end() - start < LEAST:
        return None
    columns = lines.read(block[start : match.end()] if match.end() - start < len(block) else block)
    return (match.end(), columns) if columns else None


def _taken_apart(shape: Shape, line: bytes) -> tuple[tuple[bytes, ...], tuple[int | None, ...]]:
    """What stands around the numbers of a line, and the decimals of each; nothing when a number is of another kind."""
    match = re.fullmatch(shape.pattern.encode(), line)
    if match is None:
        return (), ()
    literals, places, at = [], [], 0
    for group, value in enumerate(shape.values, 1):
        number = re.fullmatch(rb"-?[0-9]{1,15}(?:\.([0-9]{1,15}))?", match[group])
        if number is None or value.duration:
            return (), ()
        literals.append(line[at : match.start(group)])
        places.append(None if number[1] is None else len(number[1]))
        at = match.end(group)
    return (*literals, line[at:] + b"\n"), tuple(places)


@cache
def _lines(literals: tuple[bytes, ...], places: tuple[int | None, ...]) -> Lines | None:
    """The pattern and the translation of such lines; None when no character can become the comma."""
    text = b"".join(literals)
    commas = _commas(literals)
    if commas is None or set(DIGITS) & set(text):
        return None
    pieces = []
    for literal, decimals in zip(literals, places, strict=False):
        pieces += [re.escape(literal), rb"-?+[0-9]{1,15}+" + (b"" if decimals is None else rb"\.[0-9]{%d}" % decimals)]
    pattern = re.compile(b"(?:" + b"".join(pieces) + re.escape(literals[-1]) + b")*+")
    return Lines(pattern, bytes.maketrans(commas, b"," * len(commas)), bytes(set(text) - set(commas)), places)


def _commas(literals: Sequence[bytes]) -> bytes | None:
    """Characters of which one stands between any two numbers of the lines, and one between two lines."""
    between = [*literals[1:-1], literals[-1] + literals[0]]
    present = [bytes([c]) for c in COMMAS if any(c in literal for literal in between)]
    for count in range(1, min(4, len(present)) + 1):
        for chosen in combinations(present, count):
            if all(sum(literal.count(c) for c in chosen) == 1 for literal in between):
                return b"".join(chosen)
    return None
