"""Opens bundles, and other archives of logs: checked, unpacked, built; the same report as where they were packed."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from ngt_report import __version__, build, share
from ngt_report.atomic import digest, digest_of, replace_files
from ngt_report.build import Built, Request
from ngt_report.bundles import archives, manifest
from ngt_report.bundles.manifest import REPORT, Expected, Manifest
from ngt_report.bundles.members import Refused, kind_of
from ngt_report.bundles.tars import Tar, Xz
from ngt_report.bundles.unpack import DAMAGE, Unpacked, unpack
from ngt_report.bundles.ziparchives import Zip
from ngt_report.discover import BESIDE, MANIFEST, Inputs, discover
from ngt_report.errors import ReportError
from ngt_report.files import InputFile
from ngt_report.reports import shown
from ngt_report.stamp import stamp_of

if TYPE_CHECKING:
    from ngt_report.ingest import Progress

SENT = "Summary.sent.md"  # the sender's, where ours differs
ENDINGS = (".tar.xz", ".txz", ".tar", ".xz", ".zip")


class Opened(Struct, frozen=True):
    """An archive that was unpacked and built."""

    built: Built
    folder: Path
    described: Manifest | None  # None: the archive has no manifest, so nothing could be checked
    same: bool | None  # whether Summary.md is the sender's to the byte; None where there is none to compare

    def said(self) -> list[str]:
        """What was checked and what came out, for people."""
        where = shown(self.folder)
        edited = [share.kept_line(name, shown(self.built.folder)) for name in self.built.changes.kept]
        if self.described is None:
            return [f"it has no {MANIFEST}, so its files could not be checked; unpacked to {where}", *edited]
        lines = [*edited, f"{len(self.described.entries)} files are as they were packed; unpacked to {where}"]
        if self.described.left:
            lines.append(f"{len(self.described.left)} files stayed behind; the report says what was read of them")
        if self.same:
            lines.append("Summary.md is the sender's, byte for byte")
        elif self.same is False:
            why = (
                f"ngtreport {self.described.version} there, {__version__} here"
                if self.described.version != __version__
                else "the settings differ"
            )
            lines.append(f"Summary.md is not the sender's ({why}), which is kept as {where}/{REPORT}/{SENT}")
        return lines


def is_bundle(path: Path) -> bool:
    """Whether a file is a bundle: its first member is a manifest."""
    form = kind_of(path)
    try:
        with path.open("rb") as raw:
            members = Tar(Xz(raw, 1 << 20)) if form == "xz" else Zip(raw, path.stat().st_size) if form == "zip" else None
            first = next(members.members(), None) if members else None
    except (*DAMAGE, OSError, Refused):
        return False
    return first is not None and first.name.partition("/")[2] == MANIFEST


def inputs_of(path: Path, complete: bool = False) -> Inputs:
    """What a build reads of an archive, or of the folder of an opened bundle, as if it were the folder that was packed."""
    if path.is_dir():
        found = manifest.read(path)
        if found is None:
            raise ReportError(f"{path / MANIFEST} is missing; open the bundle again")
        return manifest.inputs_of(found, path, fresh=False)
    scratch = Path(tempfile.mkdtemp(prefix="ngtreport-"))
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, scratch, ignore_errors=True)
        made, expected = _unpacked(path, scratch / stem(path))
        inputs = _inputs(made, expected, complete)
        undo.pop_all()
    weakref.finalize(inputs, shutil.rmtree, scratch, ignore_errors=True)
    return inputs


def stem(path: Path) -> str:
    """An archive's name without its ending, as a folder's."""
    name = path.name
    for ending in ENDINGS:
        if name.lower().endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)]
    return build.safe(name)


def _unpacked(path: Path, folder: Path) -> tuple[Unpacked, Expected]:
    """The archive's files, held against its manifest.

    Raises:
        ReportError: what is damaged, by name; nothing of the archive stays.
    """
    expected = Expected()
    seal = None
    if kind_of(path) == "zip":
        with path.open("rb") as f:
            seal = archives.sealed(f)
    try:
        made = unpack(path, folder, after=expected)
        expected.complete(made.sums)
    except ReportError as e:
        shutil.rmtree(folder, ignore_errors=True)
        ours = seal is False or expected.top is not None  # a bundle holds nothing that is refused: some of it was changed
        known = not ours or "damaged" in str(e) or "install a newer" in str(e)
        raise ReportError(f"{path}: {'' if known else 'it is damaged: '}{e}; nothing was unpacked") from e
    if expected.manifest is not None and kind_of(path) == "zip" and not seal:
        shutil.rmtree(folder, ignore_errors=True)
        why = "its headers or its directory are damaged" if seal is False else "another program packed it anew"
        raise ReportError(f"{path}: {why}; get it again; nothing was unpacked")
    return made, expected


def _inputs(made: Unpacked, expected: Expected, complete: bool) -> Inputs:
    if expected.manifest is not None and expected.top is not None:
        return manifest.inputs_of(expected.manifest, made.folder / expected.top)
    base = _logs(made.folder)
    inputs = discover([str(base)], complete)
    for file in inputs.files:
        _dated(file, made)
    return inputs


def _dated(file: InputFile, made: Unpacked) -> None:
    """A date that follows from the content: when it was unpacked says nothing."""
    known = made.sums.get(Path(file.path).relative_to(made.folder).as_posix())
    if known:
        file.mtime_ns = manifest.date_of(known[1])


def _logs(folder: Path) -> Path:
    """The folder that was meant: down through folders that hold nothing but one, to logs/NAME where the archive has it."""
    while True:
        inside = sorted(folder.iterdir())
        folders = [p for p in inside if p.is_dir()]
        known = [p for p in folders if p.name in BESIDE]
        if known and len(known) == len(inside):
            first = next(p for name in BESIDE for p in known if p.name == name)
            below = sorted(first.iterdir())
            return below[0] if len(below) == 1 and below[0].is_dir() else folder
        if len(inside) != 1 or not folders:
            return folder
        folder = folders[0]


# -- open -------------------------------------------------------------------------------------------------------------
def open_archive(path: str, out: str | None, progress: Progress | None = None) -> Opened:
    """Check, unpack next to here, and build the report inside; what was opened before is built again, or only shown.

    Raises:
        ReportError: the archive is damaged or hostile, or something else has the folder's name.
    """
    archive = Path(path)
    if archive.is_dir():
        return _build(archive, _whole(archive), progress)
    if not archive.is_file():
        raise ReportError(f"{path} is no file; give a bundle, a .tar.xz or a .zip")
    target = Path(out) if out else Path(stem(archive))
    with tempfile.TemporaryDirectory(prefix=".ngtreport-", dir=_parent(target)) as scratch:
        made, expected = _unpacked(archive, Path(scratch) / "in")
        folder = made.folder / expected.top if expected.manifest is not None and expected.top else made.folder
        if not _already(folder, target):
            os.replace(folder, target)
    return _build(target, expected.manifest, progress)


def _parent(target: Path) -> Path:
    parent = Path(os.path.abspath(target)).parent
    if not parent.is_dir():
        raise ReportError(f"{parent} is no folder; give -o another place")
    return parent


def _already(folder: Path, target: Path) -> bool:
    """Whether just this was unpacked here before; an error when something else is in the way."""
    if not target.exists():
        return False
    theirs, ours = (f / MANIFEST for f in (folder, target))
    if theirs.is_file() and ours.is_file() and theirs.read_bytes() == ours.read_bytes():
        _whole(target)
        return True
    if target.is_dir() and not any(target.iterdir()):
        target.rmdir()
        return False
    raise ReportError(f"{target} exists and is not what this archive unpacks to; give -o another folder")


def _whole(folder: Path) -> Manifest:
    """The manifest of an opened bundle, whose files are all as they were packed; the report, which is built there, may be newer."""
    described = manifest.read(folder)
    if described is None:
        raise ReportError(f"{folder} is no bundle that was opened: it has no {MANIFEST}; build a folder of logs with `ngtreport build`")
    for entry in described.entries:
        path = folder / entry.member
        if entry.member.startswith(f"{REPORT}/"):
            continue
        if not path.is_file() or path.is_symlink() or digest_of(path) != entry.sha256:
            raise ReportError(f"{path} is missing or not the file that was packed; open the bundle again in another folder (-o)")
    return described


def _build(folder: Path, described: Manifest | None, progress: Progress | None) -> Opened:
    """The report of what was unpacked, in its own folder `report`."""
    report = folder / REPORT
    if described is None:
        while report.exists():  # somebody else's: a report is never made on top of what came in an archive
            report = report.with_name(f"{report.name}_here")
        return Opened(build.build(Request((str(_logs(folder)),), str(report)), progress), folder, None, None)
    sent = {e.member.removeprefix(f"{REPORT}/"): e.sha256 for e in described.entries if e.member.startswith(f"{REPORT}/")}
    if not stamp_of(report).outputs:
        share.claim(report, {name: digest for name, digest in sent.items() if name != share.NOTES}, described.version)
    theirs = (report / "Summary.md").read_bytes() if (report / "Summary.md").is_file() else None
    inputs = manifest.inputs_of(described, folder)
    request = Request((), str(report), dashboard="dashboard.html" in sent, comment=share.COMMENT in sent, complete=described.complete)
    built = build.build(request, progress, (inputs, described.settings, report))
    wanted = sent.get("Summary.md")
    same = None if wanted is None else digest_of(report / "Summary.md") == wanted
    if same is False and theirs is not None and digest(theirs) == wanted:
        replace_files({report / SENT: theirs})
    return Opened(built, folder, described, same)
