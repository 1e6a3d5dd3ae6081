"""Data lines of a text log in file order, and the lines of one shape among them as columns."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from msgspec import Struct

from ngt_report.text.printed import Printed
from ngt_report.text.tokens import Row, Shape, integers

Found = tuple[int, Shape, Row]  # physical line, shape, groups


class Part(Struct):
    """The lines of one shape in a span: where they stand in it (None: all of it), and their groups as columns."""

    shape: Shape
    places: list[int] | None
    columns: Sequence[Sequence[bytes]]

    def pick(self, column: Any) -> Any:
        """The values of a column of the span that belong to this shape."""
        return column if self.places is None else [column[i] for i in self.places]


class Span:
    """Data lines in file order: physical line numbers, the shape of each (or the only one), and their rows."""

    def __init__(
        self, lines: Sequence[int], shapes: Sequence[Shape], rows: Sequence[Row], columns: Sequence[Printed] | None = None
    ) -> None:
        self.lines, self.shapes, self.rows = lines, shapes, rows
        self.told: dict[str, int | None] = {}  # counters that a heading says for all of its lines
        self.columns = columns  # instead of rows, of lines that were read together
        self._parts: list[Part] | None = None

    @classmethod
    def of(cls, found: list[Found]) -> Span:
        """A span of lines with their own shapes."""
        lines, shapes, rows = zip(*found, strict=True) if found else ((), (), ())
        return cls(lines, shapes, rows)

    def __len__(self) -> int:
        return len(self.lines)

    def cut(self, start: int, end: int) -> Span:
        """A stretch of the span."""
        if self.columns is not None:
            piece = Span(self.lines[start:end], self.shapes, (), [column.cut(start, end) for column in self.columns])
            piece.told = self.told
            return piece
        return Span(self.lines[start:end], self.shapes if len(self.shapes) == 1 else self.shapes[start:end], self.rows[start:end])

    def parts(self) -> list[Part]:
        """The span's lines by shape."""
        if self._parts is None:
            places: dict[int, list[int]] = {}
            if len(self.shapes) > 1:
                for i, shape in enumerate(self.shapes):
                    places.setdefault(id(shape), []).append(i)
            by_id = {id(s): s for s in self.shapes}
            self._parts = [self._part(shape, places.get(key) if len(by_id) > 1 else None) for key, shape in by_id.items()]
        return self._parts

    def _part(self, shape: Shape, places: list[int] | None) -> Part:
        if self.columns is not None:
            return Part(shape, None, self.columns)
        rows = self.rows if places is None else [self.rows[i] for i in places]
        first, count = shape.first_group, len(shape.values)
        return Part(shape, places, [list(map(itemgetter(first + k), rows)) for k in range(count)])

    def counters(self, name: str) -> list[int | None]:
        """The counter of this name on every line; None where a line has none."""
        out: list[int | None] = [self.told.get(name)] * len(self)
        for part in self.parts():
            at = next((k for k, v in enumerate(part.shape.values) if v.name == name), None)
            if at is None:
                continue
            counts = integers(part.columns[at])
            if part.places is None:
                return list(counts)
            for i, count in zip(part.places, counts, strict=True):
                out[i] = count
        return out


def first_after(found: list[Found], line: int, start: int) -> int:
    """Index of the first data line after a physical line."""
    low, high = start, len(found)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if found[middle][0] < line else (low, middle)
    return low
