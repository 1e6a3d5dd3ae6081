"""Which trials are the same run, what it is called, what it is a continuation of.

A log is a run. Rows of results files, checkpoints, event files and repeated logs join a run by equal name, or by a unique
suffix at an underscore, when no value contradicts; else they stay apart, and a finding says so.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import PurePosixPath
from typing import Any

from msgspec import Struct, field

from ngt_report import resumed
from ngt_report.config import Settings
from ngt_report.files import run_folder
from ngt_report.names import CONFIG
from ngt_report.snapshots import longest
from ngt_report.store import Store, sql

GENERIC = frozenset(
    "metrics metric log logs train training output out stdout stderr console results result trainer_state all_results eval_results"
    " train_results history run main events event progress summary trainer_log record".split()
)
ENDINGS = re.compile(r"\.(?:log|txt|out|err|jsonl|ndjson|json|csv|tsv)$", re.IGNORECASE)
CLOSING = ("hf_json", "wandb_summary")  # documents with the closing figures of the run in whose folder they lie
UUID = re.compile(r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^[0-9a-f]{16,}$", re.IGNORECASE)
CHECKPOINT = re.compile(
    r"(?:\.pth?)?[._\-](?:best|last|final|latest|step[_\-]?\d+)\.(?:pth?|ckpt|bin)$|\.(?:pth?|ckpt|bin|safetensors)$", re.IGNORECASE
)


class Piece(Struct):
    """One trial with what identity needs to know of it."""

    source: int
    path: str
    base: str  # id of its file
    format: str
    precedence: int
    trial: int
    kind: str
    name: str | None
    shared: bool
    line: int | None
    siblings: int  # trials of the same file
    n_val: int
    first_step: int | None
    last_step: int | None
    last_line: int | None
    tokens: int | None
    timed: bool  # a time stands beside one of its points
    best: float | None
    best_decimals: int | None
    last: float | None
    last_decimals: int | None
    stated_best: float | None
    final: float | None
    final_decimals: int | None
    print_: str | None  # fingerprint of its evaluations
    diverged: bool  # its last loss is no number
    facts: dict[str, Any] = field(default_factory=dict)


class Run(Struct):
    """A run in the making: its pieces, the first being the main one."""

    id: str
    pieces: list[Piece]
    names: set[str]
    resumes: str | None = None  # the run that it goes on from, where W&B's folders say so

    @property
    def main(self) -> Piece:
        return self.pieces[0]


class Identity(Struct):
    """The outcome: runs, checkpoints that belong to none, and findings as (severity, kind, run, text, path, line)."""

    runs: list[Run]
    loose: list[Piece]
    findings: list[tuple[str, str, str | None, str, str, int | None]]


def identify(store: Store, bases: list[str], settings: Settings, home: str = "") -> Identity:
    """Assign every trial to a run; `home` is what the given folder is called."""
    work = _Joining(store, settings)
    pieces, work.loose, work.findings = longest(store, _pieces(store, bases, home))
    pieces, parts, said = resumed.last_summaries(pieces)
    work.loose += parts
    work.findings += said
    order = {"own": 0, "named": 1, "unnamed": 2, "guest": 3, "row": 4, "checkpoint": 5, "settings": 6}
    for piece in sorted(pieces, key=lambda p: (order[_standing(p)], p.precedence, "/latest-run/" in f"/{p.path}", p.path, p.trial)):
        work.place(piece)
    work.adopt_checkpoints()
    work.say_repeats()
    work.say_settings()
    work.findings += resumed.link(work.runs)
    return Identity(sorted(work.runs, key=lambda r: r.id), work.loose, work.findings)


def _standing(piece: Piece) -> str:
    """How a trial is placed: logs first, then what may describe them."""
    if piece.kind != "curve":
        return piece.kind
    if piece.format in ("curve_csv", "wide_csv", "mlflow", "tfevents"):
        return "guest"
    return "own" if piece.siblings == 1 else "named" if piece.name else "unnamed"


class _Joining:
    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.runs: list[Run] = []
        self.by_name: dict[str, list[Run]] = {}
        self.by_print: dict[str, Run] = {}
        self.by_bare: dict[str, list[Run]] = {}  # name of the file without words such as train_ -> runs
        self.loose: list[Piece] = []
        self.findings: list[tuple[str, str, str | None, str, str, int | None]] = []
        self.tails: dict[str, list[Run]] = {}
        self.repeats: dict[str, list[tuple[Run, int | None]]] = {}  # file -> the runs that it repeats, and where

    def place(self, piece: Piece) -> None:
        """Join a run, or become one."""
        standing = _standing(piece)
        twin = self.by_print.get(piece.print_) if piece.print_ and piece.n_val >= (3 if standing == "own" else 2) else None
        if twin is not None and piece.kind == "curve" and not differing_config(twin, piece):
            (self._join if standing == "guest" else self._repeat)(twin, piece)
            return
        if standing == "own":
            self._place_own(piece)
            return
        if standing == "settings":
            run = self._of_folder(piece)
            problem = contradiction(run, piece) if run is not None and piece.format == "closing_json" else ""
            self.loose.append(piece) if run is None or problem else self._join(run, piece)
            if run is not None and problem:
                self._apart(run, piece, problem)
            return
        if piece.format == "wandb_summary":
            self._place_summary(piece)
            return
        if state := self._same_training(piece):
            self._seen_twice(state, piece)
            return
        run = self._owner(piece)
        if run is not None and not (problem := self._problem(run, piece)):
            (self._repeat if standing in ("named", "unnamed") else self._join)(run, piece)
            return
        if standing == "checkpoint":
            self.loose.append(piece)
            if run is not None:
                self._apart(run, piece, problem)
            return
        if run is not None and run.main.kind == "curve":
            self._apart(run, piece, problem)
        self._new(self._own_id(piece), piece)

    def _place_summary(self, piece: Piece) -> None:
        """W&B's summary: of the run whose log lies beside it, else a run; a copy of it (latest-run) is no second one."""
        written = piece.facts.get("clock.written")
        same = (r for r in self.runs for p in r.pieces if p.format == piece.format and p.facts.get("clock.written") == written)
        twin = next(same, None) if written is not None else None
        if twin is not None and not contradiction(twin, piece):
            self._repeat(twin, piece)
            return
        beside = [r for r in self.runs if r.main.kind == "curve" and _folder(r.main.path) == _folder(piece.path)]
        if not beside:
            run = resumed.owner(self.runs, piece)
            self._new(self._own_id(piece), piece) if run is None or contradiction(run, piece) else self._join(run, piece)
        elif len(beside) == 1 and _closes(beside[0].main, piece):
            self._join(beside[0], piece)
        else:
            self.loose.append(piece)
            text = f"{piece.path} lies beside run {beside[0].id} but gives other closing values; they are not used"
            self.findings.append(("info", "repeated", beside[0].id, text, piece.path, piece.line))

    def _place_own(self, piece: Piece) -> None:
        """A log is a run, unless it is the twin of one in another format (run.log beside run.jsonl)."""
        same = (r for r in self.by_name.get(piece.base, ()) if r.id == piece.base)
        twin = next((r for r in same if all(p.format != piece.format and p.base == piece.base for p in r.pieces)), None)
        problem = self._problem(twin, piece) if twin is not None else ""
        twin = twin or self._almost_named(piece)
        if twin is None or problem:
            self._new(piece.base, piece)
            self.by_bare.setdefault(_bare(piece.base), []).append(self.runs[-1])
        else:
            self._repeat(twin, piece)
        if twin is not None and problem:
            self._apart(twin, piece, problem)

    def _almost_named(self, piece: Piece) -> Run | None:
        """The log in another format whose name differs only in a word such as train_ or metrics_, if all that both evaluated agrees."""
        for run in self.by_bare.get(_bare(piece.base), ()):
            if all(p.format != piece.format for p in run.pieces) and not differing_config(run, piece) and not contradiction(run, piece):
                keys = [piece.source, piece.trial, run.main.source, run.main.trial]
                common, agreeing = self.store.run(sql("identity/agreement.sql"), keys)[0]
                if common == agreeing >= max(2, min(piece.n_val, run.main.n_val) / 2):
                    return run
        return None

    def _problem(self, run: Run, piece: Piece) -> str:
        """Why a piece cannot belong to a run: a contradicting value, or a curve that is another one."""
        problem = contradiction(run, piece)
        if problem or piece.kind != "curve" or run.main.kind != "curve" or not piece.n_val:
            return problem
        keys = [piece.source, piece.trial, run.main.source, run.main.trial]
        common, agreeing = self.store.run(sql("identity/agreement.sql"), keys)[0]
        return f"agrees with it on {agreeing} of {common} common steps" if agreeing * 2 < common else ""

    def _own_id(self, piece: Piece) -> str:
        if piece.kind == "curve" and piece.siblings == 1:
            return piece.base
        if piece.kind == "row" and piece.siblings == 1 and piece.format in (*CLOSING, "closing"):
            return piece.base
        label = piece.name or (f"row{piece.trial + 1}" if piece.kind == "row" else str(piece.trial + 1))
        return f"{piece.base}#{label}"

    def _new(self, id: str, piece: Piece) -> None:
        taken = {r.id for r in self.by_name.get(id, ())}
        unique, count = id, 1
        while unique in taken or any(r.id == unique for r in self.by_name.get(unique, ())):
            count += 1
            unique = f"{id}-{count}"
        run = Run(unique, [piece], set())
        self.runs.append(run)
        if piece.print_:
            self.by_print.setdefault(piece.print_, run)
        for name in {unique, tail(unique), piece.name or tail(unique)}:
            self._known_as(run, name)

    def _known_as(self, run: Run, name: str) -> None:
        if name in run.names:
            return
        run.names.add(name)
        self.by_name.setdefault(name, []).append(run)
        words = name.split("_")
        for k in range(1, len(words)):
            self.tails.setdefault("_".join(words[k:]), []).append(run)

    def _owner(self, piece: Piece) -> Run | None:
        """The run that a piece says it belongs to, or that it lies beside."""
        if piece.name and piece.shared:
            return self._find(piece)
        return self._closed(piece) if piece.format == "closing" else self._beside(piece)

    def _closed(self, piece: Piece) -> Run | None:
        """The one run of a log in the same folder that ended with these closing words."""
        folder = PurePosixPath(piece.path).parent
        near = [r for r in self.runs if r.main.kind == "curve" and PurePosixPath(r.main.path).parent == folder]
        found = [r for r in near if _ended_so(r.main, piece) and not contradiction(r, piece)]
        return found[0] if len(found) == 1 else None

    def _find(self, piece: Piece) -> Run | None:
        """The one run of this name: by id, by name, by a unique suffix at an underscore, in either direction."""
        name = self.settings.aliases.get(piece.name or "", piece.name or "")
        exact = self.by_name.get(name, [])
        if len(exact) > 1 and piece.kind == "row":  # several sweeps use the same names: the one whose values agree
            exact = [r for r in exact if not contradiction(r, piece)] or exact
        for candidates in (exact, _unique(self.tails.get(name, [])), self._shorter(name)):
            found = [r for r in candidates if not _elsewhere(r, piece)]
            if len(found) == 1:
                return found[0]
            if len(found) > 1 and piece.kind != "row":
                ids = ", ".join(sorted(r.id for r in found)[:4])
                self.findings.append(
                    ("warning", "ambiguous_name", None, f"{piece.path} may belong to any of {ids}", piece.path, piece.line)
                )
                return None
        return None

    def _same_training(self, piece: Piece) -> Run | None:
        """For an event file: the trainer's own state with the same evaluations, though one of them may go further.

        For a table in a document, such as a model card: the run of its folder that has all its evaluations.
        """
        near = [r for r in self.runs if r.main.kind == "curve" and piece.kind == "curve"]
        if piece.format == "tfevents":
            near, least = [r for r in near if r.main.format == "hf_json"], 2
        elif piece.path.lower().endswith(".md"):
            near, least = [r for r in near if _folder(r.main.path) == _folder(piece.path)], max(1, piece.n_val)
        else:
            return None
        for run in near:
            keys = [piece.source, piece.trial, run.main.source, run.main.trial]
            common, agreeing = self.store.run(sql("identity/agreement.sql"), keys)[0]
            if common == agreeing >= least:
                return run
        return None

    def _seen_twice(self, run: Run, piece: Piece) -> None:
        """An event file or a document that tells a run which is there: the run's own file counts."""
        self.loose.append(piece)
        end = run.main.last_step or 0
        beyond = f"; what it has beyond step {end} is not used" if (piece.last_step or 0) > end else ""
        text = f"{piece.path} has the evaluations of run {run.id}, which is counted once{beyond}"
        self.findings.append(("info", "repeated", run.id, text, piece.path, piece.line))

    def _of_folder(self, piece: Piece) -> Run | None:
        """The only run whose log lies in the folder of a file of settings; MLflow's files name it."""
        named = self.by_name.get(piece.name or "", []) if piece.format == "mlflow_params" else None
        folder = _folder(piece.path)
        found = named or [r for r in self.runs if any(_alone(r, p) and _folder(p.path) == folder for p in r.pieces)]
        return found[0] if len(found) == 1 else None

    def _beside(self, piece: Piece) -> Run | None:
        """For the closing figures that a trainer leaves beside its state: the curve of the same folder, unless they contradict it."""
        if piece.kind != "row" or piece.format != "hf_json" or piece.siblings > 1:
            return None
        folder = PurePosixPath(piece.path).parent
        states = (r for r in self.runs if r.main.format == "hf_json" and r.main.kind == "curve")
        found = [r for r in states if PurePosixPath(r.main.path).parent == folder]
        if len(found) != 1 or contradiction(found[0], piece):
            return None
        ends = [(found[0].main.last, found[0].main.last_decimals), (found[0].main.best, found[0].main.best_decimals)]
        held = [agree(piece.last, piece.last_decimals, v, d) for v, d in ends if v is not None and piece.last is not None]
        return found[0] if any(held) or not held else None

    def _shorter(self, name: str) -> list[Run]:
        words = name.split("_")
        for k in range(1, len(words) - 1):
            if runs := self.by_name.get("_".join(words[k:])):
                return runs
        return []

    def _join(self, run: Run, piece: Piece) -> None:
        run.pieces.append(piece)

    def _repeat(self, run: Run, piece: Piece) -> None:
        """The same curve in another file (a concatenated log): one run, one more source."""
        run.pieces.append(piece)
        if ENDINGS.sub("", piece.path) == ENDINGS.sub("", run.main.path):
            return  # NAME.log beside NAME.jsonl: one log in two forms, as trainers write them
        repeated = self.repeats.setdefault(piece.path, [])
        if all(r is not run for r, _ in repeated):
            repeated.append((run, piece.line))

    def say_repeats(self) -> None:
        """One finding a file, however many runs it repeats."""
        for path, found in self.repeats.items():
            one = found[0][0].id if len(found) == 1 else None
            names = ", ".join(f"run {run.id}" for run, _ in found[:3]) + (", ..." if len(found) > 3 else "")
            text = f"repeats run {one}, which is counted once" if one else f"repeats {len(found)} runs, which are counted once: {names}"
            line = min((line for _, line in found if line is not None), default=None)
            self.findings.append(("info", "repeated", one, f"{path} {text}", path, line))

    def say_settings(self) -> None:
        """One finding for all settings whose folder does not say whose they are."""
        told = {path for _, kind, _, _, path, _ in self.findings if kind == "contradiction"}
        paths = sorted(p.path for p in self.loose if p.kind == "settings" and p.path not in told)
        if paths:
            names = ", ".join(paths[:3]) + (", ..." if len(paths) > 3 else "")
            text = f"settings of no single run of their folder were not used: {names}"
            self.findings.append(("info", "no_metrics", None, text, paths[0], 1))

    def _apart(self, run: Run, piece: Piece, problem: str) -> None:
        text = f"{piece.path} names run {run.id} but {problem}; they are kept apart"
        self.findings.append(("error", "contradiction", run.id, text, piece.path, piece.line))

    def adopt_checkpoints(self) -> None:
        """Without any log, checkpoints are all there is: each name is a run then."""
        if self.runs or all(p.kind != "checkpoint" for p in self.loose):
            return
        pieces, self.loose = [p for p in self.loose if p.kind == "checkpoint"], [p for p in self.loose if p.kind != "checkpoint"]
        for piece in pieces:
            run = next((r for r in self.runs if piece.name in r.names), None)
            self._join(run, piece) if run else self._new(piece.name or piece.base, piece)


