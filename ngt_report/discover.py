"""Which files a build reads: the given paths, and the folders of the same name that lie beside `logs/`."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from ngt_report.errors import ReportError, UsageError
from ngt_report.files import InputFile
from ngt_report.stamp import STAMP, original, stamp_of
from ngt_report.waist import Finding

if TYPE_CHECKING:
    from ngt_report.config import Settings

BESIDE = ("logs", "checkpoints", "results", "runs")
SKIPPED_DIRS = frozenset({"__pycache__", "node_modules", ".git", ".venv", "venv", ".ngtreport"})
MANIFEST = "MANIFEST.json"  # the first file of a bundle
ALWAYS = (STAMP, "NOTES.md", "report.duckdb", "report.duckdb.wal", "Summary.sent.md")  # in a report's folder, whatever its stamp says
HYDRA = ".hydra"  # the hidden folder of a run that has its settings
MOST_FILES = 200_000


class Inputs(Struct, weakref=True):
    """The files of a build, their common parent, and what was noticed while looking for them."""

    files: list[InputFile]
    root: Path  # paths in reports are relative to it
    group: str
    given: list[Path]  # the paths as asked for
    bases: list[Path]  # and the folders beside them; run ids are relative to these
    findings: list[tuple[str, Finding]] = field(default_factory=list)
    settings: Settings | None = None  # of a bundle: those of the build that was packed
    command: str | None = None  # of a bundle: the command that built it
    notes: str | None = None  # of a bundle: the NOTES.md that was packed


def discover(paths: list[str], complete: bool = False, exclude: Path | None = None, outputs: bool = False) -> Inputs:
    """Find all input files of the given paths; symbolic links out of the tree are not followed.

    `outputs`: also what runs printed whose event logs say the same.
    """
    given = [_existing(p) for p in paths]
    if packed := [p for p in given if _packed(p)]:
        from ngt_report.bundles.opening import inputs_of

        if len(given) > 1:
            raise UsageError(f"{packed[0]} is an archive, and an archive is read alone; `ngtreport open` unpacks it")
        return inputs_of(packed[0], complete)
    group = _group(given)
    bases = list(dict.fromkeys([*given, *(b for p in given for b in _beside(p))]))
    root = _common_parent(bases)
    found: dict[Path, InputFile] = {}
    findings: list[tuple[str, Finding]] = []
    for base in bases:
        for path in _walk(base, findings, root, exclude, outputs):
            rel = _relative(path, root)
            info = path.stat()
            found.setdefault(path, InputFile(str(path), rel, info.st_size, info.st_mtime_ns, complete=complete))
            if len(found) > MOST_FILES:
                raise ReportError(f"{base} holds more than {MOST_FILES:,} files; give a narrower folder")
    files = sorted(found.values(), key=lambda f: f.rel)
    return Inputs(files, root, group, given, bases, findings)


def _existing(text: str) -> Path:
    path = Path(os.path.abspath(text))
    try:
        info = path.stat()
    except OSError as e:
        raise ReportError(f"{text}: {(e.strerror or 'cannot be read').lower()}; give a log file or a folder of logs") from e
    if not (stat.S_ISDIR(info.st_mode) or stat.S_ISREG(info.st_mode)):
        raise ReportError(f"{text} is neither a regular file nor a folder; give a log file or a folder of logs")
    return path


def _packed(path: Path) -> bool:
    """Whether this is an archive, or the folder of a bundle that was opened."""
    if path.is_dir():
        return (path / MANIFEST).is_file() and (path / f"{MANIFEST}.sha256").is_file()
    from ngt_report.bundles.members import kind_of

    form = kind_of(path) if path.suffix.lower() not in (".pt", ".pth", ".ckpt", ".bin") else None
    if form == "zip":  # torch's checkpoints are zip archives too
        from ngt_report.sources import checkpoint

        info = path.stat()
        return not checkpoint.sniff(InputFile(str(path), path.name, info.st_size, info.st_mtime_ns))
    return form == "xz"


def _group(given: list[Path]) -> str:
    """The group's name: the only folder's or file's, else the common parent's."""
    if len(given) > 1:
        return _printable(_common_parent(given).name) or "report"
    only = given[0]
    if only.is_dir() and only.name in BESIDE:
        return _printable(only.parent.name or only.name)
    return _printable(only.name if only.is_dir() else only.stem)


def _beside(path: Path) -> Iterator[Path]:
    """For logs/G: checkpoints/G, results/G and runs/G beside logs/."""
    if not path.is_dir() or path.parent.name not in BESIDE:
        return
    for name in BESIDE:
        twin = path.parent.parent / name / path.name
        if twin != path and twin.is_dir():
            yield twin


def _common_parent(paths: list[Path]) -> Path:
    folders = [p if p.is_dir() else p.parent for p in paths]
    return Path(os.path.commonpath([str(f) for f in folders])) if folders else Path.cwd()


def _relative(path: Path, root: Path) -> str:
    return _printable(os.path.relpath(path, root).replace(os.sep, "/"))


def _printable(name: str) -> str:
    """A name as text, bytes that are none replaced."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _walk(base: Path, findings: list[tuple[str, Finding]], root: Path, exclude: Path | None, outputs: bool) -> Iterator[Path]:
    """Regular files below a path, in order; anything else is a finding."""
    if base.is_file():
        yield base
        return
    real_root = os.path.realpath(base)

    def unreadable(error: OSError) -> None:
        where = _relative(Path(error.filename or base), root)
        findings.append((where, Finding("warning", "unreadable", f"{where} cannot be read: {(error.strerror or 'error').lower()}")))

    for folder, folders, names in os.walk(base, onerror=unreadable):
        here = Path(folder)
        for name in folders:
            if (here / name).is_symlink() and not name.startswith("."):
                where = _relative(here / name, root)
                findings.append((where, Finding("info", "link", f"{where} is a link to a folder and was not followed")))
        folders[:] = sorted(d for d in folders if d not in SKIPPED_DIRS and not _hidden(d) and here / d != exclude)
        names = names if here.name != HYDRA else [n for n in names if n == "config.yaml"]  # beside it Hydra's own
        ours = _written_here(here, names)
        for name in sorted(names):
            path = here / name
            if (
                name not in ours
                and not name.startswith(".")
                and not _is_sidecar(name, names)
                and not _is_bundle(path)
                and (outputs or not _is_output(name, names))
                and _readable(path, real_root, findings, root)
            ):
                yield path


