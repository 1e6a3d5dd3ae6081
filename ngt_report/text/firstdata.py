"""Where the data of a text begins: the first data line outside pasted programs, for formats to judge a file by."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ngt_report.files import InputFile
from ngt_report.text import loglines
from ngt_report.text.headings import Headings, look
from ngt_report.text.pasted import Pasted
from ngt_report.text.records import spread
from ngt_report.text.tokens import Dialect, Shapes, shape_of, tokenize
from ngt_report.text.written import is_document

NUMBERS = "a document's first data line"  # among a file's notes
ANSI = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\n]*\x07|\x1b[@-_]")


def clean(block: bytes) -> bytes:
    """Without terminal colours, NUL bytes and the CR of CRLF; other CRs stay for `_stretch`. Records are spread out."""
    if b"\x1b" in block:
        block = ANSI.sub(b"", block)
    if b"\x00" in block:
        block = block.replace(b"\x00", b"")
    if b"\xef" in block:  # files that were put together each have their mark
        block = block.replace(b"\xef\xbb\xbf", b"")
    return spread(block.replace(b"\r\n", b"\n") if b"\r" in block else block)


def headings_of(file: InputFile, counted: bool = False) -> Headings:
    """What follows the headings of a text, from its beginning; with those of steps, if asked."""
    if "headings" not in file.notes:
        file.notes["headings"] = look(clean(file.head))
    return Headings(file.notes["headings"], counted)


def first_data_line(file: InputFile, dialect: Dialect) -> tuple[int, list[str]] | None:
    """The number of the first data line and the data lines near it; looks through the whole file if it must. None for a document."""
    key = f"first data line: {dialect.maybe.pattern!r}"
    if key not in file.notes:
        found = None if file.encoding == "binary" else _first_of(file, dialect)
        if found and is_document(file):
            file.notes[NUMBERS], found = min(found[0], file.notes.get(NUMBERS, found[0])), None
        file.notes[key] = found
    noted: tuple[int, list[str]] | None = file.notes[key]
    return noted


def _first_of(file: InputFile, dialect: Dialect) -> tuple[int, list[str]] | None:
    """The head has it in most files; then the rest need not be looked at."""
    head = file.head[: file.head.rfind(b"\n") + 1]
    if len(file.raw_head) < file.size and (found := _first_data([(head, 1)], dialect, Pasted(), headings_of(file))):
        return found
    programs = Pasted()
    found = _first_data(file.blocks(), dialect, programs, headings_of(file))
    return _first_data(file.blocks(), dialect, Pasted(ruled=False), headings_of(file)) if found is None and programs.seen else found


def _first_data(
    blocks: Iterable[tuple[bytes, int]], dialect: Dialect, programs: Pasted, headings: Headings
) -> tuple[int, list[str]] | None:
    for block, line in blocks:
        for stretch, program in programs.stretches(clean(block)):
            stretch = stretch if program else headings.spread(stretch)
            start = None if program else _data_at(stretch, dialect)
            if start is not None:
                sample = [loglines.plain(t.decode("utf-8", "replace")) for t in stretch[start : start + 16384].split(b"\n")[:24]]
                return line + stretch.count(b"\n", 0, start), _data_among(sample, dialect)
            line += stretch.count(b"\n")
    return None


def _data_among(lines: list[str], dialect: Dialect) -> list[str]:
    """Those that hold data; one line of each shape is taken apart."""
    shapes = Shapes()
    data = []
    for line in lines:
        if not line or not shapes.takes(line.encode("utf-8", "replace")):
            values = tokenize(line, dialect)
            if not values:
                continue
            shapes.learn(shape_of(line, values))
        data.append(line)
    return data


def _data_at(block: bytes, dialect: Dialect) -> int | None:
    """Where the first data line begins."""
    for match in dialect.maybe.finditer(block):
        start = block.rfind(b"\n", 0, match.start()) + 1
        end = block.find(b"\n", match.end())
        text = block[start : len(block) if end < 0 else end].decode("utf-8", "replace")
        if len(text) < 4096 and tokenize(loglines.plain(text), dialect):
            return start
    return None
