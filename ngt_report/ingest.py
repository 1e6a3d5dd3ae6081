"""Brings the database up to date with the input files, reading only what changed or was appended."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from ngt_report.errors import DatabaseError, ReportError
from ngt_report.files import HEAD, InputFile
from ngt_report.sources import Format, choose, named, read
from ngt_report.store import RAW, Store, source_id, to_json
from ngt_report.summaries import summarise
from ngt_report.waist import Finding, Reading

Progress = Callable[[int, int, str], None]
BULK_BATCH = 64 << 20  # bytes of event logs that DuckDB reads in one statement
BAD_KEPT = 1000  # bad lines of a source whose number and reason are kept
BULK_LEAST = 128 << 10  # fewer are read here before DuckDB has its JSON reader loaded


class Known(Struct):
    """What the database holds of a source."""

    id: int
    format: str
    parser_version: int
    size: int
    mtime_ns: int
    fingerprint: str
    lines_read: int
    lines_used: int
    lines_bad: int
    lines_pending: int
    state: dict[str, Any] | None  # where a later reading goes on
    ignored: dict[str, int]  # rule -> lines
    bad: list[list[Any]]  # the first of the bad lines, each with why


def ingest(store: Store, files: list[InputFile], progress: Progress | None = None) -> tuple[int, int]:
    """Load every file; returns how many were read, and how many could not be. Sources that are gone are forgotten."""
    known = _known(store)
    loads = [(file, known.get(file.rel), _what_to_do(file, known.get(file.rel))) for file in files]
    gone = known.keys() - {f.rel for f in files}
    store.forget([known[path].id for path in gone] + [k.id for _, k, what in loads if k and what == "read"])
    total = sum(f.size for f in files)
    done = refused = 0
    bulk = BulkQueue(store)
    for file, own, what in loads:
        if progress:
            progress(done, total, file.rel)
        if what == "read":
            refused += not _read_anew(store, file, bulk)
        elif what == "append" and own:
            _append(store, file, own)
        elif what == "touched" and own:
            store.run("UPDATE sources SET mtime_ns = ? WHERE id = ?", [file.mtime_ns, own.id])
        done += file.size
    bulk.flush()
    store.flush()
    fresh = [source_id(file.rel) for file, _, what in loads if what in ("read", "append")]
    summarise(store, fresh)
    return len(fresh) - refused, refused


def _known(store: Store) -> dict[str, Known]:
    rows = store.run(
        "SELECT path, id, format, parser_version, size, mtime_ns, fingerprint, lines_read, lines_used, lines_bad, lines_pending,"
        " coalesce(state, 'null'), ignored, bad FROM sources ORDER BY path"
    )
    return {path: Known(*own, *map(json.loads, (state, ignored, bad))) for path, *own, state, ignored, bad in rows}


def _what_to_do(file: InputFile, known: Known | None) -> str:
    """nothing, touched (only its date changed), append, or read."""
    if known is None or _version_of(known.format) != known.parser_version or known.lines_pending and file.complete:
        return "read"
    if not known.fingerprint:  # it could not be read; now it may be
        return "read"
    if (known.size, known.mtime_ns) == (file.size, file.mtime_ns):
        return "nothing"
    if file.stand_in is not None:
        return "read"
    form = named(known.format)
    try:
        if file.size == known.size and _fingerprint(file, form)[0] == known.fingerprint:
            return "touched"
        if form and form.grows and known.state and _only_grew(file, known) and (_settled(known) or choose(file)[0] is form):
            return "append"
    except OSError:
        pass  # the reading below says what is wrong
    return "read"


def _settled(known: Known) -> bool:
    """Whether its beginning said what it is, so that what follows cannot change it."""
    return known.size >= HEAD and known.lines_used > 0


def _only_grew(file: InputFile, known: Known) -> bool:
    return file.size > known.size > 0 and file.fingerprint(known.size) == known.fingerprint


def _version_of(name: str | None) -> int:
    form = named(name)
    return form.version if form else 1


def _fingerprint(file: InputFile, form: Format | None) -> tuple[str, str]:
    if form is not None and form.name == "checkpoint":
        from ngt_report.sources import checkpoint

        return checkpoint.fingerprint(file)
    return file.fingerprint(), "sha256"


def _read_anew(store: Store, file: InputFile, bulk: BulkQueue) -> bool:
    """Whether the file could be read."""
    loaded = load(file)
    if loaded.reading.bulk:
        bulk.add(loaded)
    else:
        _keep(store, loaded)
    return bool(loaded.fingerprint[0])


def load(file: InputFile) -> Loaded:
    """Read a file, in the format that claims it; of one that stayed behind, take what was read of it."""
    if file.stand_in is not None:
        from ngt_report.bundles import standin

        made = standin.from_json(file.stand_in, file.rel)
        return Loaded(file, named(made.format), made.reason, made.fingerprint, made.reading)
    form: Format | None = None
    file.holding = True
    try:
        form, reason = choose(file)
        reading = read(file, form)
        fingerprint = _fingerprint(file, form)
    except (OSError, ReportError) as e:
        why = e.strerror.lower() if isinstance(e, OSError) and e.strerror else str(e)
        reading, reason, fingerprint = _refused(file, why), why, ("", "")
    file.release()
    return Loaded(file, form, reason, fingerprint, reading)


class Loaded(Struct):
    """A file that was read, before it goes into the database."""

    file: InputFile
    form: Format | None
    reason: str
    fingerprint: tuple[str, str]
    reading: Reading

    @property
    def source(self) -> int:
        return source_id(self.file.rel)


def _keep(store: Store, loaded: Loaded) -> None:
    store.add_reading(loaded.source, loaded.reading)
    _record(store, loaded)


class BulkQueue:
    """Healthy event logs that DuckDB reads itself, many in one statement; one that it stumbles over is read line by line."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.waiting: dict[tuple[str, ...], list[Loaded]] = {}
        self.bytes = 0

    def add(self, loaded: Loaded) -> None:
        """Take a file; what has gathered goes in when it is much."""
        assert loaded.reading.bulk is not None
        if set("*?[]{}") & set(loaded.file.path):  # DuckDB would take it for a pattern
            self._line_by_line(loaded)
            return
        self.waiting.setdefault(tuple(loaded.reading.bulk.metrics), []).append(loaded)
        self.bytes += loaded.file.size
        if self.bytes >= BULK_BATCH:
            self.flush()

    def flush(self) -> None:
        """Load all files that wait."""
        small = self.bytes < BULK_LEAST
        for batch in self.waiting.values():
            if not small and self._load(batch):
                continue
            for loaded in batch:
                if small or len(batch) == 1 or not self._load([loaded]):
                    self._line_by_line(loaded)
        self.waiting, self.bytes = {}, 0

    def _load(self, batch: list[Loaded]) -> bool:
        """Whether all lines of all files arrived; if not, nothing of them stays."""
        files = [(b.source, b.file.path, b.reading.bulk) for b in batch if b.reading.bulk]
        try:
            arrived = self.store.wide.read_events(files)
        except DatabaseError:
            arrived = False
        if not arrived:
            self.store.forget([source for source, _, _ in files])
            return False
        for loaded in batch:
            _keep(self.store, loaded)
        return True

    def _line_by_line(self, loaded: Loaded) -> None:
        assert loaded.form is not None
        loaded.file.notes["no_bulk"] = True
        loaded.file.sha256 = None
        _read_anew(self.store, loaded.file, self)


