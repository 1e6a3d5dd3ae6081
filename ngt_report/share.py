"""Writes what a build made: under a temporary name, then renamed; marked as ours; never over a file that is not."""

from __future__ import annotations

import json
import os
from itertools import count
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from ngt_report import __version__
from ngt_report.atomic import digest, found, replace_files
from ngt_report.discover import Inputs
from ngt_report.errors import ReportError
from ngt_report.files import InputFile
from ngt_report.stamp import STAMP, Stamp, original, stamp_of, to_bytes
from ngt_report.waist import Finding

COMMENT = "PR_comment.md"
OUTPUTS = ("Summary.md", "results.csv", "summary.json", "dashboard.html", COMMENT)
NOTES = "NOTES.md"
NOTES_TEXT = "<!-- Your own words. They stand in Summary.md at every build; ngtreport never changes this file. -->\n"


def inputs_key(inputs: Inputs, options: dict[str, Any]) -> str:
    """Equal as long as no input file, option, note or version changed."""
    listing = [[f.rel, f.size, f.mtime_ns, *_locked(f)] for f in inputs.files]
    findings = [[path, f.text] for path, f in inputs.findings]
    text = json.dumps([__version__, listing, findings, options], sort_keys=True, default=str)
    return digest(text.encode("utf-8", "surrogateescape"))


def _locked(file: InputFile) -> list[str]:
    """A word for a file that may not be read now; its rights can change without its date."""
    return [] if file.stand_in is not None or os.access(file.path, os.R_OK) else ["locked"]


def unchanged(folder: Path, key: str) -> bool:
    """Whether the last build saw the same inputs and its files are as it left them."""
    stamp = stamp_of(folder)
    return stamp.inputs == key and (folder / "report.duckdb").is_file() and all(found(folder / n) == d for n, d in stamp.outputs.items())


def has_database(folder: Path) -> bool:
    """Whether a build has begun here before; an error when the file is another program's. Not to be asked while we hold the database."""
    path = folder / "report.duckdb"
    if path.exists() and not stamp_of(folder).outputs:
        with path.open("rb") as f:
            head = f.read(12)
        _check(not head or head[8:] == b"DUCK", path)  # empty: another build is just making it
    return path.exists()


def check_ours(folder: Path) -> None:
    """Refuse when a file in the way was not written by a build; while one is writing, it may look so."""
    ours = stamp_of(folder).outputs
    for path in (folder / name for name in OUTPUTS if name not in ours):
        _check(not path.exists() or _marked(path), path)


def _check(ours: bool, path: Path) -> None:
    if not ours:
        raise ReportError(f"{path} exists and was not written by ngtreport; move it away or give -o another folder")


def _marked(path: Path) -> bool:
    """Whether a file carries our mark: a Summary.md whose stamp was lost."""
    with path.open("rb") as f:
        return b"<!-- written by ngtreport" in f.read(200)


class Changes(Struct, frozen=True):
    """What a build changed among a report's files, by their names."""

    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # of what was edited by hand and put aside


def write(folder: Path, texts: dict[str, str], key: str, meta: dict[str, Any]) -> Changes:
    """Write the outputs and the stamp; what was edited by hand is kept beside as *.edited.*."""
    folder.mkdir(parents=True, exist_ok=True)
    before = stamp_of(folder)
    files = {name: text.encode("utf-8", "replace") for name, text in texts.items()}
    sums = {name: digest(data) for name, data in files.items()}
    there = {name: found(folder / name) for name in files}
    kept = _spare_edited(folder, there, before.outputs, sums)
    written = [name for name in files if there[name] != sums[name]]
    changed = {folder / name: files[name] for name in written}
    if not (folder / NOTES).exists():
        changed[folder / NOTES] = NOTES_TEXT.encode()
    changed[folder / STAMP] = to_bytes(Stamp(__version__, key, sums, before.beside, **meta))
    replace_files(changed)
    # a page that this build does not write any more
    removed = [name for name, data in before.outputs.items() if name not in files and found(folder / name) == data]
    for name in removed:
        (folder / name).unlink()
    return Changes(written, removed, kept)


def write_beside(folder: Path, texts: dict[str, str]) -> list[str]:
    """Write files that no build writes, and mark them as ours: never over a stranger's; one edited by hand is kept as *.edited.*.

    Returns the names under which edited files are kept.
    """
    stamp = stamp_of(folder)
    for name in texts.keys() - stamp.beside.keys():
        if (folder / name).exists():
            raise ReportError(f"{folder / name} exists and was not written by ngtreport; move it away, then try again")
    files = {name: text.encode("utf-8", "replace") for name, text in texts.items()}
    sums = {name: digest(data) for name, data in files.items()}
    kept = _spare_edited(folder, {name: found(folder / name) for name in files}, stamp.beside, sums)
    stamp.beside |= sums
    replace_files({folder / name: data for name, data in files.items()} | {folder / STAMP: to_bytes(stamp)})
    return kept


def _spare_edited(folder: Path, there: dict[str, str | None], before: dict[str, str], now: dict[str, str]) -> list[str]:
    """Put aside what is neither as it was written nor as it will be; the names under which it is kept."""
    edited = [name for name, data in there.items() if name in before and data not in (None, before[name], now[name])]
    return [_put_aside(folder / name) for name in edited]


def _put_aside(path: Path) -> str:
    """Rename a file that was edited by hand to the next free of Summary.edited.md, Summary.edited-2.md, ..."""
    names = (f"{path.stem}.edited{'' if n == 1 else f'-{n}'}{path.suffix}" for n in count(1))
    aside = next(name for name in names if not os.path.lexists(path.with_name(name)))
    os.replace(path, path.with_name(aside))
    return aside


def kept_line(name: str, folder: str) -> str:
    """What is said of a file that was put aside."""
    return f"{original(name)} had been edited by hand: the edited text is kept as {folder}/{name}; own words belong in NOTES.md"


def claim(folder: Path, digests: dict[str, str], version: str) -> None:
    """Mark files that came with a bundle as ours, so that a build may write them anew."""
    outputs = {name: d for name, d in digests.items() if name in OUTPUTS or name.endswith(".html")}
    beside = {name: d for name, d in digests.items() if name not in outputs}
    folder.mkdir(parents=True, exist_ok=True)
    replace_files({folder / STAMP: to_bytes(Stamp(version, "", outputs, beside))})


def take_notes(folder: Path, notes: str | None) -> None:
    """The words that came with a bundle, where the report has none of its own yet."""
    if notes is not None and not (folder / NOTES).exists():
        replace_files({folder / NOTES: notes.encode("utf-8", "replace")})


def notes_file(folder: Path) -> Path | None:
    """A report's NOTES.md, unless there is none, it is a link that leads out of the folder, or no regular file."""
    path = folder / NOTES
    return path if path.is_file() and not _leads_out(path) else None


def _leads_out(path: Path) -> bool:
    return path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve())


def refused_notes(folder: Path) -> list[tuple[str, Finding]]:
    """A finding where NOTES.md is a link out of the report's folder: what it leads to is not ours to quote."""
    if not _leads_out(folder / NOTES):
        return []
    text = f"{NOTES} of the report is a link out of its folder and was not followed; put the text itself there"
    return [(NOTES, Finding("warning", "link", text))]


def notes_of(folder: Path) -> str | None:
    """The user's words, without our comment; None when there are none."""
    path = notes_file(folder)
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace") if path else ""
    except OSError:
        return None
    return text.replace(NOTES_TEXT.strip(), "").strip() or None
