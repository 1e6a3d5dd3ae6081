"""Files that are there whole or not at all: written under a temporary name, then renamed; and their sha256."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ngt_report.errors import ReportError


def digest(data: bytes) -> str:
    """The sha256, in hex."""
    return hashlib.sha256(data).hexdigest()


def digest_of(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def found(path: Path) -> str | None:
    """The same where there is such a file that can be read."""
    try:
        return digest_of(path)
    except OSError:
        return None


def replace_files(files: dict[Path, bytes], advice: str = "free space or give -o another folder") -> None:
    """Write under temporary names, sync, then rename, in this order: an old file stays until the new ones are whole."""
    with ExitStack() as leftovers:
        temporary = {path: leftovers.enter_context(_temporary(path)) for path in files}
        path = Path()
        try:
            with ExitStack() as stack:
                handles = []
                for path, data in files.items():
                    handles.append(stack.enter_context(temporary[path].open("wb")))
                    handles[-1].write(data)
                    handles[-1].flush()
                for handle in handles:  # the first sync carries most of the others
                    os.fsync(handle.fileno())
            for path in files:
                os.replace(temporary[path], path)
        except OSError as e:
            raise _refused(path, e, advice) from e


@contextmanager
def replacing(path: Path, advice: str) -> Iterator[Path]:
    """A temporary name to write under; the file takes the path's place at the end, and where that fails nothing of it stays."""
    with _temporary(path) as temporary:
        try:
            yield temporary
            with temporary.open("r+b") as f:
                os.fsync(f.fileno())
            os.replace(temporary, path)
        except OSError as e:
            raise _refused(path, e, advice) from e


def keep(path: Path, data: bytes) -> bool:
    """Write what can be made again, as a cache is, without waiting for the disk; whether that could be done."""
    with suppress(OSError), _temporary(path) as temporary:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary.write_bytes(data)
        os.replace(temporary, path)
        return True
    return False


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """A name beside a file, under which nothing is left at the end."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink()


def _refused(path: Path, error: OSError, advice: str) -> ReportError:
    return ReportError(f"{path} cannot be written: {(error.strerror or str(error)).lower()}; {advice}")
