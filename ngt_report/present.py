"""Says in words what the inputs hold, so that statements which would find nothing need not run (tailor.py).

A statement names the words it needs in `-- when:` and `-- with`. A word may be said where nothing comes of it, but is never left out where
something would. The words are: the keys of `_of_run`, the columns of the queries given to `of_row`, those of WORDS, and of PREFIXES with
what stands behind them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ngt_report.identity import Run
from ngt_report.store import Store, sql, to_json

Fact = tuple[int, int, str, str, int | None]  # source, trial, key, value as JSON, line
WORDS = frozenset(  # said by functions
    ("groups", "equal curves", "resumed otherwise", "restarts", "long curves", "short curves", "restated", "baselines", "targets")
)
PREFIXES = ("metric", "fact", "format", "kind", "two values of")  # of a word that goes on with a name, or a pattern of names
QUERIES = ("present", "audited", "fresh")  # of sql/staging, whose columns are words
ENDED = ("finished", "no declared total")
COPIES = ("curve_csv", "tfevents")  # formats of curves that stand beside a log


def of_runs(runs: list[Run], rows: Sequence[dict[str, Any]], facts: Sequence[Fact]) -> set[str]:
    """What the runs are and what is said of them; `rows` are those of the table runs, in the order of `runs`."""
    words = {f"fact {fact[2]}" for fact in facts} | set(_two_values(runs, facts)) | set(_alike(runs, rows)) | set(_resumed(rows))
    for run, row in zip(runs, rows, strict=True):
        words.update(word for p in run.pieces for word in (f"kind {p.kind}", f"format {p.format}"))
        words.update(word for word, there in _of_run(run, row).items() if there)
    return words


def of_tables(store: Store) -> set[str]:
    """What the sources hold, as far as tables tell."""
    metrics = {f"metric {metric}" for layout in store.wide.tables for metric in layout.metrics}
    return of_row(store, sql("staging/present.sql")) | metrics


def of_row(store: Store, text: str) -> set[str]:
    """The columns of a query's only row that are true, and what stands in those that are lists."""
    words: set[str] = set()
    for word, found in store.rows(text)[0].items():
        words.update([word] if found is True else (f"{word} {what}" for what in found or ()))
    return words


def _of_run(run: Run, row: dict[str, Any]) -> dict[str, bool]:
    """What can be said of one run alone."""
    steps = [p.last_step for p in run.pieces if p.last_step is not None]
    beside = [p.last_step for p in run.pieces if p.kind != "curve" and p.last_step is not None]
    own, total = run.main.last_step, row["total_steps"]
    logged = any(p.kind == "curve" and p.format not in COPIES for p in run.pieces)
    return {
        "unfinished": row["status"] not in ENDED,
        "batch": "batch_size" in row["config"],
        "bytes per token": "bytes_per_token" in row["config"],
        "continuations": row["is_continuation"],
        "tokens": any(p.tokens for p in run.pieces),
        "timed rows": any(p.kind == "row" and p.timed for p in run.pieces),
        "steps beyond the total": total is not None and max(steps, default=total) > total,
        "steps beyond the log": bool(beside) and (own is None or max(beside) > own),
        "runs without losses": all(p.best is None for p in run.pieces),
        "no single curve": sum(p.n_val > 0 for p in run.pieces) != 1,
        "only rows or only logs": not row["is_continuation"] and logged != any(p.kind == "row" for p in run.pieces),
    }


def _two_values(runs: list[Run], facts: Sequence[Fact]) -> Iterator[str]:
    """The facts of which a run has two values, in one source or in several."""
    owner = {(p.source, p.trial): run.id for run in runs for p in run.pieces}
    first: dict[tuple[str, str], str] = {}
    for source, trial, key, value, _ in facts:
        run = owner.get((source, trial))
        if run is not None and first.setdefault((run, key), value) != value:
            yield f"two values of {key}"


def _alike(runs: list[Run], rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Whether runs form groups, and whether two have one curve."""
    for group in ("seed_group", "config_group"):
        sizes = Counter(row[group] for row in rows if row[group] is not None)
        if max(sizes.values(), default=1) > 1:
            yield "groups"
    curves = Counter(print_ for run in runs for print_ in {p.print_ for p in run.pieces} if print_ is not None)
    if max(curves.values(), default=1) > 1:
        yield "equal curves"


def _resumed(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Whether a continuation records a setting that is another in the run that it continues."""
    by_id = {row["run"]: row for row in rows}
    for row in rows:
        parent = by_id.get(row["parent"]) if row["is_continuation"] else None
        if parent:
            own, before = json.loads(row["config"]), json.loads(parent["config"])
            if any(to_json(own[key]) != to_json(before[key]) for key in own.keys() & before.keys()):
                yield "resumed otherwise"
