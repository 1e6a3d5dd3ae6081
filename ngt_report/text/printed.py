"""Numbers of thousands of equal lines at once: the lines are proved equal, then each column of numbers is read as a whole.

With a 0 for each digit, most lines of a log look like one of a few: these are its layouts. A pattern proves each layout, so that
only its first line is looked at; where it has its numbers, all lines of that layout have them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ngt_report.text.digits import dotted, numbers, words_of

if TYPE_CHECKING:
    from ngt_report.text.tokens import Shape

LEAST = 1 << 16  # bytes; shorter stretches are not worth loading numpy
PIECE = 1 << 17  # bytes that are looked at together; they fit a core's cache
ZEROS = bytes.maketrans(b"123456789", b"000000000")
FRONT = bytes(8)  # before a text, for eight bytes are read at a time
TOGETHER = 1 << 13  # lines of which the numbers are read together, column by column
MOST_DIGITS = 15  # a double holds them all
ODD = -1  # the layout of a line that is not like the others
FEW = 8  # lines of one layout in a row that are no gain to compare together,
MOST_FEW = 8  # and how often a piece may have so few


class Printed(Sequence[bytes]):
    """A column of numbers as printed, all with as many decimals."""

    def __init__(self, values: Any, places: int | None) -> None:
        self.values = values  # a numpy array of doubles
        self.places = places  # None: whole numbers

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


class Kind(NamedTuple):
    """What equal lines have in common: what stands around their numbers, the sign and the decimals that each may have."""

    literals: tuple[bytes, ...]
    signs: tuple[bytes, ...]
    places: tuple[int | None, ...]


class Layouts(dict[bytes, int]):
    """The layouts of equal lines, numbered as they are met."""

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.pattern = _pattern(kind)
        self.places = kind.places
        self.sizes: list[int] = []  # of their lines, with the newline
        self.signs: list[list[bool]] = []  # whether each number has a minus
        self.counts: list[list[int]] = []  # digits of each number, without decimals
        self.ends: list[list[int]] = []  # where these digits end

    def __missing__(self, line: bytes) -> int:
        match = self.pattern.fullmatch(line)
        if match is None:
            return ODD
        whole = range(2, 2 * len(self.places) + 1, 2)
        self.sizes.append(len(line) + 1)
        self.signs.append([match[group - 1] != b"" for group in whole])
        self.counts.append([len(match[group]) for group in whole])
        self.ends.append([match.end(group) for group in whole])
        self[line] = len(self.sizes) - 1
        return self[line]

    def kinds(self, piece: bytes) -> tuple[Any, int]:
        """The layouts of the equal lines at the beginning of a piece of whole lines, and how many bytes these lines are.

        Many lines in a row that have one layout are compared together; one by one they would take three times as long.
        """
        import numpy as np

        zeros = piece.translate(ZEROS)
        found, at, few = [np.empty(0, np.intp)], 0, 0
        while at < len(zeros) and few < MOST_FEW:
            first = zeros[at : zeros.find(b"\n", at) + 1]
            kind = self[first[:-1]]
            if kind == ODD:
                return np.concatenate(found), at
            alike = _repeats(zeros, first, at)
            found.append(np.full(alike, kind))
            at += alike * len(first)
            few += alike < FEW
        lines = zeros[at:].split(b"\n")
        rest = np.fromiter(map(self.__getitem__, lines[:-1]), np.intp, len(lines) - 1)
        rest = rest[: rest.argmin()] if len(rest) and rest.min() == ODD else rest
        return np.concatenate([*found, rest]), at + int(np.array(self.sizes, np.intp)[rest].sum())

    def columns(self, text: bytes, kinds: Any) -> list[Printed]:
        """The numbers of lines of these layouts, by columns."""
        import numpy as np

        before = words_of(np.frombuffer(FRONT + text, np.uint8))
        sizes = np.array(self.sizes)[kinds]
        starts = sizes.cumsum() - sizes
        tables = [np.array(table).T for table in (self.signs, self.counts, self.ends)]
        columns = [Printed(np.empty(len(kinds)), places) for places in self.places]
        for at in range(0, len(kinds), TOGETHER):
            some = slice(at, at + TOGETHER)
            for column, signs, counts, ends in zip(columns, *tables, strict=True):
                column.values[some] = _numbers(before, starts[some] + ends[kinds[some]], counts[kinds[some]], column.places)
                if signs.any():
                    np.negative(column.values[some], out=column.values[some], where=signs[kinds[some]])
        return columns


def _numbers(before: Any, ends: Any, counts: Any, decimals: int | None) -> Any:
    """Numbers of which so many digits end at these places, and decimals follow."""
    return numbers(before, ends, counts) if decimals is None else dotted(before, ends + 1 + decimals, counts, decimals)


def _repeats(text: bytes, first: bytes, at: int) -> int:
    """How many times in a row these bytes stand in a text from a place on, where they stand once."""
    found, more = 1, 1
    while text.startswith(first * more, at + found * len(first)):
        found += more
        more *= 2
    while more := more // 2:
        if text.startswith(first * more, at + found * len(first)):
            found += more
    return found


def equal_lines(shape: Shape, line: bytes, block: bytes, start: int) -> tuple[int, list[Printed]] | None:
    """Where the lines like this one end that begin at `start`, and their columns; None when they are few, or must be read one by one."""
    kind = _taken_apart(shape, line) if len(block) - start >= LEAST else None
    if kind is None:
        return None
    found: list[Any] = []
    layouts, at, end = Layouts(kind), start, start
    while at == end and (end := block.rfind(b"\n", at, at + (PIECE if found else LEAST)) + 1):  # most short stretches end at the first look
        kinds, size = layouts.kinds(block[at:end])
        found += [kinds] if size else []
        at += size
    if at - start < LEAST:
        return None
    import numpy as np

    return at, layouts.columns(block[start:at], np.concatenate(found))


def _taken_apart(shape: Shape, line: bytes) -> Kind | None:
    """The kind of a line; None when one of its numbers, or what stands around them, must be read in another way."""
    match = re.fullmatch(shape.pattern.encode(), line)
    if match is None:
        return None
    literals, places, at = [], [], 0
    for group, value in enumerate(shape.values, 1):
        number = re.fullmatch(rb"-?[0-9]{1,15}(?:\.([0-9]{1,14}))?", match[group])
        if number is None or value.duration:
            return None
        literals.append(line[at : match.start(group)])
        places.append(None if number[1] is None else len(number[1]))
        at = match.end(group)
    literals.append(line[at:])
    signs = tuple(b"" if value.counts else b"-?+" for value in shape.values)
    return None if re.search(rb"[0-9]", b"".join(literals)) else Kind(tuple(literals), signs, tuple(places))


@cache
def _pattern(kind: Kind) -> re.Pattern[bytes]:
    """The pattern of such lines: sign and digits of each number."""
    pieces = []
    for literal, sign, decimals in zip(*kind, strict=False):
        pieces.append(re.escape(literal) + rb"(%b)([0-9]{1,%d}+)" % (sign, MOST_DIGITS - (decimals or 0)))
        pieces.append(b"" if decimals is None else rb"\.[0-9]{%d}" % decimals)
    return re.compile(b"".join(pieces) + re.escape(kind.literals[-1]))
