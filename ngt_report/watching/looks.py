"""Looks at logs without a database: by the formats' own readers, large files through a sieve, grown ones from where they grew.

What was found is kept in the user's cache, so that the next look reads only what changed. A cache that is damaged, of another version or
cannot be written is no error: the files are read anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field, msgpack

from ngt_report import __version__
from ngt_report.atomic import digest, keep
from ngt_report.cachefolder import cache_folder
from ngt_report.errors import ReportError
from ngt_report.files import InputFile
from ngt_report.watching import sieve
from ngt_report.watching.progress import LOSSES, TRAIN, Curve, cause_of, curves_of, extend

VERSION = f"{__version__}.3"  # raise the last number when what is kept changes its meaning
CHECKED = 256  # bytes before the end of what was read, which must still be there when a file is read on
SEEN = 12  # looks at which a file had grown
TAIL = 1 << 14  # bytes at the end of a file without a format that are searched for a cause
ALIKE = 1 << 12  # bytes of the head by which files are alike
BINARY = ("checkpoint",)  # formats without a curve that are large


class Known(Struct):
    """What is known of one file."""

    size: int
    mtime_ns: int
    format: str | None = None
    version: int = 0  # of the format's reader
    curves: list[Curve] = field(default_factory=list)
    cause: str | None = None  # in a file without a format: why it ended
    text: bool = False  # a file without a format is a text
    state: dict[str, Any] | None = None  # where the reader goes on, and the checksum of what stands before
    seen: list[list[float]] = field(default_factory=list)  # [time of the last write, evaluations] at looks at which it had grown
    dead_at: int | None = None  # its size when its process was first seen to be gone

    @property
    def written(self) -> float:
        """When it was last written to, in seconds since 1970."""
        return self.mtime_ns / 1e9


class Alike(Struct):
    """What was found out about one log and holds for others that one script wrote; by how they begin, without their numbers."""

    formats: dict[bytes, Any] = field(default_factory=dict)
    sieves: dict[bytes, sieve.Mesh] = field(default_factory=dict)


class Looks:
    """What is known of files, by their paths on this machine."""

    def __init__(self, paths: Iterable[str | Path]) -> None:
        folder, key = cache_folder(), "\n".join(sorted(os.path.abspath(p) for p in paths))
        name = digest(key.encode("utf-8", "surrogateescape"))[:16]
        self.path = folder / f"status-{name}.msgpack" if folder else None
        self.known = _load(self.path) if self.path else {}
        self.alike = Alike()
        self.changed = False

    def at(self, file: InputFile) -> Known:
        """What is known of a file now."""
        before = self.known.get(file.path)
        if before and (before.size, before.mtime_ns) == (file.size, file.mtime_ns) and _current(before):
            return before
        self.changed = True
        try:
            now = _read_on(file, before) or _read(file, self.alike)
        except (OSError, ReportError) as e:
            now = Known(file.size, file.mtime_ns, cause=f"unreadable: {getattr(e, 'strerror', None) or e}")
        if before:
            now.seen, now.dead_at = before.seen, before.dead_at
        _note_growth(now, before)
        self.known[file.path] = now
        return now

    def outgrew(self, known: Known, alive: bool) -> bool:
        """Whether a log grew after its process was seen to be gone: then another process writes it."""
        before = known.dead_at
        if alive:
            known.dead_at = None
        elif known.dead_at is None or known.size < known.dead_at:
            known.dead_at = known.size
        self.changed = self.changed or known.dead_at != before
        return known.dead_at is not None and known.size > known.dead_at

    def keep(self, files: Iterable[InputFile]) -> None:
        """Write the cache, if anything changed; files that are gone are forgotten."""
        there = {file.path for file in files}
        gone = self.known.keys() - there
        if self.path is None or not (self.changed or gone):
            return
        self.known = {path: known for path, known in self.known.items() if path in there}
        self.changed = not keep(self.path, msgpack.encode((VERSION, {os.fsencode(path): known for path, known in self.known.items()})))


def _load(path: Path) -> dict[str, Known]:
    try:
        kept = path.read_bytes()
        if msgpack.decode(kept, type=tuple[str, msgspec.Raw])[0] != VERSION:
            return {}
        return {os.fsdecode(name): known for name, known in msgpack.decode(kept, type=tuple[str, dict[bytes, Known]])[1].items()}
    except (OSError, ValueError):  # msgspec's errors are ValueErrors
        return {}


def _current(known: Known) -> bool:
    """Whether it was read by this version of the reader; what has no curve is not asked of the formats, which take time to load."""
    if not known.curves:
        return True
    import sys

    if "ngt_report.sources" not in sys.modules:
        return True  # VERSION holds: a reader changes with the program
    from ngt_report.sources import named

    form = named(known.format)
    return form is None or form.version == known.version


def _note_growth(now: Known, before: Known | None) -> None:
    """Remember when it had grown by evaluations: from that follows how often they come where the log has no clock."""
    count = float(sum(curve.count for curve in now.curves))
    if before is None or count > (now.seen[-1][1] if now.seen else 0):
        now.seen = [*now.seen, [now.written, count]][-SEEN:]
    elif now.seen and count < now.seen[-1][1]:
        now.seen = [[now.written, count]]


# -- reading -----------------------------------------------------------------------------------------------------------
def _read(file: InputFile, alike: Alike) -> Known:
    """From its beginning."""
    from ngt_report.sources import choose

    known = Known(file.size, file.mtime_ns)
    file.holding = file.size < 1 << 17
    skeleton = sieve.skeleton(file.raw_head[:ALIKE]) if file.size > ALIKE else b""
    if (form := alike.formats.get(skeleton)) is None and (form := choose(file)[0]) is not None and skeleton:
        alike.formats[skeleton] = form
    if form is None:
        known.text = file.encoding != "binary"
        known.cause = _cause(file) if known.text else None
        file.release()
        return known
    known.format, known.version = form.name, form.version
    if form.name not in BINARY:
        file.notes |= {"no_bulk": True, "wall": True}  # the points are wanted here, and when they were written
        file.sha256 = "not asked for"
        reading = None
        for size in sieve.ENDS if form.grows else ():
            if reading is None:
                known.curves, reading = _sieved(form, file, size, alike.sieves)
        if reading is None:
            reading = form.read(file)
            known.curves = curves_of(reading)
        known.state = _state(file, reading)
    file.release()
    return known


def _sieved(form: Any, file: InputFile, size: int, known: dict[bytes, sieve.Mesh]) -> tuple[list[Curve], Any]:
    """The curve of a large log of one run, of which most lines were left out; nothing when it must be read whole."""
    ends = sieve.cut(file, size)
    if ends is None:
        return [], None
    begins = sieve.skeleton(ends.head + sieve.likely(file, ends))
    mesh = known.get(begins)
    kept = sieve.sift(file, ends, mesh) if mesh else None
    if kept is None:
        return _learned(form, file, ends, known, begins)
    reading = form.read(sieve.view(file, ends.head + kept + ends.tail, mesh))
    curves = curves_of(reading)
    return ([], None) if len(curves) != 1 or reading.segments or reading.state is None else (curves, reading)


def _learned(form: Any, file: InputFile, ends: sieve.Ends, known: dict[bytes, sieve.Mesh], begins: bytes) -> tuple[list[Curve], Any]:
    """The same of a log that begins as no other did: its head tells what to look for in the rest."""
    begin = sieve.view(file, ends.head)
    head = form.read(begin)
    curves = curves_of(head)
    if len(curves) != 1 or head.segments or head.state is None:
        return [], None
    loss = curves[0].loss
    anchors = sieve.learn(ends.head, head, loss or TRAIN)
    if anchors and not loss and (probe := sieve.likely(file, ends)):  # evaluations are rare
        lines = sieve.view(file, probe)
        lines.state = deepcopy(head.state)
        found = form.read(lines)
        loss = next((name for name in LOSSES if any(name in b.columns for b in found.blocks)), "")
        anchors = sieve.learn(probe, found, loss or TRAIN, anchors, ends.head.count(b"\n"))
    notes = {k: v for k, v in begin.notes.items() if k in sieve.FOUND}
    mesh = sieve.Mesh(anchors, b"" if loss else sieve.VAL, notes) if anchors else None
    kept = sieve.sift(file, ends, mesh) if mesh else None
    if mesh is None or kept is None:
        return [], None
    rest = sieve.view(file, kept + ends.tail)
    rest.state = head.state
    reading = form.read(rest)
    if reading.trials or reading.segments:
        return [], None
    extend(curves[0], reading)
    known[begins] = mesh
    return curves, reading


def _read_on(file: InputFile, before: Known | None) -> Known | None:
    """From where the earlier reading stopped; None when it did not only grow, or a restart is among what was appended."""
    if before is None or before.state is None or file.size <= before.size or not before.curves:
        return None
    from ngt_report.sources import named

    form = named(before.format)
    if form is None or form.version != before.version or not form.grows or before.state["check"] != _check(file, before.state["offset"]):
        return None
    file.state, file.start, file.sha256 = before.state["reader"], before.state["offset"], "not asked for"
    file.notes |= {"no_bulk": True, "wall": True}
    reading = form.read(file)
    file.state, file.start = None, 0
    if reading.trials or reading.segments or reading.state is None:
        return None
    for curve in before.curves:
        extend(curve, reading)
    return Known(file.size, file.mtime_ns, before.format, before.version, before.curves, state=_state(file, reading))


def _state(file: InputFile, reading: Any) -> dict[str, Any] | None:
    """Where to go on, when the format can."""
    if reading.state is None or file.encoding != "utf-8" and "offset" not in reading.state:
        return None
    offset = reading.state.get("offset", file.size - file.torn() if reading.pending else file.size)
    return {"reader": reading.state, "offset": offset, "check": _check(file, offset)}


def _check(file: InputFile, offset: int) -> str:
    """A checksum of the bytes before an offset, and of the first ones."""
    with file.open() as f:
        first = f.read(min(CHECKED, offset))
        f.seek(max(0, offset - CHECKED))
        return digest(first + f.read(min(CHECKED, offset)))[:16]


def _cause(file: InputFile) -> str | None:
    """Why a script ended before its first metric, where its last lines say so."""
    from ngt_report.unclaimed import ending

    with file.open() as f:
        f.seek(max(0, file.size - TAIL))
        found = ending(f.read(TAIL))
    return cause_of(" ".join(found[1].split())[:300]) if found else None