def _hidden(folder: str) -> bool:
    return folder.startswith(".") and len(folder) > 1 and folder != HYDRA


def _is_sidecar(name: str, names: list[str]) -> bool:
    """Whether a file is what ngttrain writes beside a checkpoint: its sums."""
    return name.endswith(".pt.json") and name.removesuffix(".json") in names


def _is_bundle(path: Path) -> bool:
    """Whether a file is a bundle of ours: a report that was packed, not one to read beside its own inputs."""
    if not path.name.lower().endswith((".tar.xz", ".zip")) or not path.is_file():
        return False
    from ngt_report.bundles.opening import is_bundle

    return is_bundle(path)


def _is_output(name: str, names: list[str]) -> bool:
    """Whether a file is what a run of `ngttrain run --detach` printed, beside its event log and its pid file."""
    bare = name.removesuffix(".out")
    return bare != name and f"{bare}.jsonl" in names and f"{bare}.pid" in names


def _written_here(folder: Path, names: list[str]) -> frozenset[str]:
    """Names in this folder that a build wrote, or put aside when they were edited by hand: they are never input."""
    if not (folder / STAMP).is_file():
        return frozenset()
    stamp = stamp_of(folder)
    written = {*stamp.outputs, *stamp.beside} or {"Summary.md", "results.csv", "summary.json"}
    return frozenset({*ALWAYS, *written, *filter(original, names)})


def _readable(path: Path, real_root: str, findings: list[tuple[str, Finding]], root: Path) -> bool:
    rel = _relative(path, root)
    try:
        if path.is_symlink() and os.path.commonpath([os.path.realpath(path), real_root]) != real_root:
            findings.append((rel, Finding("warning", "link", f"{rel} is a link out of the folder and was not followed")))
            return False
        mode = path.stat().st_mode
    except (OSError, ValueError) as e:
        why = getattr(e, "strerror", None) or str(e)
        findings.append((rel, Finding("warning", "unreadable", f"{rel} cannot be read: {why.lower()}")))
        return False
    if not stat.S_ISREG(mode):
        findings.append((rel, Finding("warning", "not_a_file", f"{rel} is not a regular file and was not opened")))
        return False
    return True