def _closes(log: Piece, summary: Piece) -> bool:
    """Whether a summary can be the end of a log: the log has no validation loss, or ends with this one."""
    return log.last is None or summary.final is None or agree(summary.final, summary.final_decimals, log.last, log.last_decimals)


def _bare(base: str) -> str:
    """A file's id without the first words that only say what it holds: out/train_a and out/metrics_a are out/a."""
    folder, slash, name = base.rpartition("/")
    words = re.split(r"[_.\-]", name, maxsplit=1)
    return base if len(words) < 2 or words[0].lower() not in GENERIC else _bare(f"{folder}{slash}{words[1]}")


def _alone(run: Run, piece: Piece) -> bool:
    """Whether a file is the log of this run, or closing figures of it alone, no table of results."""
    return piece is run.main and piece.kind == "curve" or piece.format == "wandb_summary"


def _elsewhere(run: Run, piece: Piece) -> bool:
    """Whether both are event files, of different folders: an equal name of the last folder says nothing then."""
    return piece.format == run.main.format == "tfevents" and piece.base != run.main.base


def _folder(path: str) -> str:
    """The folder of a run's file."""
    return run_folder(str(PurePosixPath(path).parent))


def _unique(runs: list[Run]) -> list[Run]:
    return list({id(r): r for r in runs}.values())


