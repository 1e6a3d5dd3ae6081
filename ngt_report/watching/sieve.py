"""A view of a large log that leaves out lines which a look at its progress does not need.

The head and the end of the file stay whole. Of what lies between, evaluations stay where they are rare; of many the lowest, and some on
the way. Where a value stands in a line is learned from what the format's own reader found in the head, so nothing is parsed here a
second time: this only chooses lines, and the reader reads them. Anything odd (a step that falls, two runs) and the whole file is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct, field

from ngt_report.files import InputFile
from ngt_report.text.digits import joined, words_of
from ngt_report.waist import Reading

ENDS = (3 << 10, 1 << 16)  # bytes of the head and of the end that are read whole; the second where the first are too few
LEAST = 1 << 17  # a smaller file is read whole
PIECE = 1 << 19  # bytes of what lies between that are looked at together; they fit a core's cache
FEW = 1 << 13  # bytes of a piece that tell at once where evaluations are many
MOST = 128  # evaluations of a piece that all stay; of more, the lowest and some on the way
ON_THE_WAY = 24
SAMPLE = 6  # lines of a kind that anchors are learned from
NUMBER = re.compile(rb"(?<![\w.])-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
WIDTH = 64  # bytes in which a number must end
NEWLINE, DOT, ZERO, LETTER = b"\n.0a"
VAL = b"val"  # in every name of an evaluation
FOUND = ("headings",)  # notes on the head that hold for the view as well
HEADS = ("raw_head", "encoding", "head", "text_head")  # its cached properties


class Anchors(Struct, frozen=True):
    """The text before the step, of each kind of data line, and the text before an evaluation's loss."""

    steps: tuple[bytes, ...]
    loss: bytes | None
    rare: dict[bytes, int] = field(default_factory=dict)  # of each text that was looked for, the place of its rarest letter


class Mesh(Struct, frozen=True):
    """What to look for in the rest of a log."""

    anchors: Anchors
    unforeseen: bytes  # a text that must not be there; empty where evaluations are known
    notes: dict[str, Any] = field(default_factory=dict)  # what the reader noted of the log's head


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


class Ends(Struct):
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


def view(file: InputFile, kept: bytes, mesh: Mesh | None = None) -> Sieved:
    """The file, of which only `kept` is to be read; its head is like the one that the mesh was made of."""
    made = Sieved(**{name: getattr(file, name) for name in InputFile.__struct_fields__}, kept=kept)
    made.held, made.too_long = None, []
    made.notes = {"no_bulk": True, "wall": True} | (mesh.notes if mesh else {}) | {k: v for k, v in file.notes.items() if k in FOUND}
    made.__dict__.update({name: file.__dict__[name] for name in HEADS if name in file.__dict__})
    return made


def skeleton(text: bytes) -> bytes:
    """A text without its numbers: logs that one script wrote begin alike."""
    return text.translate(None, b"0123456789.-+e")


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
    head, at = file.raw_head, len(ends.head)
    lines: list[bytes] = []
    while len(lines) < SAMPLE and (found := head.find(VAL, at)) >= 0 and (end := head.find(b"\n", found)) >= 0:
        lines.append(head[head.rfind(b"\n", 0, found) + 1 : end + 1])
        at = end + 1
    return b"".join(lines)


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


