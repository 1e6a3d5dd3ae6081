"""Unpacks an archive that anybody may have made: regular files only, each below the folder, all sizes bounded.

Nothing is left to an archive library but the meaning of one header: names are checked for every system, links and special
members are refused, and what is written is counted and hashed on the way. All goes into a folder that did not exist before;
whatever is wrong, that folder is removed.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct, field

from ngt_report.bundles import portable
from ngt_report.bundles.members import Limits, Refused, kind_of
from ngt_report.bundles.tars import Tar, Xz
from ngt_report.bundles.ziparchives import Zip
from ngt_report.errors import ReportError
from ngt_report.formatting import plain
from ngt_report.terminal import shorten

DAMAGE = (
    lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, OverflowError, LookupError,
    NotImplementedError, RuntimeError,
)  # fmt: skip


class Unpacked(Struct):
    """What came out of an archive."""

    folder: Path
    sums: dict[str, tuple[int, str]] = field(default_factory=dict)  # name -> bytes and sha256, in the archive's order


After = Callable[[Unpacked, str], None]
LIMITS = Limits()
LONGEST_SHOWN = 120  # characters of a name


def unpack(archive: Path, folder: Path, limits: Limits = LIMITS, after: After | None = None) -> Unpacked:
    """Unpack into a folder that does not exist yet; `after` sees each file as soon as it is written, and may refuse it.

    Raises:
        ReportError: it is damaged, hostile or too large, or the disk is full; the message is to follow the archive's name, and nothing
            of the archive stays.
    """
    form = kind_of(archive)
    if form is None:
        raise ReportError("it is no .tar.xz and no .zip; unpack it yourself and give the folder")
    taking = _Taking(Unpacked(folder), limits, archive.stat().st_size, after or (lambda made, name: None))
    try:
        folder.mkdir(parents=True)
    except OSError as e:
        raise ReportError(f"the folder {folder} cannot be made: {(e.strerror or str(e)).lower()}; give another folder") from e
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            with archive.open("rb") as raw:
                taking.all(Tar(Xz(raw, limits.allowed(taking.packed))) if form == "xz" else Zip(raw, taking.packed))
        except (ReportError, OSError, MemoryError, *DAMAGE) as e:
            raise _said(taking, e) from e
        undo.pop_all()
    return taking.made


def shown(name: str) -> str:
    """A member's name for a sentence."""
    return shorten(plain(name), LONGEST_SHOWN)


def _said(taking: _Taking, error: Exception) -> Exception:
    """The error as the end of a sentence that begins with the archive's name; it tells the member that it happened at."""
    at = f" at {shown(taking.at)}" if taking.at else " before its first file" if not taking.made.sums else " after its last file"
    if isinstance(error, ReportError):
        return error
    if isinstance(error, OSError):
        return ReportError(f"{(error.strerror or str(error)).lower()}{at}; free space or give another folder")
    if isinstance(error, MemoryError) or "memory" in str(error).lower() and isinstance(error, lzma.LZMAError):
        return ReportError("unpacking needs more memory than an archive may ask for")
    return ReportError(f"it is damaged{at} ({plain(str(error)) or type(error).__name__}); get it again")


class _Taking:
    """Members as they are taken out, held against the limits and against each other."""

    def __init__(self, made: Unpacked, limits: Limits, packed: int, after: After) -> None:
        self.made, self.limits, self.packed, self.after = made, limits, packed, after
        self.names: dict[str, str] = {}  # as Windows and macOS see them -> file or folder
        self.members = self.size = 0
        self.at: str | None = None

    def all(self, archive: Tar | Zip) -> None:
        """Take every member."""
        for member in archive.members():
            if member.folder and member.name in ("", "."):
                continue  # the folder itself, as `tar c .` has it
            self.at = member.name
            self.members += 1
            if self.members > self.limits.members:
                raise Refused(f"it has more than {self.limits.members:,} members")
            if member.refused:
                raise Refused(f"{shown(member.name)} is {member.refused}, and only regular files are unpacked")
            if why := portable.problem(member.name):
                raise Refused(f"{shown(member.name)} is refused: {why}")
            self._claim(member.name, member.folder)
            if member.folder:
                continue
            self._fits(member.size)
            self._write(member.name, member.size, archive.content(member))
            self.after(self.made, member.name)
        self.at = None

    def _claim(self, name: str, folder: bool) -> None:
        """No two members are one file, and no file is another's folder."""
        parts = name.split("/")
        for i in range(1, len(parts) + 1):
            here = "/".join(parts[:i])
            wanted = "folder" if i < len(parts) or folder else "file"
            known = self.names.setdefault(portable.same(here), f"{wanted} {here}")
            if known == f"{wanted} {here}" and (wanted == "folder" or here not in self.made.sums):
                continue
            kind, _, other = known.partition(" ")
            if other == here and kind != wanted:
                raise Refused(f"{shown(here)} is there as a file and as a folder")
            if other == here:
                raise Refused(f"{shown(here)} is there twice")
            raise Refused(f"{shown(name)} and {shown(other)} are one name on Windows or macOS")

    def _fits(self, more: int) -> None:
        """Refuse before a byte is written what says that it is too large."""
        total = self.size + more
        if total > self.limits.allowed(self.packed):
            raise Refused(self.limits.said(self.packed))

    def _write(self, name: str, size: int, content: Iterator[bytes]) -> None:
        path = self.made.folder.joinpath(*name.split("/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        digest, written = hashlib.sha256(), 0
        with _new(path) as file:
            for chunk in content:
                written += len(chunk)
                if written > size:
                    raise Refused(f"{shown(name)} is longer than the archive says")
                digest.update(chunk)
                file.write(chunk)
        if written != size:
            raise EOFError(f"{written:,} of its {size:,} bytes are there")
        self.size += size
        self.made.sums[name] = (size, digest.hexdigest())


def _new(path: Path) -> BinaryIO:
    """A file that did not exist: never through a link, never over another."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o644), "wb")
