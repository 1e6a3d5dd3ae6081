"""A member of an archive, before anything is believed of it, and what an archive may unpack to."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from ngt_report.errors import ReportError

XZ, ZIP = b"\xfd7zXZ\x00", (b"PK\x03\x04", b"PK\x05\x06")


class Refused(ReportError):
    """An archive that is not unpacked; the message says why, without the archive's name."""


class Limits(Struct, frozen=True):
    """What an archive may unpack to."""

    members: int = 100_000
    size: int = 64 << 30  # bytes in all
    free: int = 64 << 20  # bytes that may come out whatever went in
    ratio: int = 250  # beyond these, bytes that may come out of one

    def allowed(self, packed: int) -> int:
        """How many bytes may come out of so many."""
        return min(self.size, max(self.free, self.ratio * packed))

    def said(self, packed: int) -> str:
        """Why more than that is refused."""
        return f"its {packed:,} bytes unpack to more than {self.allowed(packed):,}, like a decompression bomb"


class Member(Struct, frozen=True):
    """What an archive's header says."""

    name: str  # with /, as it stands there but for a leading ./
    size: int
    folder: bool = False
    refused: str | None = None  # what it is, when it is neither a regular file nor a folder
    offset: int = 0  # of a zip's own header


def tidy(name: str) -> str:
    """A name without the `./` that tar writes before the members of `.`; absolute and odd names stay what they are."""
    while name.startswith("./"):
        name = name[2:].lstrip("/") if name[2:3] == "/" else name[2:]
    return name


def kind_of(path: Path) -> str | None:
    """xz or zip, by content; None for anything else."""
    try:
        with path.open("rb") as f:
            head = f.read(8)
    except OSError:
        return None
    return "xz" if head.startswith(XZ) else "zip" if head.startswith(ZIP) else None
