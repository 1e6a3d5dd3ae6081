"""A file whose lines are written otherwise before they are read: what a format prints in its own way, in words that the text engine knows.

There are as many lines as before, so that every number keeps its line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import BinaryIO

from ngt_report.files import InputFile

Rewrite = Callable[[bytes], bytes]  # a block of lines, in their order
STAMP = (  # a date, a level and a logger's name in front of a line
    rb"[ \t]*+(?:[\[(]?[0-9]{2,4}[-/][0-9]{2}(?:[-/][0-9]{2,4})?[ T,][ ]?[0-9:.,]{5,15}Z?[\])]?[ \t|:\-]*+)?"
    rb"(?:[A-Za-z_.]{1,40}[ \t]+[|:\-][ \t]+)?(?:\[?(?:INFO|DEBUG)\]?[ \t|:\-]*+)?"
)


class Rewritten(InputFile, kw_only=True, dict=True):
    """The other file, in other words."""

    other: InputFile
    begin: Callable[[], Rewrite]  # called for each reading from the start

    def open(self) -> BinaryIO:
        """The bytes as they are on disk."""
        return self.other.open()

    @cached_property
    def raw_head(self) -> bytes:
        """The first bytes as they are on disk."""
        return self.other.raw_head

    @cached_property
    def encoding(self) -> str:
        """That of the other file."""
        return self.other.encoding

    @cached_property
    def head(self) -> bytes:
        """The first bytes, rewritten."""
        return self.begin()(self.other.head)

    def read_bytes(self, limit: int) -> bytes:
        """The whole content, rewritten."""
        return self.begin()(self.other.read_bytes(limit))

    def blocks(self, first_line: int = 1) -> Iterator[tuple[bytes, int]]:
        """Whole lines, rewritten; the rest without a newline comes last."""
        rewrite = self.begin()
        for block, line in self.other.blocks(first_line):
            yield rewrite(block), line


def rewritten(file: InputFile, begin: Callable[[], Rewrite]) -> Rewritten:
    """The file in other words; what is found out about either stays apart."""
    return Rewritten(
        file.path, file.rel, file.size, file.mtime_ns, complete=file.complete, notes={"no_bulk": True}, too_long=file.too_long,
        other=file, begin=begin,
    )  # fmt: skip


def shows(file: InputFile, word: bytes, sign: re.Pattern[bytes]) -> bool:
    """Whether some line looks like one of a format, all of which have a word."""
    return file.encoding != "binary" and any(word in block and sign.search(block) for block, _ in file.blocks())
