"""A view of a large log that leaves out lines which a look at its progress does not need.

The head and the end of the file stay whole. Of what lies between, evaluations stay where they are rare; of many the lowest, and some on
the way. Where a value stands in a line is learned from what the format's own reader found in the head, so nothing is parsed here a
second time: this only chooses lines, and the reader reads them. Anything odd (a step that falls, two runs) and the whole file is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ngt_report.files import InputFile
from ngt_report.waist import Reading

ENDS = (1 << 12, 1 << 16)  # bytes of the head and of the end that are read whole; the second where the first are too few
LEAST = 1 << 17  # a smaller file is read whole
PIECE = 1 << 19  # bytes of what lies between that are looked at together; they fit a core's cache
MOST = 128  # evaluations of a piece that all stay; of more, the lowest and some on the way
ON_THE_WAY = 24
SAMPLE = 6  # lines of a kind that anchors are learned from
NUMBER = re.compile(rb"(?<![\w.])-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
WIDTH = 20  # bytes in which a number must end
NEWLINE, DOT, ZERO, LETTER = b"\n.0a"


@dataclass(frozen=True, slots=True)
class Anchors:
    """The text before the step, of each kind of data line, and the text before an evaluation's loss."""

    steps: tuple[bytes, ...]
    loss: bytes | None


@dataclass
class Sieved(InputFile):
    """A file of which `blocks` gives only these bytes."""

    kept: bytes = b""

    def blocks(self, first_line: int = 1) -> Iterator[tuple[bytes, int]]:
        """What is kept: whole lines, then a torn one alone."""
        end = self.kept.rfind(b"\n") + 1
        if end:
            yield self.kept[:end], first_line
        if end < len(self.kept):
            yield self.kept[end:], first_line + self.kept.count(b"\n", 0, end)


@dataclass
class Ends:
    """A file cut in three at newlines."""

    head: bytes
    tail: bytes
    start: int  # of the middle
    stop: int


def cut(file: InputFile, size: int) -> Ends | None:
    """Head and end of a file, or None when it is small or not plain UTF-8."""
    if file.size < max(LEAST, 2 * size) or file.encoding != "utf-8":
        return None
    with file.open() as f:
        head = f.read(size)
        head = head[: head.rfind(b"\n") + 1]
        f.seek(file.size - size)
        tail = f.read(size)
    tail = tail[tail.find(b"\n") + 1 :]
    return Ends(head, tail, len(head), file.size - len(tail)) if head and tail else None


def view(file: InputFile, kept: bytes) -> Sieved:
    """The file, of which only `kept` is to be read."""
    made = Sieved(**{f.name: getattr(file, f.name) for f in fields(InputFile)}, kept=kept)
    made.held, made.notes, made.too_long = None, {"no_bulk": True, "wall": True}, []
    return made


def learn(text: bytes, reading: Reading, metric: str, before: Anchors | None = None, lines_before: int = 0) -> Anchors | None:
    """Where steps and losses stand, told by the values that the reader found in these lines; None where that is not plain."""
    lines = text.split(b"\n")
    steps = dict.fromkeys(before.steps if before else ())
    loss: bytes | None = None
    for block in reading.blocks:
        if block.line is None or not len(block.line):
            return None
        at = [i for i in range(len(block.line)) if 0 < block.line[i] - lines_before <= len(lines)][-SAMPLE:]
        texts = [lines[block.line[i] - lines_before - 1] for i in at]
        found = _anchor(texts, [block.step[i] for i in at])
        if found is None:
            return None
        steps[found] = None
        if metric in block.columns:
            own = _anchor(texts, [block.columns[metric].values[i] for i in at])
            if own is None or loss not in (None, own):
                return None
            loss = own
    return Anchors(tuple(steps), loss) if steps else None


def likely(file: InputFile, ends: Ends) -> bytes:
    """The first lines behind the head that may hold an evaluation."""
    found = [line for line in file.raw_head[len(ends.head) :].split(b"\n")[:-1] if b"val" in line]
    return b"".join(line + b"\n" for line in found[:SAMPLE])


def _anchor(texts: Sequence[bytes], values: Sequence[Any]) -> bytes | None:
    """The text that stands before these values in these lines, once in each; None when there is none."""
    common: set[bytes] | None = None
    for text, value in zip(texts, values, strict=True):
        before = {
            _before(text, match.start()) for match in NUMBER.finditer(text) if value is not None and float(match[0]) == value
        }  # of several equal numbers, the other lines say which it is
        common = before if common is None else common & before
    found = [b for b in common or () if len(b) > 1 and all(text.count(b) == 1 for text in texts)]
    return max(found, key=len) if found else None


def _before(text: bytes, at: int) -> bytes:
    """The text between a number and the number before it, at most 32 bytes."""
    return re.split(rb"[0-9]", text[max(0, at - 32) : at])[-1]


