"""A .zip as members: its directory bounded before it is read, members that overlap or hide refused."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from ngt_report.bundles.members import Member, tidy
from ngt_report.bundles.zips import Guarded

CHUNK = 1 << 18
LOCAL_HEADER = 30  # bytes, before its name
LARGEST_DIRECTORY = 16 << 20  # bytes
PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
UNIX = 3


class Zip:
    """The members of a zip, in the order in which they lie."""

    def __init__(self, raw: BinaryIO, size: int) -> None:
        self.archive = zipfile.ZipFile(Guarded(raw, size, LARGEST_DIRECTORY, zipfile.BadZipFile))
        self.by_offset = {info.header_offset: info for info in self.archive.infolist()}
        if len(self.by_offset) != len(self.archive.infolist()):
            raise zipfile.BadZipFile("two members lie at one place")

    def members(self) -> Iterator[Member]:
        """One after the other."""
        end = 0
        for offset in sorted(self.by_offset):
            info = self.by_offset[offset]
            if offset < end:
                raise zipfile.BadZipFile("members overlap")
            end = offset + LOCAL_HEADER + len(info.orig_filename.encode("utf-8", "replace")) + info.compress_size
            yield _member(info)

    def content(self, member: Member) -> Iterator[bytes]:
        """Its bytes; zipfile holds them against their CRC at the end."""
        with self.archive.open(self.by_offset[member.offset]) as file:
            while chunk := file.read(CHUNK):
                yield chunk


def _member(info: zipfile.ZipInfo) -> Member:
    name = tidy(info.orig_filename)
    folder = name.endswith("/")
    return Member(name.rstrip("/") if folder and name.strip("/") else name, info.file_size, folder, _special(info), info.header_offset)


def _special(info: zipfile.ZipInfo) -> str | None:
    """What a member is, when it is no plain file or folder."""
    mode = info.external_attr >> 16 if info.create_system == UNIX else 0
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFLNK:
        return "a symbolic link"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a device or a pipe"
    if info.flag_bits & 1:
        return "encrypted"
    if info.compress_type not in PLAIN:
        return "compressed in a way that not every system reads"
    return None
