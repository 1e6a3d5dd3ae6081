"""Writes what a build made: under a temporary name, then renamed; marked as ours; never over a file that is not."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ngt_report import __version__
from ngt_report.discover import STAMP, Inputs
from ngt_report.errors import ReportError

COMMENT = "PR_comment.md"
OUTPUTS = ("Summary.md", "results.csv", "summary.json", "dashboard.html", COMMENT)
NOTES = "NOTES.md"
NOTES_TEXT = "<!-- Your own words. They stand in Summary.md at every build; ngtreport never changes this file. -->\n"


def stamp_of(folder: Path) -> dict[str, Any]:
    """What the last build in this folder left; empty when there was none."""
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
        return stamp if isinstance(stamp, dict) else {}
    except (OSError, ValueError):
        return {}


def inputs_key(inputs: Inputs, options: dict[str, Any]) -> str:
    """Equal as long as no input file, option, note or version changed."""
    listing = [[f.rel, f.size, f.mtime_ns] for f in inputs.files]
    findings = [[path, f.text] for path, f in inputs.findings]
    text = json.dumps([__version__, listing, findings, options], sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def digest(data: bytes) -> str:
    """The sha256, in hex."""
    return hashlib.sha256(data).hexdigest()


def digest_of(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def unchanged(folder: Path, key: str) -> bool:
    """Whether the last build saw the same inputs and its files are as it left them."""
    stamp = stamp_of(folder)
    return (
        stamp.get("inputs") == key
        and (folder / "report.duckdb").is_file()
        and all(_is(folder / n, d) for n, d in stamp.get("outputs", {}).items())
    )


def _is(path: Path, wanted: str) -> bool:
    try:
        return digest(path.read_bytes()) == wanted
    except OSError:
        return False


def check_ours(folder: Path) -> None:
    """Refuse before any work when a file in the way was not written by a build."""
    ours = stamp_of(folder).get("outputs", {})
    for name in (*OUTPUTS, "report.duckdb"):
        path = folder / name
        if path.exists() and name not in ours and not (name == "report.duckdb" and ours) and not _marked(path):
            raise ReportError(f"{path} exists and was not written by ngtreport; move it away or give -o another folder")


def _marked(path: Path) -> bool:
    """Whether a file carries our mark: a Summary.md whose stamp was lost."""
    with path.open("rb") as f:
        head = f.read(200)
    return b"<!-- written by ngtreport" in head or (path.suffix == ".duckdb" and head[8:12] == b"DUCK")


def write(folder: Path, texts: dict[str, str], key: str, meta: dict[str, Any]) -> list[str]:
    """Write the outputs and the stamp; a Summary.md that was edited by hand is kept beside as *.edited.md."""
    folder.mkdir(parents=True, exist_ok=True)
    stamped = stamp_of(folder)
    before = stamped.get("outputs", {})
    kept, changed = [], {}
    for name, text in texts.items():
        path, data = folder / name, text.encode("utf-8", "replace")
        if name == "Summary.md" and path.exists() and name in before and not _is(path, before[name]) and path.read_bytes() != data:
            aside = folder / "Summary.edited.md"
            os.replace(path, aside)
            kept.append(aside.name)
        if not _is(path, digest(data)):
            changed[path] = data
    if not (folder / NOTES).exists():
        changed[folder / NOTES] = NOTES_TEXT.encode()
    stamp = {**meta, "version": __version__, "inputs": key, "outputs": {n: digest(t.encode("utf-8", "replace")) for n, t in texts.items()}}
    stamp |= {"beside": stamped["beside"]} if stamped.get("beside") else {}
    changed[folder / STAMP] = (json.dumps(stamp, indent=1, sort_keys=True) + "\n").encode()
    replace_files(changed)
    for name in before.keys() - texts.keys():  # a page that this build does not write any more
        if _is(folder / name, before[name]):
            (folder / name).unlink()
    return kept


def write_beside(folder: Path, texts: dict[str, str]) -> list[str]:
    """Write files that no build writes, and mark them as ours: never over a stranger's; one edited by hand is kept as *.edited.*.

    Returns the names under which edited files are kept.
    """
    stamp = stamp_of(folder)
    ours: dict[str, str] = stamp.get("beside", {})
    kept, files = [], {}
    for name, text in texts.items():
        path, data = folder / name, text.encode("utf-8", "replace")
        if path.exists() and name not in ours:
            raise ReportError(f"{path} exists and was not written by ngtreport; move it away, then try again")
        if path.exists() and not _is(path, ours[name]) and path.read_bytes() != data:
            aside = path.with_name(f"{path.stem}.edited{path.suffix}")
            os.replace(path, aside)
            kept.append(aside.relative_to(folder).as_posix())
        path.parent.mkdir(parents=True, exist_ok=True)
        files[path] = data
    stamp["beside"] = {**ours, **{name: digest(files[folder / name]) for name in texts}}
    files[folder / STAMP] = (json.dumps(stamp, indent=1, sort_keys=True) + "\n").encode()
    replace_files(files)
    return kept


def claim(folder: Path, digests: dict[str, str], version: str) -> None:
    """Mark files that came with a bundle as ours, so that a build may write them anew."""
    outputs = {name: d for name, d in digests.items() if name in OUTPUTS or name.endswith(".html")}
    beside = {name: d for name, d in digests.items() if name not in outputs}
    stamp = {"version": version, "inputs": "", "outputs": outputs, "beside": beside}
    folder.mkdir(parents=True, exist_ok=True)
    replace_files({folder / STAMP: (json.dumps(stamp, indent=1, sort_keys=True) + "\n").encode()})


def take_notes(folder: Path, notes: str | None) -> None:
    """The words that came with a bundle, where the report has none of its own yet."""
    if notes is not None and not (folder / NOTES).exists():
        replace_files({folder / NOTES: notes.encode("utf-8", "replace")})


def replace_files(files: dict[Path, bytes]) -> None:
    """Write under temporary names, sync, then rename, in this order: an old file stays until the new ones are whole."""
    temporary = {path: path.with_name(f".{path.name}.{os.getpid()}.tmp") for path in files}
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
        for name in temporary.values():
            name.unlink(missing_ok=True)
        raise ReportError(f"{path} cannot be written: {(e.strerror or str(e)).lower()}; free space or give -o another folder") from e


def notes_of(folder: Path) -> str | None:
    """The user's words, without our comment; None when there are none."""
    try:
        text = (folder / NOTES).read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return None
    return text.replace(NOTES_TEXT.strip(), "").strip() or None
