"""Packs a report and what it was made from into one file: .tar.xz or .zip, the same bytes for the same input."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct, ValidationError, convert, field
from msgspec.structs import asdict

from ngt_report import build as building
from ngt_report import ingest, share
from ngt_report.atomic import digest_of, replacing
from ngt_report.build import Request
from ngt_report.bundles import manifest, portable, standin
from ngt_report.bundles.archives import MAKERS, TooLarge
from ngt_report.bundles.manifest import FILES, REPORT, SUM, Entry, Left, Manifest
from ngt_report.bundles.unpack import LIMITS
from ngt_report.discover import MANIFEST, Inputs
from ngt_report.errors import GateError, ReportError, UsageError
from ngt_report.files import InputFile
from ngt_report.reports import shown
from ngt_report.stamp import STAMP, stamp_of
from ngt_report.store import Store

KINDS = ("reports", "logs", "tables", "event files", "other files", "checkpoints")  # in the order in which they are packed
OF_FORMAT = {"checkpoint": "checkpoints", "tfevents": "event files", "results_csv": "tables", "curve_csv": "tables", None: "other files"}
SMALL = 1 << 20  # bytes; larger files that are no logs stay behind: data, weights
CHUNK = 1 << 20
CHANGED = "{} changed while it was packed; bundle again"
UNITS = {"": 1, "b": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
Narrate = Callable[[str], None]
Progress = Callable[[int, int, str], None]


class Item(Struct, frozen=True):
    """A file on its way into the bundle."""

    entry: Entry
    path: Path
    file: InputFile | None = None  # an input: the bytes that the build read, no more


class Plan(Struct):
    """What goes in and what stays behind."""

    name: str
    items: list[Item] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)

    def sizes(self) -> list[tuple[str, int, int]]:
        """Kind, number of files, bytes."""
        found = {kind: [i.entry.size for i in self.items if i.entry.kind == kind] for kind in KINDS}
        return [(kind, len(sizes), sum(sizes)) for kind, sizes in found.items() if sizes]

    def left_sizes(self) -> list[tuple[str, int, int]]:
        """The same of what stays behind."""
        found = {kind: [x.size for x in self.left if x.kind == kind] for kind in KINDS}
        return [(kind, len(sizes), sum(sizes)) for kind, sizes in found.items() if sizes]


class Packed(Struct, frozen=True):
    """What was written."""

    path: Path
    size: int
    sha256: str


def bundle(request: Request, out: str | None, checkpoints: str, most: int | None, say: Narrate, progress: Progress | None = None) -> Packed:
    """Bring the report up to date, say what goes in, and write the bundle under a temporary name first.

    Raises:
        GateError: it would be larger than `most`; the message says what to leave out.
    """
    inputs, settings, folder, request = as_built(request)
    target, form = target_of(out, inputs)
    built = building.build(request, progress, (inputs, settings, folder))
    store = Store(str(folder / "report.duckdb"), read_only=True)
    try:
        plan = plan_of(inputs, store, built.folder, checkpoints)
    finally:
        store.close()
    given, bases = ([os.path.relpath(p, inputs.root).replace(os.sep, "/") for p in paths] for paths in (inputs.given, inputs.bases))
    command, entries = building.command_of(inputs, request), [i.entry for i in plan.items]
    described = Manifest(inputs.group, given, bases, command, request.complete, settings, entries, plan.left, inputs.findings)
    for line in [share.kept_line(name, shown(folder)) for name in built.changes.kept] + said(plan, target.name, checkpoints):
        say(line)
    return _write(plan, manifest.to_bytes(described), target, form, most, progress)


def as_built(request: Request) -> tuple[Inputs, Any, Path, Request]:
    """The request, with the options that the last build of the report had; a bundle or a handoff is of that report."""
    inputs, settings, folder = building.prepare(request)
    known = {key: value for key, value in stamp_of(folder).options.items() if key in building.KEPT}
    if known:
        request = _with(request, known, folder)
        inputs, settings, folder = building.prepare(request)
    return inputs, settings, folder, request


def _with(request: Request, options: dict[str, Any], folder: Path) -> Request:
    try:
        return convert(asdict(request) | options, Request)
    except ValidationError as e:
        raise ReportError(f"{folder / STAMP} has options that no build writes ({e}); build the report again") from e


def target_of(out: str | None, inputs: Inputs) -> tuple[Path, str]:
    """Where the bundle goes, and its form."""
    target = Path(out or f"{building.safe(inputs.group)}.tar.xz")
    form = next((form for form in MAKERS if target.name.lower().endswith(f".{form}")), None)
    if form is None:
        raise UsageError(f"{target} ends neither in .tar.xz nor in .zip; give -o such a name")
    here = Path(os.path.abspath(target))
    if inside := next((b for b in inputs.bases if b.is_dir() and here.is_relative_to(b) and b != Path.cwd()), None):
        raise UsageError(f"{target} lies in {inside.name}, which is read for the report; give -o another place")
    if target.is_dir() or target.exists() and not _ours(target):
        raise ReportError(f"{target} exists and is no bundle of ngtreport; move it away or give -o another name")
    return target, form


def _ours(path: Path) -> bool:
    """Whether a file that would be overwritten is a bundle."""
    from ngt_report.bundles.opening import is_bundle

    return is_bundle(path)


# -- what goes in -----------------------------------------------------------------------------------------------------
def plan_of(inputs: Inputs, store: Store, folder: Path, checkpoints: str) -> Plan:
    """Every file with its kind; checkpoints as asked for, large files that are no logs stay behind."""
    read = {path: as_read for path, *as_read in store.run("SELECT path, format, fingerprint, fingerprint_kind FROM sources ORDER BY path")}
    wanted = wanted_checkpoints(store, checkpoints)
    plan, taken = Plan(building.safe(inputs.group)), set[str]()
    for path in report_files(folder):
        member = portable.alias(f"{REPORT}/{path.relative_to(folder).as_posix()}", taken)
        plan.items.append(Item(Entry(member, "reports", path.stat().st_size, digest_of(path)), path))
    for file in inputs.files:
        form, known, how = read.get(file.rel, (None, "", ""))
        kind = OF_FORMAT.get(form, "logs")
        stays = file.rel not in wanted if kind == "checkpoints" else kind == "other files" and (file.size > SMALL or not known)
        if stays or file.stand_in is not None:
            plan.left.append(Left(file.rel, kind, file.size, file.stand_in or _stand_in(file, known)))
            continue
        member = portable.alias(f"{FILES}/{file.rel}", taken)
        digest = known if how == "sha256" else _outlined(file, known)
        plan.items.append(Item(Entry(member, kind, file.size, digest, file.rel), Path(file.path), file))
        side = Path(f"{file.path}.json")
        if kind == "checkpoints" and side.is_file():  # ngttrain holds the checkpoint against it
            member = portable.alias(f"{FILES}/{file.rel}.json", taken)
            plan.items.append(Item(Entry(member, kind, side.stat().st_size, digest_of(side)), side))
    plan.items.sort(key=lambda i: (KINDS.index(i.entry.kind), i.entry.member))
    return plan


def _outlined(file: InputFile, known: str) -> str:
    """The sum of a large checkpoint, which the report knows by its outline: still the one that was read."""
    from ngt_report.sources import checkpoint

    if checkpoint.fingerprint(file)[0] != known:
        raise ReportError(CHANGED.format(file.rel))
    return file.fingerprint(file.size)


def kinds_of(inputs: Inputs, store: Store) -> list[tuple[str, int, int]]:
    """What the inputs are: kind, number of files, bytes."""
    formats = dict(store.run("SELECT path, format FROM sources ORDER BY path"))
    plan = Plan("", left=[Left(f.rel, OF_FORMAT.get(formats.get(f.rel), "logs"), f.size, {}) for f in inputs.files])
    return plan.left_sizes()


def report_files(folder: Path) -> list[Path]:
    """What a report's folder has for people: not the database, which is made again where the bundle is opened."""
    stamp = stamp_of(folder)
    ours = [path for name in (*stamp.outputs, *stamp.beside) if not (path := folder / name).is_symlink()]
    notes = share.notes_file(folder)
    return [path for path in sorted({*ours, *([notes] if notes else [])}) if path.is_file()]


