"""Files that appear whole or not at all: written under a temporary name, synced, renamed."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ngt_train.errors import DataError, TrainError


def why(error: OSError) -> str:
    """The reason as the system words it: `no space left on device`."""
    return (error.strerror or str(error)).lower()


@contextlib.contextmanager
def replacing(path: Path, error: type[TrainError] = DataError) -> Iterator[BinaryIO]:
    """A file to write into; it takes path's place when the block ends, and is removed when the block fails.

    Raises:
        error: the folder or the disk is in the way; the sentence names the file and the reason.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as e:
        raise error(f"{path}: cannot be written: {why(e)}; free space or rights, or choose another folder, then run again") from e
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of processes that were killed."""
    for path in folder.glob(".*.tmp"):
        found = re.fullmatch(r"\..+\.(\d+)\.tmp", path.name)
        if found and not _alive(int(found[1])):
            with contextlib.suppress(OSError):
                path.unlink()


def _alive(process: int) -> bool:
    """Whether a process of this number exists; elsewhere than on POSIX an open file cannot be removed anyway."""
    if os.name != "posix":
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder outlast a power cut, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def check_listable(folder: Path, deep: bool, error: type[TrainError] = DataError) -> None:
    """Raise `error` where the folder, or with `deep` one below it, cannot be listed: Path.glob would skip it in silence."""

    def refuse(e: OSError) -> None:
        raise error(f"{e.filename or folder}: the folder cannot be listed: {why(e)}; change its rights, or choose another") from e

    for _ in os.walk(folder, onerror=refuse):
        if not deep:
            return


def make_folder(folder: Path, error: type[TrainError] = DataError) -> None:
    """The folder and its parents."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise error(f"{folder}: the folder cannot be made: {why(e)}; choose another") from e