def _refused(file: InputFile, why: str) -> Reading:
    reading = Reading(status="unreadable")
    reading.note("warning", "unreadable", f"{file.rel} was not read: {why}")
    return reading


def _append(store: Store, file: InputFile, known: Known) -> None:
    """Read on from where the earlier reading stopped; the pending line is read again, whole."""
    form = named(known.format)
    assert known.state is not None and form is not None
    file.state, file.start = known.state["reader"], known.state["offset"]
    reading = form.read(file)
    reading.lines_read += known.lines_read - known.lines_pending
    reading.lines_used += known.lines_used
    for rule, lines in known.ignored.items():
        reading.ignore(rule, lines)
    reading.bad = [*((line, why) for line, why in known.bad), *reading.bad]
    store.add_reading(known.id, reading)
    store.run("DELETE FROM sources WHERE id = ?", [known.id])
    # a line that was torn may be whole now
    store.run("DELETE FROM lines WHERE source = ? AND line > ?", [known.id, known.lines_read - known.lines_pending])
    _record(store, Loaded(file, form, "", (file.fingerprint(), "sha256"), reading), known.lines_bad - len(known.bad))


def _record(store: Store, loaded: Loaded, more_bad: int = 0) -> None:
    """The source's own row: what it is, how it was accounted for, and where to go on; `more_bad` lines are known by their number only."""
    file, form, reading = loaded.file, loaded.form, loaded.reading
    state = None
    if reading.state is not None and (file.encoding == "utf-8" or "offset" in reading.state):
        offset = reading.state.get("offset", file.size - file.torn() if reading.pending else file.size)
        state = to_json({"reader": reading.state, "offset": offset})
    store.waiting["sources"].append((
        loaded.source, file.rel, form.name if form else None, None if form else loaded.reason,
        form.precedence if form else 9, form.version if form else 1, file.size, file.mtime_ns, *loaded.fingerprint, file.size,
        reading.lines_read, reading.lines_used, sum(reading.ignored.values()),
        len(reading.bad) + more_bad, reading.pending, to_json(dict(sorted(reading.ignored.items()))), to_json(reading.bad[:BAD_KEPT]),
        reading.status, state,
    ))  # fmt: skip


def outside(findings: list[tuple[str, Finding]], store: Store) -> None:
    """Findings of the search for files, kept like those of a source that has no lines."""
    store.run("DELETE FROM raw_findings WHERE trial = -1")
    store.insert("raw_findings", RAW["raw_findings"], [(source_id(path), f.severity, f.kind, -1, f.text, f.line) for path, f in findings])