def wanted_checkpoints(store: Store, which: str) -> set[str]:
    """Paths of the checkpoints to take: of each run the best or the last, else the one with the most steps."""
    if which == "none":
        return set()
    by_run: dict[str, list[dict[str, Any]]] = {}
    for row in store.rows("SELECT run, path, kind, step FROM checkpoints ORDER BY path"):
        by_run.setdefault(row["run"] or row["path"], []).append(row)
    found = set()
    for rows in by_run.values():
        named = [r for r in rows if r["kind"] == which]
        found |= {r["path"] for r in named} or {max(rows, key=lambda r: (r["step"] or 0, r["path"]))["path"]}
    return found


def _stand_in(file: InputFile, known: str) -> dict[str, Any]:
    """What the report read of a file that stays behind."""
    loaded = ingest.load(file)
    if loaded.fingerprint[0] != known:
        raise ReportError(CHANGED.format(file.rel))
    made = standin.StandIn(loaded.form.name if loaded.form else None, loaded.reason, loaded.fingerprint, loaded.reading)
    return standin.to_json(made)


# -- writing ----------------------------------------------------------------------------------------------------------
def _write(plan: Plan, described: bytes, target: Path, form: str, most: int | None, progress: Progress | None) -> Packed:
    total = sum(i.entry.size for i in plan.items)
    item: Item | None = None
    try:
        with replacing(target, "free space or give -o another place") as temporary:
            with temporary.open("w+b") as out, MAKERS[form](out, most) as archive:
                archive.add(f"{plan.name}/{MANIFEST}", len(described), iter([described]))
                own = manifest.sum_of(described)
                archive.add(f"{plan.name}/{SUM}", len(own), iter([own]))
                done = 0
                for item in plan.items:
                    if progress:
                        progress(done, total, item.entry.member)
                    archive.add(f"{plan.name}/{item.entry.member}", item.entry.size, _content(item))
                    done += item.entry.size
            size = temporary.stat().st_size
            if total > LIMITS.allowed(size) or len(plan.items) > LIMITS.members - 2:
                raise ReportError(f"{target.name} would be refused where it is opened: {LIMITS.said(size)}; give narrower PATHs")
            return Packed(target, size, digest_of(temporary))
    except TooLarge as e:
        raise GateError(too_large(plan, target.name, most or 0, item)) from e


