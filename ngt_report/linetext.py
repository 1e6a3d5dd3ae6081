"""The text of a cited line: as the build kept it, else from the file, if that is still the file the build read."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ngt_report.errors import ReportError
from ngt_report.files import InputFile
from ngt_report.stamp import stamp_of
from ngt_report.store import Store, sql

NO_LINES = {"checkpoint": "a checkpoint has no lines", "tfevents": "an event file has records, not lines"}


class LineTexts:
    """Looks lines up for one report."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self.found: dict[int, InputFile | str] = {}

    def of(self, source: int, line: int) -> tuple[str | None, str | None]:
        """The line's text, or None and why it is not known."""
        kept = self.store.run("SELECT text FROM lines WHERE source = ? AND line = ? LIMIT 1", [source, line])
        if kept:
            return str(kept[0][0]), None
        texts, why = self.several(source, [line])
        return (texts[0], None) if texts else (None, why or "the file has no such line any more")

    def several(self, source: int, lines: Sequence[int]) -> tuple[list[str], str | None]:
        """The texts of lines from the file itself, or why they are not known."""
        if source not in self.found:
            self.found[source] = self._file(source)
        file = self.found[source]
        if isinstance(file, str):
            return [], file
        return [text for _, text in lines_of(file, list(lines))], None

    def _file(self, source: int) -> InputFile | str:
        """The file as the build read it, or why there is none."""
        row = self.store.run("SELECT path, size, fingerprint, format FROM sources WHERE id = ?", [source])
        if not row:
            return "the database does not know this source"
        path, size, fingerprint, form = row[0]
        if form in NO_LINES:
            return NO_LINES[form]
        if os.path.isabs(path) or ".." in path.split("/"):
            return "the line's text was not kept"
        there = [file for root in self._roots() if (file := _opened(root / path, path, size)) is not None]
        same = next((f for f in there if f.fingerprint(size) == fingerprint), None)
        if same is not None:
            return same
        return "the file has changed since the build" if there else "the line's text was not kept, and the file is not here"

    def _roots(self) -> list[Path]:
        """Where the inputs may lie: where the build found them, here, or above the report."""
        root = stamp_of(self.folder).root
        known = [self.folder / root] if root is not None else []
        return [*known, Path.cwd(), self.folder, *list(self.folder.resolve().parents)[:3]]


def _opened(path: Path, rel: str, size: int) -> InputFile | None:
    """The file, at the size the build read; None when it is not there or smaller."""
    try:
        info = path.stat()
        file = InputFile(str(path), rel, size, info.st_mtime_ns)
        file.open().close()
    except (OSError, ReportError):
        return None
    return file if info.st_size >= size else None


# -- in a build -------------------------------------------------------------------------------------------------------
def keep_lines(store: Store, files: list[InputFile]) -> None:
    """Keep the text of each cited line, and of no other, so that `trace` answers where the files are not."""
    store.run(f"CREATE OR REPLACE TEMP TABLE cited AS {sql('staging/cited.sql')}")
    if store.run("SELECT 1 FROM lines LIMIT 1"):
        store.run("DELETE FROM lines WHERE (source, line) NOT IN (SELECT (source, line) FROM cited)")
    wanted = store.run(
        "SELECT path, source, list(line ORDER BY line) FROM cited ANTI JOIN lines USING (source, line) GROUP BY path, source ORDER BY path"
    )
    by_path = {f.rel: f for f in files}
    rows = []
    for path, source, numbers in wanted:
        file = by_path[path]
        if file.stand_in is not None:
            continue
        file.start = 0
        rows += [(source, n, text) for n, text in lines_of(file, numbers)]
    store.insert("lines", "source BIGINT, line BIGINT, text VARCHAR", rows)


def lines_of(file: InputFile, numbers: list[int]) -> list[tuple[int, str]]:
    """The text of the given lines, at most 2,000 characters of each."""
    wanted, out = iter(sorted(numbers)), []
    number = next(wanted, None)
    for block, first in file.blocks():
        ends = _line_ends(block)
        while number is not None and number - first < len(ends):
            start = ends[number - first - 1] + 1 if number > first else 0
            text = block[start : min(ends[number - first], start + 4000)]
            out.append((number, text.decode("utf-8", "replace").rstrip("\r")[:2000]))
            number = next(wanted, None)
        if number is None:
            break
    return out


def _line_ends(block: bytes) -> Sequence[int]:
    """Where the lines of a block end, of which the last may have no newline."""
    np = sys.modules.get("numpy")  # loading it for this costs more than it saves
    if np is None:
        ends: Any = [found.start() for found in re.finditer(b"\n", block)]
    else:
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
    return ends if block.endswith(b"\n") else [*ends, len(block)]
