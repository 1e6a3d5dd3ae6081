"""Annotated copies of reports: written over an earlier one that nobody has edited, and over nothing else unless that is asked for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ngt_report.atomic import digest, replace_files
from ngt_report.errors import ReportError, UsageError

MARK = re.compile(rb"\n<!-- annotated by ngtreport verify, ([0-9a-f]{64}) -->\n\Z")
LONGEST = 200  # bytes at the end that hold the mark


def write(target: Path, text: str) -> None:
    """Write a copy, with a last line that vouches for the text before it."""
    data = text.encode("utf-8", "replace")
    mark = f"\n<!-- annotated by ngtreport verify, {digest(data)} -->\n"
    replace_files({target: data + mark.encode()}, "give --annotate another file")


def check_free(target: Path, force: bool, sources: Iterable[str]) -> None:
    """An error where a copy would destroy the report, what it is held against, or another's file."""
    if not os.path.lexists(target):
        return
    if target.is_dir():
        raise UsageError(f"{target} is a folder; give --annotate a file's name")
    if any(_same(target, path) for path in sources):
        raise ReportError(f"{target} is the report or one of the files that it is held against; give --annotate another file")
    if not (force or _ours(target)):
        raise UsageError(
            f"{target} exists and is no copy that ngtreport annotated; give --annotate another file, or --force to write over it"
        )


def _same(target: Path, path: str) -> bool:
    """Whether two names are one file, by whatever links."""
    with suppress(OSError):
        return os.path.samefile(target, path)
    return False


def _ours(path: Path) -> bool:
    """Whether a file is a copy as it was written."""
    with suppress(OSError), path.open("rb") as f:
        f.seek(max(0, path.stat().st_size - LONGEST))
        if MARK.search(f.read(LONGEST)):
            f.seek(0)
            data = f.read()
            found = MARK.search(data)
            return found is not None and digest(data[: found.start()]) == found[1].decode()
    return False