def _content(item: Item) -> Iterator[bytes]:
    """The bytes that were hashed for the manifest; an error when the file is another by now."""
    digest, left = hashlib.sha256(), item.entry.size
    with item.file.open() if item.file else item.path.open("rb") as f:
        while left and (chunk := f.read(min(CHUNK, left))):
            left -= len(chunk)
            digest.update(chunk)
            yield chunk
    if left or digest.hexdigest() != item.entry.sha256:
        raise ReportError(CHANGED.format(item.entry.path or item.path))


# -- what is said -----------------------------------------------------------------------------------------------------
def bytes_text(count: int) -> str:
    """12 bytes, 23.1 kB, 4.0 MB."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} {'byte' if count == 1 else 'bytes'}"


def size_of(text: str) -> int:
    """25MB, 500 kB, 2GiB or a number of bytes."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]?i?)b?", text.strip().lower())
    if not match or match[2] not in UNITS or not float(match[1]):
        raise UsageError(f"--max-size {text!r} is no size; give it as 25MB, 500kB or 2GiB")
    return int(float(match[1]) * UNITS[match[2]])


def said(plan: Plan, name: str, checkpoints: str) -> list[str]:
    """What goes in, by kind, before anything is packed."""
    rows = [(kind, _files(n), bytes_text(size)) for kind, n, size in plan.sizes()]
    total = sum(size for _, _, size in plan.sizes())
    lines = [f"{name} will hold {bytes_text(total)} before it is compressed:"]
    lines += [f"  {kind:<12} {n:>11} {size:>12}" for kind, n, size in rows]
    for kind, n, size in plan.left_sizes():
        how = "; --with-checkpoints best or last takes them" if kind == "checkpoints" and checkpoints == "none" else ""
        lines.append(f"  left behind: {kind}, {_files(n)}, {bytes_text(size)}{how}; the report still says what was read of them")
    return lines


def _files(count: int) -> str:
    return f"{count:,} {'file' if count == 1 else 'files'}"


def too_large(plan: Plan, name: str, most: int, item: Item | None) -> str:
    """What to leave out of a bundle that does not fit."""
    sizes = {kind: size for kind, _, size in plan.sizes()}
    start = f"{name} would be larger than --max-size {bytes_text(most)}"
    if "checkpoints" in sizes:
        return f"{start}: leave out the checkpoints ({bytes_text(sizes['checkpoints'])}) with --with-checkpoints none"
    kind = max(sizes, key=lambda k: sizes[k])
    largest = max((i for i in plan.items if i.entry.kind == kind), key=lambda i: i.entry.size)
    what = f"the {kind} take {bytes_text(sizes[kind])} of {bytes_text(sum(sizes.values()))} before compression"
    if kind == "reports":
        return f"{start}: {what}; leave out the page with `ngtreport build --no-dashboard`, or raise --max-size"
    most_of = f"{largest.entry.path or largest.path.name} alone {bytes_text(largest.entry.size)}"
    return f"{start}: {what}, {most_of}; leave these out by giving the PATHs without them, or raise --max-size"


def receiving(packed: Packed) -> list[str]:
    """How it gets to somebody else, and what that person types."""
    name = packed.path.name
    quoted = name if re.fullmatch(r"[\w.+-]+", name) else f'"{name}"'
    unpacked = f"tar -xf {quoted}" if name.lower().endswith(".tar.xz") else f"unzip {quoted}"
    return [
        f"send it from a pod:      runpodctl send {quoted}",
        "receive it, Linux/macOS: runpodctl receive CODE",
        "receive it, Windows:     .\\runpodctl.exe receive CODE   (in PowerShell)",
        "or attach it to a chat or a mail, and save it there",
        f"then, on any system:     ngtreport open {quoted}",
        f"without ngtreport:       {unpacked}   (Windows: tar -xf too, or 7-Zip), then open {REPORT}/dashboard.html or {REPORT}/Summary.md",
    ]
