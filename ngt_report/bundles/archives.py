"""Writes archives: members in order, no dates, no owners, so that the same content gives the same bytes."""

from __future__ import annotations

import hashlib
import lzma
import tarfile
import zipfile
from collections.abc import Iterator
from typing import BinaryIO, Protocol

BLOCK = 512
CHUNK = 1 << 20
DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
MODE = 0o644
SEAL = b"ngtreport bundle; sha256 of all before this sum: "  # a zip's comment: its headers have no checksum of their own


class TooLarge(Exception):
    """The archive is larger than it may be."""


class Maker(Protocol):
    """An archive that is being written."""

    def __enter__(self) -> Maker: ...
    def __exit__(self, *failed: object) -> None: ...
    def add(self, name: str, size: int, content: Iterator[bytes]) -> None:
        """One member."""


class TarXz:
    """A .tar.xz, at the level that `tar cJ` has."""

    def __init__(self, out: BinaryIO, most: int | None) -> None:
        self.out, self.most = out, most
        self.compressor = lzma.LZMACompressor(check=lzma.CHECK_CRC64)
        self.size = 0

    def __enter__(self) -> TarXz:
        return self

    def __exit__(self, *failed: object) -> None:
        if failed[0] is None:
            self._put(b"\0" * (2 * BLOCK))
            self._out(self.compressor.flush())

    def add(self, name: str, size: int, content: Iterator[bytes]) -> None:
        """One member: a header, its bytes, zeros up to a whole block."""
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, MODE
        self._put(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))
        for chunk in content:
            self._put(chunk)
        self._put(b"\0" * (-size % BLOCK))

    def _put(self, data: bytes) -> None:
        self._out(self.compressor.compress(data))

    def _out(self, data: bytes) -> None:
        self.size += self.out.write(data)
        if self.most is not None and self.size > self.most:
            raise TooLarge


class Zip:
    """A .zip that Windows opens by itself, sealed by the sum of all its bytes."""

    def __init__(self, out: BinaryIO, most: int | None) -> None:
        self.out, self.most = out, most
        self.archive = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9)

    def __enter__(self) -> Zip:
        return self

    def __exit__(self, *failed: object) -> None:
        self.archive.comment = SEAL + b"0" * 64
        self.archive.close()
        if failed[0] is None:
            self._check()
            self.out.seek(-64, 2)
            end = self.out.tell()
            self.out.write(sum_before(self.out, end))

    def add(self, name: str, size: int, content: Iterator[bytes]) -> None:
        """One member."""
        info = zipfile.ZipInfo(name, DATE)
        info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, (0o100000 | MODE) << 16
        info.file_size = size
        with self.archive.open(info, "w", force_zip64=size >= 1 << 31) as member:
            for chunk in content:
                member.write(chunk)
                self._check()
        self._check()

    def _check(self) -> None:
        if self.most is not None and self.out.tell() > self.most:
            raise TooLarge


def sum_before(file: BinaryIO, end: int) -> bytes:
    """The sha256 of a file's first bytes, in hex; the file is then at `end`."""
    digest, left = hashlib.sha256(), end
    file.seek(0)
    while left and (chunk := file.read(min(CHUNK, left))):
        digest.update(chunk)
        left -= len(chunk)
    file.seek(end)
    return digest.hexdigest().encode()


def sealed(file: BinaryIO) -> bool | None:
    """Whether a zip is as it was when it was sealed, to the bit; None when it has no seal."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 64 - len(SEAL)))
    tail = file.read(64 + len(SEAL))
    if SEAL[:20] not in tail and SEAL[20:] not in tail:  # one bit cannot change both halves
        return None
    return tail.startswith(SEAL) and tail[-64:] == sum_before(file, size - 64)


MAKERS: dict[str, type[TarXz] | type[Zip]] = {"tar.xz": TarXz, "zip": Zip}
