"""Handoff.md: where the runs are and how to go on, for whoever continues; written into the report's folder, beside Summary.md."""

from __future__ import annotations

import os
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from ngt_report import __version__, build, share
from ngt_report.assemble.facts import Facts, Row
from ngt_report.assemble.report import assemble
from ngt_report.bundles.bundle import as_built, bytes_text, kinds_of
from ngt_report.errors import UsageError
from ngt_report.handing.model import CheckpointRow, Handoff, Monitor, StatusRow
from ngt_report.handing.resume import Place, resumes
from ngt_report.render import document
from ngt_report.store import Store

if TYPE_CHECKING:
    from ngt_report.build import Request
    from ngt_report.discover import Inputs
    from ngt_report.ingest import Progress

NAME = "Handoff.md"
DONE = ("finished", "no declared total")
COUNTED = re.compile(r"\(\d+\)(?:,|$)")  # values of several, each with its number of runs: the report has these
MOST_CHECKPOINTS = 60
MOST_RESUMES = 20
REACHED = (  # by the run's own log; a row of results may tell of a run that another log is of
    "SELECT t.run, max(p.last_step) FROM run_trials AS t JOIN spans AS p USING (source, trial) WHERE t.main GROUP BY t.run ORDER BY t.run"
)
FACTS = ("dataset", "tokenizer", "sequence length", "batch size", "precision", "hardware", "git commit", "declared steps")


class Handed(Struct, frozen=True):
    """What was written."""

    path: Path
    kept: list[str]  # names under which texts that were edited by hand are kept
    resumes: int


def handoff(request: Request, now: datetime | None = None, status: str | None = None, progress: Progress | None = None) -> Handed:
    """Bring the report up to date and write Handoff.md into its folder.

    Args:
        now: what ages are counted from.
        status: the command that shows all runs at once.
    """
    inputs, settings, folder, request = as_built(request)
    if inputs.command is not None:
        raise UsageError(f"{request.paths[0]} is a bundle: its runs go on where it was packed; `ngtreport open` shows the Handoff.md in it")
    built = build.build(request, progress, (inputs, settings, folder))
    place = Place({f.rel: f for f in inputs.files}, inputs.root, folder)
    store = Store(str(folder / "report.duckdb"), read_only=True)
    try:
        described, configs = describe(store, inputs, place, settings.title or inputs.group, now or datetime.now(UTC), request, status)
    finally:
        store.close()
    kept = built.changes.kept + share.write_beside(folder, {NAME: text_of(described), **configs})
    return Handed(folder / NAME, kept, len(described.resumes))


def text_of(described: Handoff) -> str:
    """The document; the user's notes stay as they are."""
    mark = "\x00notes\x00"
    shown = replace(described, notes=mark) if described.notes else described
    return document("handoff.md.j2", d=shown).replace(mark, described.notes or "")


def describe(
    store: Store, inputs: Inputs, place: Place, title: str, now: datetime, request: Request, status: str | None
) -> tuple[Handoff, dict[str, str]]:  # fmt: skip
    """The document's model, and the configuration files that its commands name."""
    facts = Facts(store)
    times = Times(place, now)
    report = assemble(facts, title, share.notes_of(place.report), build.command_of(inputs, request))
    reached = dict(store.run(REACHED))
    rows = {run: _status(facts, run, reached.get(run), times) for run in facts.runs}
    left = [r for run, r in facts.runs.items() if r["status"] not in DONE and _has_curve(facts, run)]
    found, configs = resumes(store, facts, left[:MOST_RESUMES], place)
    given = " ".join(shlex.quote(_typed(p)) for p in inputs.given)
    name = f"{build.safe(inputs.group)}.tar.xz"
    pack = f"ngtreport bundle {given} -o {shlex.quote(name)}"
    listed, dropped = _checkpoints(facts, times)
    return Handoff(
        title=title, version=__version__, command=f"ngtreport handoff {given}", written=f"{now:%Y-%m-%d %H:%M} UTC",
        folder=str(inputs.root), report=_seen(place.report, inputs.root), runs=len(rows),
        finished=sum(r["status"] == "finished" for r in facts.runs.values()),
        facts=tuple(s for s in report.settings if s.key in FACTS and not COUNTED.search(s.value)),
        groups=report.groups, leader=_leader(rows, report.groups),
        status=tuple(sorted(rows.values(), key=lambda r: (r.status in DONE, r.run))),
        checkpoints=listed, checkpoints_dropped=dropped, resumes=tuple(found), resumes_dropped=max(0, len(left) - MOST_RESUMES),
        monitors=tuple(_monitor(facts, r, place) for r in left[:MOST_RESUMES] if r["status"].startswith("incomplete")),
        status_command=status,
        sizes=_sizes(store, inputs), bundle=f"{pack} --with-checkpoints last\nrunpodctl send {shlex.quote(name)}",
        bundle_name=shlex.quote(name), pitfalls=pitfalls(store, facts), labels=_labels(facts), notes=report.notes,
    ), configs  # fmt: skip


class Times:
    """When files were last written, in words that begin with the date."""

    def __init__(self, place: Place, now: datetime) -> None:
        self.place, self.now = place, now

    def of(self, path: str | None) -> str:
        """2026-02-03 14:05 UTC, 3 h before."""
        file = self.place.files.get(path or "")
        if file is None:
            return "-"
        then = datetime.fromtimestamp(file.mtime_ns / 1e9, UTC)
        return f"{then:%Y-%m-%d %H:%M} UTC ({age((self.now - then).total_seconds())})"


