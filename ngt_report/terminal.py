"""What a terminal needs: tables fitted to its width, colours only where they are wanted, a progress line."""

from __future__ import annotations

import os
import shutil
import sys
import time
import unicodedata
from collections.abc import Sequence
from typing import TextIO

from ngt_report.formatting import plain

SHORTEST = 18  # columns that the elastic cell of a table keeps while there are others that can go
LEAST = 10  # columns that it keeps in any case
STYLES = {"bold": "1", "red": "31", "yellow": "33", "dim": "2"}


def columns() -> int | None:
    """The width of the terminal on stdout; None in a pipe, where nothing needs to fit."""
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdigit() and int(wanted):
        return int(wanted)
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def paint(text: str, style: str) -> str:
    """The text in a style, on a terminal that takes colours and whose user did not set NO_COLOR."""
    wanted = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if wanted else text


def safe(text: str) -> str:
    """Text of any origin for a terminal: lines and tabs stay, control and bidirectional characters go."""
    return "\n".join("\t".join(plain(part) for part in line.split("\t")) for line in text.split("\n"))


def outgoing(text: str) -> str:
    """A file's text on its way to stdout: as it is in a pipe, made safe on a terminal."""
    return safe(text) if sys.stdout.isatty() else text


def cells(text: str) -> int:
    """Columns that a text takes on a terminal: East Asian wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def shorten(text: str, room: int) -> str:
    """The text in at most `room` columns; its middle goes, because names differ at their ends."""
    if cells(text) <= room:
        return text
    head = tail = ""
    left, right = 0, len(text)
    while left < right:
        take_head = cells(head) <= cells(tail)
        piece = text[left] if take_head else text[right - 1]
        if cells(head) + cells(tail) + cells(piece) + 2 > room:
            break
        if take_head:
            head, left = head + piece, left + 1
        else:
            tail, right = piece + tail, right - 1
    return f"{head}..{tail}"


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    align: str,
    width: int | None = None,
    elastic: int = 0,
    droppable: Sequence[str] = (),
) -> list[str]:
    """Lines of a table, its head first. Too wide, the elastic column is shortened, then droppable columns go, in order."""
    kept = list(range(len(head)))
    every = [list(head), *[[plain(c) for c in row] for row in rows]]
    sizes = [max(cells(row[i]) for row in every) for i in kept]
    drop = [list(head).index(name) for name in droppable if name in head]
    while width is not None:
        over = sum(sizes[i] for i in kept) + 2 * (len(kept) - 1) - width
        if over <= 0:
            break
        if sizes[elastic] - over >= min(SHORTEST, sizes[elastic]):
            sizes[elastic] -= over
        elif drop:
            kept.remove(drop.pop(0))
        else:
            sizes[elastic] = max(sizes[elastic] - over, min(LEAST, sizes[elastic]))
            break
    return ["  ".join(_cell(shorten(row[i], sizes[i]), sizes[i], align[i]) for i in kept).rstrip() for row in every]


def _cell(text: str, size: int, side: str) -> str:
    pad = " " * (size - cells(text))
    return text + pad if side == "l" else pad + text


class Progress:
    """One line on stderr that says how far a long build is: only on a terminal, only after half a second."""

    PATIENCE = 0.5
    EVERY = 0.1

    def __init__(self, stream: TextIO | None = None, quiet: bool = False) -> None:
        self.stream = stream or sys.stderr
        self.on = not quiet and self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self.next = time.monotonic() + self.PATIENCE
        self.shown = False

    def __call__(self, done: int, total: int, name: str) -> None:
        now = time.monotonic()
        if not self.on or now < self.next:
            return
        self.next, self.shown = now + self.EVERY, True
        part = done / total if total else 1.0
        bar = "#" * round(20 * part)
        text = f"[{bar:<20}] {100 * part:3.0f}%  {done / 1e6:.1f} of {total / 1e6:.1f} MB  {plain(name)}"
        self.stream.write("\r" + shorten(text, shutil.get_terminal_size().columns - 1) + "\x1b[K")
        self.stream.flush()

    def clear(self) -> None:
        """Remove the line, so that what follows stands alone."""
        if self.shown:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
            self.shown = False
