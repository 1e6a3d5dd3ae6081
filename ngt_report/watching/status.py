"""`ngtreport status`: every run of a folder at a glance, without a database."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ngt_report import config
from ngt_report.config import Settings
from ngt_report.discover import Inputs, discover
from ngt_report.files import InputFile
from ngt_report.identity import ENDINGS, base_id, tail
from ngt_report.store import line_each
from ngt_report.watching import pids
from ngt_report.watching.looks import Known, Looks
from ngt_report.watching.pids import Pid
from ngt_report.watching.progress import Curve
from ngt_report.watching.states import Evidence, State, judge

ORDER = ("crashed", "stalled", "going", "waiting", "quiet", "stopped", "finished")  # what needs somebody comes first
LOGLIKE = re.compile(r"\.(?:log|out|err|jsonl|ndjson)$", re.IGNORECASE)
PRECEDENCE = {"events": 0, "tfevents": 3, "curve_csv": 3, "hf_json": 3}  # of several files of one run, the smaller tells its curve


class Row(Struct):
    """One run now."""

    id: str
    name: str
    state: State
    curve: Curve
    files: list[str]
    pid: Pid | None
    eta_s: float | None
    rate: float | None  # steps a second


class Screen(Struct):
    """All runs at a time."""

    path: str
    now: float
    rows: list[Row]

    def counts(self) -> dict[str, int]:
        """How many runs are in each state, those that need somebody first."""
        found = Counter(row.state.state for row in self.rows)
        return {state: found[state] for state in ORDER if found[state]}


def look(paths: tuple[str, ...], looks: Looks | None = None, now: float | None = None) -> Screen:
    """Look at the runs of these paths; `looks` is what an earlier look knew."""
    inputs = discover(list(paths), outputs=True)
    settings = config.load(inputs.bases, inputs.root)
    processes = {f.path: found for f in inputs.files if f.rel.endswith(".pid") and (found := pids.read(f.path))}  # before their logs
    looks = looks or Looks(inputs.given)
    if processes:  # anew: what a process wrote before it ended must be seen together with its end
        inputs = discover(list(paths), outputs=True)
    logs = [f for f in inputs.files if f.path not in processes and not f.rel.endswith(".pid")]
    groups: dict[str, list[tuple[InputFile, Known]]] = {}
    bases = [os.path.relpath(b, inputs.root).replace(os.sep, "/") for b in inputs.bases]
    for file in logs:
        known = looks.at(file)
        groups.setdefault(base_id(file.rel, bases, known.format or ""), []).append((file, known))
    now = time.time() if now is None else now
    owned = _owners(processes, groups, inputs, bases)
    rows = [row for id, files in groups.items() for row in _rows(id, files, owned.get(id), now, looks)]
    rows += [_alone(id, pid, now) for id, pid in owned.items() if pid.alive and all(r.id.partition("#")[0] != id for r in rows)]
    looks.keep(logs)
    rows = _once(rows)
    _call(rows, inputs.group, settings)
    return Screen(", ".join(paths), now, sorted(rows, key=lambda r: (ORDER.index(r.state.state), r.name, r.id)))


def _owners(
    processes: dict[str, Pid], groups: dict[str, list[tuple[InputFile, Known]]], inputs: Inputs, bases: list[str]
) -> dict[str, Pid]:
    """Which run a process is: that whose log has the pid file's name, or the only one of its folder."""
    rel = {f.path: f.rel for f in inputs.files}
    out: dict[str, Pid] = {}
    for path, pid in processes.items():
        bare = rel[path].removesuffix(".pid")
        id = base_id(ENDINGS.sub("", bare), bases)
        folder = os.path.dirname(path)
        own = [key for key, files in groups.items() if any(os.path.dirname(f.path) == folder and known.curves for f, known in files)]
        alone = sum(os.path.dirname(p) == folder for p in processes) == 1 and len(own) == 1
        id = id if id in groups or not alone else own[0]
        if id not in out or pid.written > out[id].written:
            out[id] = pid
    return out


