"""Input files: found without following links out of the tree, opened safely, read as blocks of whole lines.

Everything read is untrusted. Only regular files are opened; UTF-8 (with or without BOM) and UTF-16 are decoded; a
line longer than `LONGEST_LINE` is skipped and counted, so memory stays bounded whatever the file holds.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from functools import cached_property
from typing import Any, BinaryIO

from msgspec import Struct, field

from ngt_report.errors import ReportError

CONTAINERS = frozenset(".hydra files logs log tensorboard tensorboard_logs tb tb_logs events summaries".split())  # folders that name no run
BLOCK = 8 << 20  # bytes read at a time
HEAD = 1 << 16  # bytes that sniffing sees at once
LONGEST_LINE = 1 << 20
CONTROLS = bytes(c for c in range(1, 32) if c not in (8, 9, 10, 12, 13, 27))  # those that no text has
HOLE = re.compile(rb"\x00{64,}")
BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class InputFile(Struct, dict=True):
    """One file to read: where it is, what it is called in reports, and what an earlier reading left."""

    path: str  # on this machine
    rel: str  # in reports: relative to the inputs' common parent, with /
    size: int
    mtime_ns: int
    state: dict[str, Any] | None = None  # the earlier reading's state, when the file only grew
    start: int = 0  # byte to go on from; 0 reads anew
    complete: bool = False  # --assume-complete: a last line without its newline counts
    notes: dict[str, Any] = field(default_factory=dict)  # what sniffing found, so that it is looked for once
    too_long: list[int] = field(default_factory=list)  # lines that blocks() skipped for their length
    sha256: str | None = None  # of the whole content, once something has read it all
    held: bytes | None = None  # the content of a file of one block, while it is looked at by one format after the other
    holding: bool = False  # whether to hold it
    stand_in: dict[str, Any] | None = None  # of a bundle: what was read of the file, which stayed behind (bundles/standin.py)

    def open(self) -> BinaryIO:
        """Open for reading, refusing anything but a regular file (a FIFO would hang)."""
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        handle = os.open(self.path, flags)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise ReportError(f"{self.rel} is not a regular file; give a file or a folder of files")
        return os.fdopen(handle, "rb")

    @cached_property
    def raw_head(self) -> bytes:
        """The first bytes as they are on disk."""
        with self.open() as f:
            return f.read(HEAD)

    @cached_property
    def encoding(self) -> str:
        """utf-8, utf-8-sig, utf-16-le, utf-16-be, or binary."""
        head = self.raw_head
        for bom, name in BOMS:
            if head.startswith(bom):
                return "utf-8-sig" if name == "utf-8" else name
        for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
            if len(head) >= 4 and head[first:64:2].count(0) > len(head[:64]) // 3 and 0 not in head[1 - first : 64 : 2]:
                return name
        if head.count(0) > len(head) // 4:  # a crash can leave a hole of NUL bytes in a text
            head = HOLE.sub(b"", head) or b"\x00"
        odd = len(head) - len(head.translate(None, CONTROLS))
        if head and (odd > len(head) // 50 or head.count(0) > len(head) // 4):
            return "binary"
        return "utf-8"

    @cached_property
    def head(self) -> bytes:
        """The first bytes as UTF-8, without BOM; empty for a binary file."""
        if self.encoding == "binary":
            return b""
        if self.encoding == "utf-8":
            return self.raw_head
        skip = 3 if self.encoding == "utf-8-sig" else 2 if self.raw_head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else 0
        name = "utf-8" if self.encoding == "utf-8-sig" else self.encoding
        return self.raw_head[skip:].decode(name, "replace").encode("utf-8", "replace")

    @cached_property
    def text_head(self) -> str:
        """The first bytes as text."""
        return self.head.decode("utf-8", "replace")

    def describe(self) -> str:
        """What the content looks like, for messages."""
        if not self.size:
            return "the file is empty"
        return "binary data" if self.encoding == "binary" else f"{self.encoding} text without metrics"

    def release(self) -> None:
        """Let go of the content; what was found out about it stays."""
        self.holding, self.held = False, None
        self.notes.clear()
        for name in ("raw_head", "head", "text_head"):
            self.__dict__.pop(name, None)

    def fingerprint(self, upto: int | None = None) -> str:
        """sha256 of the content, or of its first `upto` bytes."""
        if upto is None and self.sha256:
            return self.sha256
        digest = hashlib.sha256()
        left = self.size if upto is None else upto
        room = memoryview(bytearray(min(left, 1 << 18)))
        with self.open() as f:
            while left > 0 and (got := f.readinto(room[: min(left, len(room))])):  # type: ignore[attr-defined]
                digest.update(room[:got])
                left -= got
        return digest.hexdigest()

    def torn(self) -> int:
        """Bytes after the last newline."""
        with self.open() as f:
            back = min(self.size, 1 << 16)
            while True:
                f.seek(self.size - back)
                data = f.read(back)
                cut = data.rfind(b"\n")
                if cut >= 0 or back >= self.size:
                    return len(data) - cut - 1
                back = min(self.size, back * 4)

    def read_bytes(self, limit: int) -> bytes:
        """The whole content as UTF-8 (for documents); an error when it is larger than `limit` bytes."""
        if self.size > limit:
            raise ReportError(f"{self.rel} has {self.size:,} bytes, over the limit of {limit:,} for this format")
        with self.open() as f:
            data = f.read(limit + 1)
        if self.encoding == "utf-8":
            return data
        return b"".join(chunk for chunk in self._decoded(iter([data])))

    def _decoded(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """UTF-8 bytes, whatever the file's own encoding."""
        if self.encoding in ("utf-8", "binary"):
            yield from chunks
            return
        name = (
            "utf-8-sig"
            if self.encoding == "utf-8-sig"
            else "utf-16"
            if self.raw_head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
            else self.encoding
        )
        decoder = codecs.getincrementaldecoder(name)("replace")
        for chunk in chunks:
            yield decoder.decode(chunk).encode("utf-8", "replace")
        yield decoder.decode(b"", True).encode("utf-8", "replace")

    def _chunks(self) -> Iterator[bytes]:
        if self.held is not None and not self.start:
            yield self.held
            return
        left = self.size - self.start  # bytes written after discovery wait for the next build
        digest = None if self.start or self.sha256 else hashlib.sha256()  # what is read anyway is hashed on the way
        with self.open() as f:
            f.seek(self.start)
            while left > 0 and (chunk := f.read(min(BLOCK, left))):
                left -= len(chunk)
                if digest:
                    digest.update(chunk)
                    self.sha256 = None if left else digest.hexdigest()
                if self.holding and not left and not self.start and len(chunk) == self.size:
                    self.held = chunk
                yield chunk

    def fill(self, room: bytearray) -> Iterator[memoryview]:
        """The content, piece by piece in the same memory: whole lines, and last what has no newline."""
        digest, kept, left = hashlib.sha256(), 0, self.size
        view = memoryview(room)
        with self.open() as f:
            while left > 0 and (got := f.readinto(view[kept : min(len(room), kept + left)])):  # type: ignore[attr-defined]
                digest.update(view[kept : kept + got])
                left -= got
                end = room.rfind(b"\n", 0, kept + got) + 1
                yield view[:end]
                room[: kept + got - end] = room[end : kept + got]
                kept += got - end
        self.sha256 = None if left else digest.hexdigest()
        yield view[:kept]

    def blocks(self, first_line: int = 1) -> Iterator[tuple[bytes, int]]:
        """Whole lines with their newlines as (bytes, number of the first line), from `start` on.

        The rest without a newline comes last, alone: the caller decides what a torn line means. Lines over
        LONGEST_LINE arrive as empty lines and are listed in `too_long`.
        """
        self.too_long.clear()
        rest = block = b""
        skipping = False
        line = first_line
        for chunk in self._decoded(self._chunks()):
            if skipping:
                cut = chunk.find(b"\n")
                if cut < 0:
                    continue
                chunk, skipping, rest = chunk[cut:], False, b""
            data = rest + chunk
            end = data.rfind(b"\n") + 1
            line += block.count(b"\n")  # of the block before; the last one's need not be counted
            block, rest = data[:end], data[end:]
            if len(rest) > LONGEST_LINE:
                skipping, rest = True, b""
                self.too_long.append(line + block.count(b"\n"))
            if block:
                block = self._without_giants(block, line)
                yield block, line
        if rest or skipping:
            yield rest, line + block.count(b"\n")

    def _without_giants(self, block: bytes, line: int) -> bytes:
        """The block with over-long lines emptied; their numbers go to `too_long`."""
        at = 0
        while len(block) - at > LONGEST_LINE:
            end = block.rfind(b"\n", at, at + LONGEST_LINE + 1)
            if end < 0:
                break
            at = end + 1
        else:
            return block
        lines = block.split(b"\n")
        giants = [i for i, text in enumerate(lines) if len(text) > LONGEST_LINE]
        for i in giants:
            lines[i] = b""
            self.too_long.append(line + i)
        return b"\n".join(lines) if giants else block


def run_folder(folder: str) -> str:
    """The folder that a run's files are in, without what only says what they are: runs/a for runs/a/logs."""
    above, _, name = folder.rpartition("/")
    return run_folder(above) if above and name.lower() in CONTAINERS else folder
