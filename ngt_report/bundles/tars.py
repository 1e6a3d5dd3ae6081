"""A .tar.xz as a stream of members: forward only, no more in memory than a block, integrity read to the very end."""

from __future__ import annotations

import lzma
import re
import tarfile
from collections.abc import Iterator
from typing import BinaryIO

from ngt_report.bundles.members import Member, Refused, tidy

BLOCK = 512
CHUNK = 1 << 18
HEADERS = 64 << 20  # bytes that headers and padding may take beside the members
LONGEST_HEADER = 64 << 10  # bytes of an extended header
MOST_MEMORY = 256 << 20  # of the decompressor: xz -9 takes 65 MB
RECORD = re.compile(rb"(\d{1,7}) ([^=\n]+)=")
IGNORED = ("mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment", "hdrcharset", "charset", "linkpath")
SPECIAL = {
    tarfile.LNKTYPE: "a hard link", tarfile.SYMTYPE: "a symbolic link", tarfile.CHRTYPE: "a character device",
    tarfile.BLKTYPE: "a block device", tarfile.FIFOTYPE: "a named pipe", tarfile.GNUTYPE_SPARSE: "a sparse file",
    tarfile.GNUTYPE_LONGLINK: "a link with a long target",
}  # fmt: skip


class Xz:
    """The decompressed bytes of an xz file, whose own checks are all read."""

    def __init__(self, raw: BinaryIO, most: int) -> None:
        self.raw, self.most = raw, most + HEADERS
        self.decompressor = self._new()
        self.given = 0  # bytes

    @staticmethod
    def _new() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_MEMORY)

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        while True:
            if self.decompressor.eof and not self._next_stream():
                return b""
            data = b"" if not self.decompressor.needs_input else self.raw.read(CHUNK)
            if self.decompressor.needs_input and not data:
                raise EOFError("it ends in the middle")
            out = self.decompressor.decompress(data, size)
            self.given += len(out)
            if self.given > self.most:
                raise Refused(f"it unpacks to more than {self.most:,} bytes, like a decompression bomb")
            if out:
                return out

    def _next_stream(self) -> bool:
        """Whether another stream follows, as parallel compressors write them; zeros between streams are padding."""
        rest = self.decompressor.unused_data
        while not rest.strip(b"\0"):
            rest = self.raw.read(CHUNK)
            if not rest:
                return False
        rest = rest.lstrip(b"\0")
        if not rest.startswith(b"\xfd7zXZ\0"[: len(rest)]):
            raise EOFError("something follows its end")
        self.decompressor = self._new()
        self.decompressor.decompress(rest, 0)  # takes them in, gives nothing yet
        return True


class Tar:
    """The members of a tar in such a stream."""

    def __init__(self, stream: Xz) -> None:
        self.stream = stream
        self.buffer = b""
        self.left = 0  # bytes of the member at hand that were not read yet, with its padding
        self.padding = 0

    def members(self) -> Iterator[Member]:
        """One after the other; what of a member was not read is skipped."""
        name: str | None = None
        size: int | None = None
        first = True
        while True:
            self._skip()
            block = self._exactly(BLOCK)
            if not block.strip(b"\0"):
                break
            info = self._header(block, first)
            first = False
            if info.type in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE):
                records = self._records(info)
                if info.type != tarfile.XGLTYPE:
                    name, size = records.get("path", name), _whole(records["size"]) if "size" in records else size
                continue
            if info.type == tarfile.GNUTYPE_LONGNAME:
                name = self._extended(info).rstrip(b"\0").decode("utf-8", "surrogateescape")
                continue
            yield self._member(info, name, size)
            name = size = None
        while self.stream.read(CHUNK):  # what follows the end is no member, but the stream's checks stand behind it
            pass

    def content(self, _: Member) -> Iterator[bytes]:
        """The bytes of the member that was just given."""
        while self.left > self.padding:
            chunk = self._exactly(min(CHUNK, self.left - self.padding))
            self.left -= len(chunk)
            yield chunk

    def _member(self, info: tarfile.TarInfo, name: str | None, size: int | None) -> Member:
        size = info.size if size is None else size
        if size < 0:
            raise Refused("a member has a size below 0")
        given = info.name if name is None else name
        folder = info.isdir()
        refused = None if folder or info.type in (tarfile.REGTYPE, tarfile.AREGTYPE) else SPECIAL.get(info.type, "no regular file")
        if not refused:
            self._open(0 if folder else size)
        tidied = tidy(given)
        return Member(tidied.rstrip("/") if folder and tidied.strip("/") else tidied, size, folder, refused)

    def _header(self, block: bytes, first: bool) -> tarfile.TarInfo:
        try:
            return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as e:
            if first:
                raise Refused("it holds no tar archive, or its beginning is damaged") from e
            raise tarfile.ReadError(f"a header is damaged: {e}") from e

    def _extended(self, info: tarfile.TarInfo) -> bytes:
        """The content of an extended header."""
        if not 0 <= info.size <= LONGEST_HEADER:
            raise Refused(f"an extended header says that it has {info.size:,} bytes")
        self._open(info.size)
        return b"".join(self.content(Member("", info.size)))

    def _records(self, info: tarfile.TarInfo) -> dict[str, str]:
        """Key and value of the records that matter; one that would change what the member is makes it no regular file."""
        data, found, at = self._extended(info), {}, 0
        while at < len(data) and data[at] != 0:
            match = RECORD.match(data, at)
            length = int(match[1]) if match else 0
            if match is None or length < len(match[0]) + 1 or data[at + length - 1 : at + length] != b"\n":
                raise tarfile.HeaderError("an extended header has a damaged record")
            key = match[2].decode("utf-8", "replace")
            if key in ("path", "size"):
                found[key] = data[match.end() : at + length - 1].decode("utf-8", "surrogateescape")
            elif key not in IGNORED and not key.startswith(("SCHILY.", "LIBARCHIVE.")):
                raise Refused(f"an extended header has {key[:40]!r}, which no plain file needs")
            at += length
        return found

    def _open(self, size: int) -> None:
        self.padding = -size % BLOCK
        self.left = size + self.padding

    def _skip(self) -> None:
        while self.left:
            self.left -= len(self._exactly(min(CHUNK, self.left)))
        self.padding = 0

    def _exactly(self, size: int) -> bytes:
        parts = [self.buffer[:size]]
        self.buffer = self.buffer[size:]
        missing = size - len(parts[0])
        while missing:
            more = self.stream.read(CHUNK)
            if not more:
                raise EOFError("it ends in the middle")
            parts.append(more[:missing])
            self.buffer = more[missing:]
            missing -= len(parts[-1])
        return b"".join(parts)


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text):
        raise tarfile.HeaderError(f"a size of {text[:20]!r}")
    return int(text)
