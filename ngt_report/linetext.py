"""The text of a cited line: as the build kept it, else from the file, if that is still the file the build read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ngt_report.errors import ReportError
from ngt_report.files import InputFile
from ngt_report.stamp import stamp_of
from ngt_report.store import Store

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
        from ngt_report.ingest import lines_of

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
