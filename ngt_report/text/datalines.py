"""Finds the data lines of a block of text: by the shapes met before, else by taking a line apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from ngt_report.text import printed
from ngt_report.text import tokens as textlog
from ngt_report.text.spans import Found, Span
from ngt_report.text.tokens import Dialect, Row, Shape, Shapes, shape_of


class DataLines:
    """The shapes of one file's data lines."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.shapes = Shapes()

    def equal_lines(self, block: bytes, at: int) -> tuple[int, int, Span] | None:
        """The next stretch of equal data lines, when it is long."""
        for match in islice(self.dialect.maybe.finditer(block, at), 4):
            start = block.rfind(b"\n", at, match.start()) + 1 or at
            line = block[start : block.find(b"\n", match.end())]
            taken = self.tokenize(line)
            if taken:
                found = printed.equal_lines(taken[0], line, block, start)
                return (start, found[0], Span((), [taken[0]], (), found[1])) if found else None
        return None

    def learn_from(self, block: bytes) -> None:
        """Take a few possible data lines of a block apart, so that most lines meet a known shape."""
        for count, match in enumerate(self.dialect.maybe.finditer(block)):
            start = block.rfind(b"\n", 0, match.start()) + 1
            line = block[start : block.find(b"\n", match.end())]
            if not self.shapes.takes(line):
                self.tokenize(line)
            if count >= 5:
                return

    def sort(self, rows: list[Row], physical: Sequence[int]) -> tuple[list[Found], list[tuple[int, bytes]], int]:
        """Data lines, other lines, and how many data lines no shape took."""
        starts = [(s.first_group, s) for s in self.shapes.known]
        found: list[Found] = []
        other: list[tuple[int, bytes]] = []
        slow = 0
        for at, row in zip(physical, rows, strict=False):
            for group, shape in starts:
                if row[group]:
                    found.append((at, shape, row))
                    break
            else:
                taken = self.tokenize(row[-1]) if row[-1] and self.dialect.maybe.search(row[-1]) else None
                if taken:
                    slow += 1
                    found.append((at, *taken))
                else:
                    other.append((at, row[-1]))
        return found, other, slow

    def tokenize(self, text: bytes) -> tuple[Shape, Row] | None:
        """Take a line apart and learn its shape."""
        if len(text) > 4096 or (values := textlog.tokenize(line := text.decode("utf-8", "replace"), self.dialect)) is None:
            return None
        shape = self.shapes.learn(shape_of(line, values))
        own = sorted(values, key=lambda v: v.start)
        return shape, (b"",) * shape.first_group + tuple(line[v.start : v.end].encode() for v in own)
