"""Which report a command means, and what it reads of it: summary.json and Summary.md, the database only where it must."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ngt_report.errors import ReportError, UsageError
from ngt_report.stamp import STAMP

if TYPE_CHECKING:
    from ngt_report.store import Store

SAMPLE = "sample"  # artifacts/sample comes with a checkout: it is meant only when it is alone


def find(text: str | None) -> Path:
    """The report's folder: as given, a name in artifacts/, or the only one there is."""
    return _only(Path.cwd()) if text is None else _named(text)


def _only(here: Path) -> Path:
    if (here / STAMP).is_file():
        return Path(".")
    return _one_of(Path("artifacts"), "no report was named, and artifacts/ holds none; make one with `ngtreport build PATH`")


def _one_of(folder: Path, none: str) -> Path:
    found = _children(folder)
    if not found:
        raise ReportError(none)
    if len(found) > 1:
        names = ", ".join(found[:8]) + (", ..." if len(found) > 8 else "")
        raise UsageError(f"{folder.as_posix()}/ holds {len(found)} reports ({names}); name the one you mean")
    return folder / found[0]


def _children(folder: Path) -> list[str]:
    """Names of the reports in a folder; the sample only when there is no other."""
    found = sorted(p.parent.name for p in folder.glob("*/" + STAMP)) if folder.is_dir() else []
    return [name for name in found if name != SAMPLE] or found


def _named(text: str) -> Path:
    given = Path(text)
    folder = given.parent if given.is_file() else given
    for candidate in (folder, Path("artifacts") / text):
        if any((candidate / name).is_file() for name in (STAMP, "summary.json", "report.duckdb")):
            return candidate
    if folder.is_dir():
        return _one_of(folder, f"{text} holds no report; make one with `ngtreport build PATH -o {text}`")
    near = difflib.get_close_matches(text, _children(Path("artifacts")), 1)
    raise UsageError(f"there is no report {text!r}, here or in artifacts/" + (f"; did you mean {near[0]!r}?" if near else ""))


def text_of(folder: Path, name: str) -> str:
    """The text of one of the report's files."""
    try:
        with (folder / name).open(encoding="utf-8", errors="replace", newline="") as f:
            return f.read()
    except FileNotFoundError:
        raise ReportError(f"{(folder / name).as_posix()} is missing; build the report again") from None


def summary(folder: Path) -> dict[str, Any]:
    """summary.json."""
    try:
        document = json.loads(text_of(folder, "summary.json"))
    except ValueError as e:
        raise ReportError(f"{(folder / 'summary.json').as_posix()} is no JSON ({e}); build the report again") from e
    if not isinstance(document, dict) or not isinstance(document.get("runs"), list):
        raise ReportError(f"{(folder / 'summary.json').as_posix()} is not what a build writes; build the report again")
    return document


def section(folder: Path, title: str) -> list[str]:
    """The lines of a section of Summary.md, as plain text; none when there is no such section."""
    _, found, rest = text_of(folder, "Summary.md").partition(f"\n## {title}\n")
    return [unmarked(line) for line in rest.partition("\n## ")[0].strip().splitlines()] if found else []


def unmarked(line: str) -> str:
    """A line of Summary.md without its markup."""
    import html
    import re

    from ngt_report.formatting import plain

    text = html.unescape(line.replace("&#8203;", ""))
    return plain(re.sub(r"\\([^\w\s])|\*\*|(?<!\\)`", lambda m: m[1] or "", text))


def database(folder: Path, writes: Path | None = None) -> Store:
    """The report's database, opened for reading; of all files, its statements reach `writes` at most.

    On one thread: with more, Ctrl+C at some moments leaves DuckDB 2.0.1 working on, deaf to every further one.
    """
    from ngt_report.store import Store

    path = folder / "report.duckdb"
    if not path.is_file():
        raise ReportError(f"{path.as_posix()} is missing; build the report again")
    return Store(str(path), read_only=True, threads=1, writes=str(writes) if writes else None)


def shown(path: Path) -> str:
    """A path as one would type it here: relative when it lies below the current folder."""
    import os

    text = os.path.relpath(path) if path.is_absolute() and path.is_relative_to(Path.cwd()) else str(path)
    return text.replace(os.sep, "/")


def sample() -> Path:
    """The sample's logs: in the installed package, else in the checkout."""
    inside = Path(__file__).parent / "sample" / "w3_25m"
    folder = inside if inside.is_dir() else Path(__file__).resolve().parent.parent / "tests" / "data" / "w3_25m"
    logs = folder / "logs" / "w3_25m"
    if not logs.is_dir():
        raise ReportError("the sample runs are not in this installation; build a report of your own logs with `ngtreport build PATH`")
    return logs
