"""JSON documents: loaded whole, with the line of every value; recognised by the keys in their head."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from msgspec import Struct

from ngt_report.files import InputFile
from ngt_report.sources._scalars import load_json
from ngt_report.text.late import late
from ngt_report.waist import Reading

LIMIT = 64 << 20  # bytes of the largest document
DEEPEST = 64  # nested objects and lists
_TOKEN = late(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:\n]|[^\s{}\[\],:"]+')


class Document(Struct):
    """A JSON document and where its values stand."""

    value: Any
    lines: dict[str, int]  # JSON pointer -> line of its key (of itself, in a list)
    total: int  # lines in the file


def outline(text: str) -> dict[str, int] | None:
    """JSON pointer -> line for every key and list element, also of a document cut short; None when it is not one object."""
    lines: dict[str, int] = {}
    path: list[str | int] = []  # the current key of each open object, the position in each open list
    line, key, key_line, closed = 1, "", 1, False
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token == "\n":
            line += 1
            continue
        if closed or not path and token != "{" or len(path) > DEEPEST:
            return None
        if token == ":":
            path[-1] = key
            lines.setdefault(pointer(path), key_line)
        elif token == ",":
            path[-1] = path[-1] + 1 if isinstance(path[-1], int) else ""
        elif token in "}]":
            path.pop()
            closed = not path
        else:
            if path and isinstance(path[-1], int):
                lines.setdefault(pointer(path), line)
            if token in "{[":
                path.append("" if token == "{" else 0)
            elif token[0] == '"':
                key, key_line = token[1:-1], line
    return lines


def pointer(path: list[str | int]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(p).replace("~", "~0").replace("/", "~1") for p in path)


@lru_cache(maxsize=8)
def _head_keys(head: bytes) -> frozenset[str]:
    """The pointers in a head; remembered, for several formats ask."""
    return frozenset(outline(head.decode("utf-8", "replace")) or ())


def head_keys(file: InputFile) -> frozenset[str]:
    """The JSON pointers in the head of a file that is one JSON object; else none."""
    return _head_keys(file.head) if file.head.lstrip()[:1] == b"{" else frozenset()


def load(file: InputFile, reading: Reading) -> Document | None:
    """The document, or None with its lines accounted for: pending while it is being written, bad when it is broken."""
    if file.size > LIMIT:
        reading.status = "unreadable"
        reading.note("error", "too_large", f"The document has {file.size:,} bytes; up to {LIMIT:,} are read.")
        return None
    text = file.read_bytes(LIMIT).decode("utf-8", "replace").removeprefix("\ufeff")
    total = reading.lines_read = text.count("\n") + (not text.endswith("\n") and bool(text))
    try:
        value = load_json(text)
    except ValueError as error:
        line = min(getattr(error, "lineno", 1), total)
        _broken(file, reading, total, line, str(error))
        return None
    return Document(value, outline(text) or {}, total)


def _broken(file: InputFile, reading: Reading, total: int, line: int, why: str) -> None:
    """Account for the lines of a document that does not parse."""
    reading.status = "unreadable"
    if file.complete:
        reading.bad.append((line, f"not valid JSON: {why}"))
        reading.ignore("not valid JSON", total - 1)
        reading.note("error", "broken_document", f"The document is not valid JSON: {why}.", None, line)
    else:
        reading.pending = total
        reading.note("warning", "torn_document", f"The document is not complete ({why}); it is read when it is.", None, line)