def age(seconds: float) -> str:
    """How long before this document something was: `3 h before`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size or unit == "min" and seconds >= size:
            return f"{seconds / size:.0f} {unit} before"
    return "just before" if seconds > -60 else "dated after this"


# -- runs ---------------------------------------------------------------------------------------------------------------
def _status(facts: Facts, run: str, reached: int | None, times: Times) -> StatusRow:
    r, b = facts.runs[run], facts.best.get(run, {})
    return StatusRow(
        r["name"], r["status"], reached if reached is not None else b.get("last_step"), r["total_steps"],
        b.get("best_logged"), b.get("best_decimals"), b.get("best_step"), b.get("last_logged"), b.get("last_decimals"),
        times.of(_log(facts, run)),
    )  # fmt: skip


def _has_curve(facts: Facts, run: str) -> bool:
    return run in facts.best or bool(facts.time.get(run, {}).get("n_train"))


def _log(facts: Facts, run: str) -> str | None:
    """The file that grows while the run goes on: a text log where there is one."""
    own = [s for s in facts.run_sources if s["run"] == run and s["format"] not in ("checkpoint", "tfevents", "results_csv")]
    text = [s["path"] for s in own if s["path"].endswith((".log", ".out", ".txt"))]
    main = [s["path"] for s in own if s["main"]]
    return next(iter([*(p for p in main if p in text), *text[:1], *main]), None)


def _leader(rows: dict[str, StatusRow], groups: Any) -> StatusRow | None:
    """The run with the lowest loss of all, where the compared sets do not name it already."""
    found = min((r for r in rows.values() if r.best is not None and r.best == r.best), key=lambda r: (r.best, r.run), default=None)
    named = {g.best.run for g in groups if g.best}
    return None if found is None or found.run in named else found


def _monitor(facts: Facts, run: Row, place: Place) -> Monitor:
    path = _log(facts, run["run"]) or ""
    file = place.real(path)
    b, following = facts.best.get(run["run"], {}), None
    if b.get("n_val", 0) > 1 and b["last_step"] is not None and b["first_step"] is not None:
        every = (b["last_step"] - b["first_step"]) / (b["n_val"] - 1)
        after = round(b["last_step"] + every)
        following = after if every == int(every) and (run["total_steps"] is None or after <= run["total_steps"]) else None
    pid = file.with_suffix(".pid")
    alive = f"kill -0 $(cat {shlex.quote(str(pid))}) && echo running" if pid.is_file() else None
    return Monitor(run["name"], f"tail -f {shlex.quote(str(file))}", following, alive)


# -- files --------------------------------------------------------------------------------------------------------------
def _checkpoints(facts: Facts, times: Times) -> tuple[tuple[CheckpointRow, ...], int]:
    order = {"best": 0, "last": 1}
    rows = sorted(facts.checkpoints, key=lambda c: (order.get(c["kind"], 2), -(c["step"] or 0), c["path"]))
    kept = sorted(rows[:MOST_CHECKPOINTS], key=lambda c: (c["run"] or "", c["path"]))
    listed = tuple(
        CheckpointRow(
            facts.name(c["run"]) if c["run"] in facts.runs else None, c["path"], c["kind"], c["step"], bytes_text(c["bytes"] or 0),
            times.of(c["path"]),
        )
        for c in kept
    )  # fmt: skip
    return listed, len(rows) - len(kept)


def _sizes(store: Store, inputs: Inputs) -> tuple[str, ...]:
    return tuple(
        f"{kind}: {n:,} {'file' if n == 1 else 'files'}, {bytes_text(size)}" for kind, n, size in kinds_of(inputs, store)
    )  # fmt: skip


def _typed(path: Path) -> str:
    """A path as one would type it here."""
    from ngt_report.reports import shown

    return shown(path)


def _seen(folder: Path, root: Path) -> str:
    """The report's folder from the inputs' common parent, where it lies below it."""
    folder = Path(os.path.abspath(folder))
    return folder.relative_to(root).as_posix() if folder.is_relative_to(root) else folder.as_posix()


# -- pitfalls -----------------------------------------------------------------------------------------------------------
def pitfalls(store: Store, facts: Facts) -> tuple[str, ...]:
    """Only those that apply to these runs."""
    found = []
    for run, restarted in _restarts(store):
        if run in facts.runs and restarted:
            found.append(f"`elapsed` of {facts.name(run)} begins anew at every restart: it is no time of the whole training")
    for r in facts.runs.values():
        if r["is_continuation"]:
            start = f" from {facts.name(r['parent'])}" if r["parent"] in facts.runs else ""
            own = "it has a row of its own and is ranked with none; its `elapsed` is since that start"
            found.append(f"{r['name']} is a continuation{start}: {own}")
    for f in facts.findings:
        if f["kind"] == "restarted" and "superseded" in f["text"]:
            found.append(f"{f['text']} ({f['source']}:{f['line']})")
    return tuple(found[:20])


def _restarts(store: Store) -> list[tuple[str, bool]]:
    """Runs, and whether the clock of any of their segments begins anew."""
    return [
        (str(run), bool(restarted))
        for run, restarted in store.run(
            "SELECT t.run, bool_or(g.clock = 'restarts') FROM raw_segments AS g JOIN run_trials AS t USING (source, trial)"
            " WHERE t.main AND g.segment > 0 AND g.reset_line IS NULL GROUP BY t.run ORDER BY t.run"
        )
    ]


def _labels(facts: Facts) -> bool:
    """Whether anybody will see a tokenizer's pieces: coordinates, in a log or drawn already."""
    return facts.coords or any(re.search(r"(?:^|/)coords_[^/]*\.html$", s["path"]) for s in facts.sources)