def tail(id: str) -> str:
    """The name inside an id: what follows the #, else the last component of the path."""
    file, _, name = id.partition("#")
    return name or file.rsplit("/", 1)[-1]


def contradiction(run: Run, piece: Piece) -> str:
    """Why a piece cannot describe this run, or ''."""
    theirs = piece.facts.get("seed")
    ours = next((p.facts["seed"] for p in run.pieces if "seed" in p.facts), None)
    if ours is not None and theirs is not None and ours != theirs:
        return f"gives seed {theirs} where the run has {ours}"
    main = run.main
    if piece.kind != "curve" and (piece.last_step or 0) > (main.last_step or 0) and main.kind == "curve":
        return ""  # it speaks of a step that the log has not reached (or lost): nothing to hold against it
    pairs = [
        ("best validation loss", piece.stated_best, None, main.best, main.best_decimals),
        (
            "final validation loss",
            piece.final,
            piece.final_decimals,
            main.final if main.final is not None else main.last,
            main.last_decimals,
        ),
    ]
    if main.n_val == 0 and main.final is None:
        pairs = [] if main.stated_best is None else [("best validation loss", piece.stated_best, None, main.stated_best, None)]
    if piece.kind == "curve":
        pairs = []
    for what, a, a_decimals, b, b_decimals in pairs:
        if a is not None and b is not None and not agree(a, a_decimals, b, b_decimals):
            if what.startswith("final") and main.last is not None and agree(a, a_decimals, main.last, main.last_decimals):
                continue
            return f"gives {what} {a:.6g} where the run has {b:.6g}"
    return ""


