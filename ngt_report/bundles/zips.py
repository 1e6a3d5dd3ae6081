"""A zip's directory is read before anything in it can be checked: this bounds what a forged one can ask for."""

from __future__ import annotations

import io
from typing import BinaryIO


class Guarded(io.BufferedIOBase):
    """The file for zipfile, refusing reads of more than `most` bytes at once with `refused`."""

    def __init__(self, raw: BinaryIO, size: int, most: int, refused: type[Exception]) -> None:
        self.raw_file, self.file_size = raw, size
        self.most, self.refused = most, refused

    def read(self, size: int | None = -1, /) -> bytes:
        """Bytes, as many as a file gives."""
        wanted = self.file_size - self.raw_file.tell() if size is None or size < 0 else size
        if wanted > self.most:
            raise self.refused(f"its zip directory claims {wanted:,} bytes")
        return self.raw_file.read(wanted)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """As of the file."""
        return self.raw_file.seek(offset, whence)

    def tell(self) -> int:
        """As of the file."""
        return self.raw_file.tell()

    def seekable(self) -> bool:
        """Always."""
        return True