def _rows(id: str, files: list[tuple[InputFile, Known]], pid: Pid | None, now: float, looks: Looks) -> list[Row]:
    """The runs of the files of one name: one, or those that a single log holds."""
    told = sorted((f for f in files if f[1].curves), key=lambda f: (PRECEDENCE.get(f[1].format or "", 1), f[0].rel))
    waiting = [f for f in files if not f[1].curves and (f[1].format is None and _is_log(f[0], f[1], pid))]
    if not told and not waiting:
        return []
    written = max(known.written for _, known in [*told, *waiting])
    cause = next((known.cause for _, known in waiting if known.cause), None)
    curves: list[Curve] = told[0][1].curves if told else [Curve()]
    own = curves[-1]
    others = [c for _, known in told[1:] for c in known.curves[-1:]]
    if own.crash is None and own.end is None:  # what only the other form of the log says
        own = replace(own, crash=next((c.crash for c in others if c.crash), None))
    seen = told[0][1].seen if told and len(curves) == 1 else []
    outdated = bool(told) and pid is not None and looks.outgrew(told[0][1], pid.alive)
    names = [file.rel for file, _ in [*told, *waiting]]
    rows = [_row(f"{id}#{_label(c)}", Evidence(c, written, [], None), c, names, now) for c in curves[:-1]]
    evidence = Evidence(own if told else None, written, seen, pid, outdated, cause)
    return [*rows, _row(f"{id}#{_label(own)}" if rows else id, evidence, own, names, now)]


def _once(rows: list[Row]) -> list[Row]:
    """Without the runs of a log of many that logs of their own tell too."""
    told = {_ends(row.curve) for row in rows if "#" not in row.id and row.curve.last}
    return [row for row in rows if "#" not in row.id or _ends(row.curve) not in told]


def _ends(curve: Curve) -> tuple[Any, ...]:
    return curve.total, curve.step, tuple(curve.last or ()), tuple(curve.best or ())


def _is_log(file: InputFile, known: Known, pid: Pid | None) -> bool:
    """Whether a file without metrics is a log that has none yet."""
    return (known.text or not file.size) and (LOGLIKE.search(file.rel) is not None or pid is not None)


def _label(curve: Curve) -> str:
    return curve.name or str(curve.trial + 1)


def _row(id: str, evidence: Evidence, curve: Curve, files: list[str], now: float) -> Row:
    state = judge(evidence, now)
    rate = curve.rate() or _observed_rate(evidence)
    row = Row(id, tail(id), state, curve, files, evidence.pid, None, rate)
    if state.state == "going" and curve.total and curve.step is not None:
        row.eta_s = _left(curve, state, rate)
    return row


def _observed_rate(e: Evidence) -> float | None:
    """Steps a second since the process began, where the log has no clock."""
    if e.curve is None or not e.curve.step or e.pid is None or e.written <= e.pid.written:
        return None
    return e.curve.step / (e.written - e.pid.written)


def _left(curve: Curve, state: State, rate: float | None) -> float | None:
    """Seconds to the last step: as evaluations come, with the time that they take themselves; else by the rate."""
    left = (curve.total or 0) - (curve.step or 0)
    usual = curve.interval()
    if usual and usual[0] > 0 and usual[1] > 0:
        return max(0.0, left / usual[0] * (state.interval_s or usual[1]) - state.silent_s)
    return max(0.0, left / rate - state.silent_s) if rate else None


def _alone(id: str, pid: Pid, now: float) -> Row:
    """A process that has written nothing yet."""
    return _row(id, Evidence(None, pid.written, [], pid), Curve(), [], now)


def _call(rows: list[Row], group: str, settings: Settings) -> None:
    """Short names where they are unique: without folders and the group's prefix, or as ngtreport.toml says."""
    short = {row.id: settings.labels.get(row.id) or settings.labels.get(tail(row.id)) or _bare(row.id, group) for row in rows}
    counts = Counter(short.values())
    for row in rows:
        row.name = short[row.id] if counts[short[row.id]] == 1 else row.id


def _bare(id: str, group: str) -> str:
    file, sign, name = id.partition("#")
    bare = file.rsplit("/", 1)[-1] + sign + name
    for prefix in (f"{group}_", f"{group}-"):
        bare = bare.removeprefix(prefix)
    return bare or id


# -- for programs --------------------------------------------------------------------------------------------------------
def to_json(screen: Screen) -> str:
    """All of it; times in seconds, losses in nats per token, null for what is not known."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(screen.now))
    document = {"schema": 1, "path": screen.path, "now": stamp, "counts": screen.counts(), "runs": [_plain(r) for r in screen.rows]}
    return line_each(document)


def _plain(row: Row) -> dict[str, Any]:
    c, s = row.curve, row.state
    return {
        "run": row.name, "id": row.id, "state": s.state, "cause": s.cause, "step": c.step, "total_steps": c.total,
        "val_loss": c.last[1] if c.last else None, "val_step": c.last[0] if c.last else None,
        "best_val_loss": c.best[1] if c.best else None, "best_step": c.best[0] if c.best else None,
        "train_loss": c.train[1] if c.train else None, "steps_per_s": row.rate, "eta_s": row.eta_s, "silent_s": s.silent_s,
        "interval_s": s.interval_s, "pid": row.pid.number if row.pid else None, "pid_alive": row.pid.alive if row.pid else None,
        "files": row.files, "curve": c.drawn,
    }  # fmt: skip
