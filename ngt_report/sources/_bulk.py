"""Proves that a large event log is healthy, so that DuckDB may read its data lines: every line has a known shape.

A data line is taken apart once and becomes a pattern: the same keys in the same order, numbers where numbers stood, the same
run and segment. The pattern then runs over the whole file; where it stops, the line is looked at by itself. What is not a data
line is read in Python; anything odd (a torn line, a bad number, two runs) sends the whole file through the line reader.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, Protocol

from msgspec import Struct, field

from ngt_report import names
from ngt_report.files import BLOCK, LONGEST_LINE, InputFile

MOST_SHAPES, MOST_METRICS = 24, 48
FIELD = rb'\s*("(?:[^"\\]|\\.)*+")(\s*:\s*)(?:(-?\d++(?:\.\d++)?+(?:[eE][-+]?\d++)?+)|("(?:[^"\\]|\\.)*+")|(null|true|false))(\s*,|\s*\})'
RUN, SEGMENT, WHOLE, NUMBER, TEXT = rb'"\1"', rb"\2", rb"-?\d{1,18}+", rb"[-+.\deE]++", rb'"[^"\\\n]*+"'
HEAD = rb'(?=(?:[^\n]*?"run"\s*:\s*"([^"\\\n]*)")?)(?=(?:[^\n]*?"segment"\s*:\s*(\d{1,9}))?)'
NEWLINE = 10
RESERVED = frozenset({"file_index", "filename", "rowid", "#"})  # columns that the query adds


@cache
def _room() -> bytearray:
    """One file at a time is looked through, in the same memory; most builds never need it."""
    return bytearray(BLOCK)


class LineReader(Protocol):
    """What reads lines one by one."""

    def one(self, line: int, text: bytes) -> None:
        """Take a line."""

    def data(self, line: int, event: dict[str, Any]) -> object:
        """Note the run and segment of data lines that are read elsewhere."""


class Shape(Struct, frozen=True):
    """What all data lines of a kind have in common."""

    pattern: bytes
    metrics: tuple[str, ...]  # keys with a number
    words: tuple[str, ...]  # keys with text, true or false


@cache
def _matcher(patterns: tuple[bytes, ...]) -> Any:
    """Takes as many lines of these shapes as follow each other in one run and segment."""
    return re.compile(HEAD + rb"(?:" + rb"|".join(patterns) + rb")*+").match


def shape_of(text: bytes, envelope: tuple[str, ...]) -> Shape | None:
    """The shape of a data line; None when it holds anything but plain values."""
    pieces: list[bytes] = [rb"\{"]
    keys: dict[str, str] = {}
    at = 1
    field_at = re.compile(FIELD).match
    while match := field_at(text, at):
        key_text, _, number, string, word, end = match.groups()
        key = json.loads(key_text)
        value = _value(key, number, string, word)
        if value is None or key in keys:
            return None
        keys[key] = "number" if number else "null" if word == b"null" else "word"
        pieces += [re.escape(text[at : match.end(2)]), value, re.escape(end)]
        at = match.end()
        if end.endswith(b"}"):
            own = {kind: tuple(k for k, v in keys.items() if v == kind and k not in envelope) for kind in ("number", "word")}
            return Shape(b"".join(pieces) + rb"\n", own["number"], own["word"]) if at == len(text) and own["number"] else None
    return None


def _value(key: str, number: bytes | None, string: bytes | None, word: bytes | None) -> bytes | None:
    """The pattern of a value: what may vary from line to line."""
    if key == "kind":
        return re.escape(string) if string else None
    if key == "run":
        return RUN if string else None
    if key in ("step", "tokens", "segment"):
        whole = SEGMENT if key == "segment" else WHOLE
        return b"null" if word == b"null" and key != "segment" else whole if number and number.lstrip(b"-").isdigit() else None
    if word:
        return word
    if number:
        return NUMBER
    return None if key == "elapsed_s" else TEXT


class Scan(Struct):
    """One look through a file: what its data lines hold; lines that are not data go to the line reader."""

    reader: LineReader
    envelope: tuple[str, ...]
    shapes: dict[bytes, Shape] = field(default_factory=dict)
    other_keys: set[str] = field(default_factory=set)  # of lines that are not data
    match: Any = None
    current: tuple[bytes | None, bytes | None] | None = None  # run and segment of the last data line
    line: int = 1
    rows: int = 0

    def healthy(self, file: InputFile) -> bool:
        """Whether the file holds nothing but whole lines that the line reader or a shape takes."""
        piece: memoryview | bytes = b""
        for piece in file.fill(_room()):
            if len(piece) and piece[-1] == NEWLINE and not self._piece(piece):
                return False
        return file.sha256 is not None and not len(piece)

    def _piece(self, piece: memoryview) -> bool:
        """Whole lines."""
        room, at, end = _room(), 0, len(piece)
        while at < end:
            found = self.match(piece, at) if self.match else None
            if found and found.end() > at:
                if found.groups() != self.current:
                    self.current = found.groups()
                    self.reader.data(self.line, json.loads(bytes(piece[at : room.find(b"\n", at)])))
                rows = room.count(b"\n", at, found.end())
                at, self.line, self.rows = found.end(), self.line + rows, self.rows + rows
                continue
            stop = room.find(b"\n", at)
            taken = self._one(bytes(piece[at:stop]))
            if taken is None:
                return False
            at += taken
        return True

    def _one(self, text: bytes) -> int | None:
        """How far to go on after a line that no shape takes: over it, or nowhere when its shape is new; None when it is odd."""
        try:
            event = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(event, dict) or len(text) > LONGEST_LINE:
            return None
        if event.get("kind") in ("train", "eval"):
            shape = shape_of(text, self.envelope)
            if shape is None or shape.pattern in self.shapes or len(self.shapes) == MOST_SHAPES:
                return None
            self.shapes[shape.pattern] = shape
            self.match = _matcher(tuple(self.shapes))
            return 0
        self.other_keys.update(event)
        self.reader.one(self.line, text)
        self.line += 1
        return len(text) + 1

    def metrics(self) -> dict[str, str] | None:
        """Key -> metric of all data lines; None when a key is ambiguous, or found elsewhere too."""
        keys = dict.fromkeys(key for shape in self.shapes.values() for key in shape.metrics)
        found = {key: names.metric(key) for key in keys}
        apart = len(set(found.values())) == len({key.lower() for key in keys} - RESERVED - set(self.envelope)) == len(keys) <= MOST_METRICS
        elsewhere = self.other_keys.union(*(shape.words for shape in self.shapes.values()))
        return found if keys and apart and not keys.keys() & elsewhere else None