def sift(file: InputFile, ends: Ends, anchors: Anchors, unforeseen: bytes = b"") -> bytes | None:
    """What is kept of the lines between head and end; None when the whole file must be read, as when this text is in it."""
    kept: list[bytes] = []
    last, looked_at = 0, 0
    for piece, size in _pieces(file, ends):
        if unforeseen and unforeseen in piece:
            return None
        found = _kept(piece, size, anchors, last)
        if found is None:
            return None
        lines, last = found
        kept.append(lines)
        looked_at += size
    tail = ends.tail + b"\n" * WIDTH
    steps = _steps(tail, len(ends.tail), anchors, last)
    return b"".join(kept) if steps is not None and len(steps) and looked_at == ends.stop - ends.start else None


def _pieces(file: InputFile, ends: Ends) -> Iterator[tuple[bytes, int]]:
    """Whole lines between head and end, and how many bytes they are: a few that follow come with them."""
    with file.open() as f:
        at = ends.start
        while at < ends.stop:
            f.seek(at)
            piece = f.read(min(PIECE, ends.stop - at) + WIDTH)
            end = piece.rfind(b"\n", 0, min(PIECE, ends.stop - at)) + 1
            if not end:  # a line longer than a piece
                return
            yield piece, end
            at += end


def _kept(piece: bytes, size: int, anchors: Anchors, last: int) -> tuple[bytes, int] | None:
    """The lines of a piece that stay, and the last step; None where a step falls or a number is no plain one."""
    import numpy as np

    places = _places(piece, size, anchors.loss)
    steps: Any = None
    if places is None:
        text = np.frombuffer(piece, np.uint8)
        losses = _after(text, size, anchors.loss or b"")
        values, steps = _numbers(text, losses), _steps(piece, size, anchors, last)
        if values is None or steps is None or b"\r" in piece or b"\x1b" in piece:
            return None
        places = [*losses[:: len(losses) // ON_THE_WAY].tolist(), int(losses[np.argmin(values)])]
    lines = _in_order(piece, places)
    if steps is None:
        steps = _steps(lines + b"\n" * WIDTH, len(lines), anchors, last)
    return None if steps is None else (lines, int(steps[-1]) if len(steps) else last)


def _places(piece: bytes, size: int, anchor: bytes | None) -> list[int] | None:
    """Where evaluations are, when they are few."""
    found: list[int] = []
    at = piece.find(anchor, 0, size) if anchor else -1
    while at >= 0:
        found.append(at)
        if len(found) > MOST:
            return None
        at = piece.find(anchor or b"", at + 1, size)
    return found


def _steps(piece: bytes, size: int, anchors: Anchors, last: int) -> Any:
    """The steps of all data lines; None where one falls."""
    import numpy as np

    text = np.frombuffer(piece, np.uint8)
    places = [_after(text, size, anchor) for anchor in anchors.steps]
    steps = _numbers(text, places[0] if len(places) == 1 else np.sort(np.concatenate(places)))
    fell = steps is None or len(steps) and (steps[0] < last or (np.diff(steps) < 0).any())
    return None if fell else steps


def _after(text: Any, size: int, anchor: bytes) -> Any:
    """The places behind every occurrence of a text in the first `size` bytes."""
    import numpy as np

    common = np.bincount(text[:4096], minlength=256)
    order = sorted(range(len(anchor)), key=lambda k: int(common[anchor[k]]))  # the rarest byte first
    found = np.flatnonzero(text[:size] == anchor[order[0]]) - order[0]
    found = found[(found >= 0) & (found < size - len(anchor))]
    for k in order[1:]:
        found = found[text[found + k] == anchor[k]]
    return found + len(anchor)


def _numbers(text: Any, places: Any) -> Any:
    """The numbers that begin at these places; None when one of them is more than digits and a point."""
    import numpy as np

    value, size = np.zeros(len(places)), np.ones(len(places))
    live, broken, dotted = np.ones(len(places), bool), np.zeros(len(places), bool), np.zeros(len(places), bool)
    for k in range(WIDTH):
        cell = text[places + k]
        digit = cell - ZERO  # others wrap around, beyond 9
        number = digit < 10
        dot = cell == DOT
        if k == 0 and not number.all():
            return None
        ending = live & ~number & (~dot | dotted)
        broken |= ending & (dot | ((cell | 32) - LETTER < 26))  # 1.2.3, 1e-5, 110K
        live &= ~ending
        if not live.any():
            return None if broken.any() else value / size
        counted = live & number
        value = np.where(counted, value * 10 + digit, value)
        size = np.where(counted & dotted, size * 10, size)
        dotted |= dot & live
    return None


def _in_order(piece: bytes, places: list[int]) -> bytes:
    """The lines in which these places are."""
    out, end = [], 0
    for place in sorted(places):
        if place >= end:
            start = piece.rfind(b"\n", 0, place) + 1
            end = piece.find(b"\n", place) + 1 or len(piece)
            out.append(piece[start:end])
    return b"".join(out)