def sift(file: InputFile, ends: Ends, mesh: Mesh) -> bytes | None:
    """What is kept of the lines between head and end; None when the whole file must be read."""
    anchors = mesh.anchors
    kept: list[bytes] = []
    last, looked_at = 0, 0
    for piece, size in _pieces(file, ends):
        if mesh.unforeseen and mesh.unforeseen in piece:
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

    places = _places(piece, size, anchors.loss) if anchors.loss else []
    steps: Any = None
    if places is None and anchors.loss:
        text = np.frombuffer(piece, np.uint8)
        losses = _after(text, size, anchors.loss, anchors.rare)
        others = _others(piece, text, size, anchors, losses)
        values, steps = _numbers(text, losses), _steps(piece, size, anchors, last)
        if not len(losses) or others is None or values is None or steps is None or b"\r" in piece or b"\x1b" in piece:
            return None
        places = [*losses[:: -(-len(losses) // ON_THE_WAY)].tolist(), int(losses[np.argmin(values)]), *others]
    lines = _in_order(piece, places or [])
    if steps is None:
        steps = _steps(lines + b"\n" * WIDTH, len(lines), anchors, last)
    return None if steps is None else (lines, int(steps[-1]) if len(steps) else last)


def _places(piece: bytes, size: int, anchor: bytes) -> list[int] | None:
    """A place in each line that has an evaluation, or may have one of another kind than met so far; None when they are many."""
    found: list[int] = []
    for text in (VAL,) if VAL in anchor else (anchor, VAL):
        if piece.count(text, 0, min(size, FEW)) > MOST // 2:
            return None
        at = piece.find(text, 0, size)
        while at >= 0:
            found.append(at)
            if len(found) > MOST:
                return None
            at = piece.find(text, piece.find(b"\n", at, size) + 1 or size, size)
    return found


def _others(piece: bytes, text: Any, size: int, anchors: Anchors, losses: Any) -> list[int] | None:
    """The same for lines that have none of these losses."""
    import numpy as np

    anchor = anchors.loss or b""
    if anchor.count(VAL) and _all_within(piece, text, size, anchor, len(losses)):
        return []
    ends = np.flatnonzero(text[:size] == NEWLINE)
    rows = np.setdiff1d(np.searchsorted(ends, _after(text, size, VAL, anchors.rare)), np.searchsorted(ends, losses))
    return None if len(rows) > MOST else (ends[rows] - 1).tolist()


def _all_within(piece: bytes, text: Any, size: int, anchor: bytes, count: int) -> bool:
    """Whether every mention of an evaluation is in one of these losses' names; their first letters are counted first, as that is fast."""
    import numpy as np

    if np.count_nonzero(text[:size] == VAL[0]) == anchor.count(VAL[:1]) * count:
        return True
    return piece.count(VAL, 0, size) == anchor.count(VAL) * count


def _steps(piece: bytes, size: int, anchors: Anchors, last: int) -> Any:
    """The steps of all data lines; None where one falls."""
    import numpy as np

    text = np.frombuffer(piece, np.uint8)
    places = [_after(text, size, anchor, anchors.rare) for anchor in anchors.steps]
    steps = _numbers(text, places[0] if len(places) == 1 else np.sort(np.concatenate(places)))
    fell = steps is None or len(steps) and (steps[0] < last or (np.diff(steps) < 0).any())
    return None if fell else steps


def _after(text: Any, size: int, anchor: bytes, rare: dict[bytes, int]) -> Any:
    """The places behind every occurrence of a text in the first `size` bytes."""
    import numpy as np

    if (rarest := rare.get(anchor)) is None:
        common = np.bincount(text[:4096], minlength=256)
        rarest = rare[anchor] = int(common[np.frombuffer(anchor, np.uint8)].argmin())
    found = (text[rarest : rarest + max(0, size - len(anchor))] == anchor[rarest]).nonzero()[0]
    words = words_of(text)
    for k in range(0, len(anchor), 8):
        part = anchor[k : k + 8]
        mask, wanted = (int.from_bytes(p, "little") for p in (b"\xff" * len(part), part))
        found = found[words[found + k] & np.uint64(mask) == np.uint64(wanted)]
    return found + len(anchor)


def _numbers(text: Any, places: Any) -> Any:
    """The numbers that begin at these places; None when one of them is more than digits and a point."""
    import numpy as np

    words = words_of(text)
    value, whole = _digits(words, places)
    end = places + whole
    dotted = text[end] == DOT
    if dotted.any():
        part, digits = _digits(words, end + 1)
        tens = np.power(10.0, np.arange(25))[digits]
        value = np.where(dotted, (value * tens + part) / tens, value)
        end = np.where(dotted, end + 1 + digits, end)
    after = text[end]
    odd = (whole == 0) | (after == DOT) | (after - ZERO < 10) | ((after | 32) - LETTER < 26)  # .5, 1.2.3, too long, 1e-5, 110K
    return None if odd.any() else value


def _digits(words: Any, places: Any, deep: int = 3) -> tuple[Any, Any]:
    """The whole numbers at these places and how many digits each has, at most 24: eight of them at a time."""
    import numpy as np

    found = words[places] ^ np.uint64(0x3030303030303030)
    others = ((found + np.uint64(0x7676767676767676)) | found) & np.uint64(0x8080808080808080)  # right up to the first that is no digit
    first = others & (~others + np.uint64(1))
    digits = (first >> np.uint64(7)) - np.uint64(1)  # all bits of the bytes before it
    ones = np.uint64(0x0101010101010101)
    count = ((digits & ones) * ones >> np.uint64(56)).astype(np.int64)
    shifted = (found & digits) << (np.uint64(64) - np.uint64(8) * count.astype(np.uint64))
    value, full = joined(shifted).astype(np.float64), count == 8
    if deep > 1 and full.any():
        more, after = _digits(words, places[full] + 8, deep - 1)
        value[full] = value[full] * np.power(10.0, np.arange(17))[after] + more
        count[full] += after
    return value, count


def _in_order(piece: bytes, places: list[int]) -> bytes:
    """The lines in which these places are."""
    out, end = [], 0
    for place in sorted(places):
        if place >= end:
            start = piece.rfind(b"\n", 0, place) + 1
            end = piece.find(b"\n", place) + 1 or len(piece)
            out.append(piece[start:end])
    return b"".join(out)
