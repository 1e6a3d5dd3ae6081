"""Programs pasted into logs: from their first import, or the docstring above it, to the ruler that ends them, nothing is data.

A program holds f-strings, docstrings and comments that read like log lines. A ruler inside a triple-quoted string ends nothing.
Which program it was is kept as a recorded setting: two runs of one script may still have run different code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b

from ngt_report.text.late import late
from ngt_report.waist import Reading

RULE = "pasted program"  # what the account of lines calls it
NEAR = 1 << 16  # bytes within which a second line of code confirms the first
_NAME = rb"[A-Za-z_][\w.]*(?: as \w+)?"
_IMPORT = rb"(?:import " + _NAME + rb"(?:, *" + _NAME + rb")*|from \.*[A-Za-z_][\w.]* import [\w(*][^\n]*)[ \t]*(?:#[^\n]*)?"
IMPORT = late(rb"(?:\A|(?<=\n))" + _IMPORT + rb"(?=\n)")
_BLOCK = rb"(?:async )?def \w+\([^\n]*|class \w+[(:][^\n]*|@\w[^\n]*|(?:if|for|with|while|try|else)\b[^\n]*:"
CODE = late(rb"\n(?:" + _IMPORT + rb"|" + _BLOCK + rb")[ \t]*(?=\n)")
DOCSTRING_FIRST = re.compile(rb"(?:[ \t]*\n|={20,}[ \t]*\n|-{20,}[ \t]*\n|#[^\n]*\n)*(?=[rRuU]?(?:\"\"\"|'''))")
MARKS = (b'"""', b"'''")
QUOTE = late(rb"(?:\A|(?<=\n))[rRuU]?(?:\"\"\"|''')")
_AT_START = rb"(?:(?<=\n%b)|(?<=\A%b))"  # looked for behind the first byte: a pattern that begins with a byte is found five times as fast
RULER = late(rb"(?:=" + _AT_START % (b"=", b"=") + rb"={19,}|-" + _AT_START % (b"-", b"-") + rb"-{19,})[ \t]*\n")


def length(said: str) -> int:
    """How many lines a program has, by what the setting says of it."""
    return int(said.split()[2].replace(",", ""))


class Pasted:
    """Follows the programs in a text, block by block; `ruled=False` is for a program that no ruler ends."""

    def __init__(self, ruled: bool = True) -> None:
        self.ruled = ruled
        self.inside = False
        self.odd = [False, False]  # whether a triple quote is open, of either kind
        self.seen = False
        self.fresh = True  # nothing has been looked at
        self.undecided = False  # a single import stood too near to the end to tell
        self.begins = False  # the next stretch of program is the first of one
        self.said: tuple[str, int] | None = None  # the latest program, with the line on which it begins

    @property
    def open(self) -> bool:
        """Whether what the next lines are depends on lines read before."""
        return self.inside or self.undecided or not self.ruled

    def stretches(self, block: bytes) -> Iterator[tuple[bytes, bool]]:
        """The block in pieces, each with whether it is program."""
        at = 0
        while at < len(block):
            end = self._end(block, at) if self.inside else self._start(block, at)
            if end > at:
                yield block[at:end], self.inside
            if end < len(block):
                self.inside = not self.inside
            elif self.inside and not self.ruled:
                self.inside = False  # what comes with the next block is data again
            at = end

    def note(self, stretch: bytes, line: int) -> None:
        """Keep what tells this program from others: a stretch of it, and the line on which that begins."""
        if self.begins:
            self.begins, self.digest, self.lines, self.first = False, blake2b(digest_size=4), 0, line
        self.digest.update(stretch)
        self.lines += stretch.count(b"\n")
        if self.ruled:  # without a ruler, where it ends depends on what was read at a time
            self.said = f"{self.digest.hexdigest()} of {self.lines:,} lines", self.first

    def tell(self, reading: Reading, trial: int) -> None:
        """Record the program above a trial, which its data are taken to come from."""
        if self.said:
            reading.fact("pasted_program", self.said[0], trial, self.said[1])

    def _start(self, block: bytes, at: int) -> int:
        """Where the next program starts, or the end of the block."""
        fresh, self.fresh, self.begins = self.fresh, False, True
        if fresh and (first := DOCSTRING_FIRST.match(block, at)):
            self.seen = True
            return first.end()
        if block.find(b"import ", at) < 0:
            return len(block)
        for found in IMPORT.finditer(block, at):
            if CODE.search(block, found.end(), found.end() + NEAR):
                self.seen, self.odd = True, [False, False]
                return self._docstring(block, at, found.start())
            self.undecided = self.undecided or len(block) - found.end() < NEAR
        return len(block)

    def _docstring(self, block: bytes, at: int, start: int) -> int:
        """The docstring above the first import, if there is one."""
        quote = QUOTE.search(block, at, start)
        return quote.start() if quote and not any(self._quotes(block[quote.start() : start])) else start

    def _quotes(self, text: bytes) -> list[bool]:
        return [open_ ^ bool(text.count(mark) % 2) for open_, mark in zip(self.odd, MARKS, strict=True)]

    def _end(self, block: bytes, at: int) -> int:
        """After the ruler that ends the program, or the end of the block."""
        if not self.ruled:
            last = max([at, *(m.end() for m in CODE.finditer(block, at)), *(block.rfind(mark, at) for mark in MARKS)])
            end = block.find(b"\n", last) + 1 or len(block)
            return len(block) if any(self._quotes(block[at:end])) else end
        for ruler in RULER.finditer(block, at):
            self.odd = self._quotes(block[at : ruler.start()])
            at = ruler.end()
            if not any(self.odd):
                return at
        self.odd = self._quotes(block[at:])
        return len(block)