def _ended_so(main: Piece, piece: Piece) -> bool:
    """Whether a stated value is the curve's own."""
    ends = ((main.final, main.final_decimals), (main.last, main.last_decimals))
    best = piece.stated_best is not None and main.best is not None and agree(piece.stated_best, None, main.best, main.best_decimals)
    return best or piece.final is not None and any(v is not None and agree(piece.final, piece.final_decimals, v, d) for v, d in ends)


def differing_config(run: Run, piece: Piece) -> bool:
    """Whether anything recorded tells a piece from the run's other pieces."""
    return any(p.facts[k] != piece.facts[k] for p in run.pieces for k in p.facts.keys() & piece.facts.keys() & CONFIG.keys())


def agree(a: float, a_decimals: int | None, b: float, b_decimals: int | None) -> bool:
    """Whether two printed numbers can be the same value, at the coarser of their decimals."""
    places = [d for d in (a_decimals, b_decimals) if d is not None]
    slack = 0.5000001 * 10.0 ** -min(places) if places else 1e-6 * max(1.0, abs(a))
    return abs(a - b) <= slack


# -- reading the raw tables -----------------------------------------------------------------------------------------
def _pieces(store: Store, bases: list[str], home: str) -> list[Piece]:
    """All trials that say something, with their facts."""
    rows = store.rows(sql("staging/trials.sql"))
    facts: dict[tuple[int, int], dict[str, Any]] = {}
    text = "SELECT source, trial, key, value FROM raw_facts WHERE list_contains(?::VARCHAR[], key) ORDER BY ALL"
    for source, trial, key, value in store.run(text, [[*CONFIG, "resumed_from", "checkpoint.kind", "clock.written"]]):
        facts.setdefault((source, trial), {})[key] = json.loads(value)
    trials = Counter(row["source"] for row in rows)
    pieces = []
    for row in rows:
        base, own = base_id(row["path"], bases, row["format"], home), facts.get((row["source"], row["trial"]), {})
        pieces.append(Piece(base=base, siblings=trials[row["source"]], facts=own, **row))
    return pieces


def base_id(path: str, bases: list[str], format: str = "", home: str = "") -> str:
    """A file's id: its path relative to the input it was found in, without the ending; a generic name gives way to its folder's."""
    holder = max((b for b in bases if path == b or path.startswith(b + "/") or b == "."), key=len, default="")
    inside = (
        PurePosixPath(path).name
        if path == holder or holder in ("", ".") and "/" not in path
        else path
        if holder == "."
        else path[len(holder) + 1 :]
    )
    if path == holder:
        inside = PurePosixPath(path).name
    if format == "mlflow":  # RUN/metrics/NAME
        return inside.partition("/metrics/")[0]
    bare = CHECKPOINT.sub("", inside) if format == "checkpoint" else ENDINGS.sub("", inside)
    bare = bare or inside
    if format in ("tfevents", "wandb_summary") or tail(bare).lower() in GENERIC:
        parent = str(PurePosixPath(bare).parent)
        if parent != ".":
            return run_folder(parent)
        folder = PurePosixPath(path).parent.name
        return folder or (home if format in CLOSING and path not in bases else "") or bare
    return bare
