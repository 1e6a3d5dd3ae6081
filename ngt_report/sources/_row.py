"""One record a run: each record becomes a trial with its final values, its clock and its configuration as facts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct, field

from ngt_report import names
from ngt_report.sections import told_apart
from ngt_report.sources._scalars import (
    CONTAINER,
    clock_seconds,
    clock_unit,
    flatten,
    is_missing,
    metrics_of,
    number,
    plain,
    printed,
    run_stem,
    scalar,
    whole,
)
from ngt_report.sources._shape import COMMITS, IDENTITIES, PATHS
from ngt_report.waist import Block, Column, Reading, Trial

FINAL = {"val/loss": "final/loss", "train/loss": "final/train_loss"}  # a row's only value is the last one
LAST_STEPS = ("final_step", "last_step", "final_iter", "last_iter", "steps_completed", "completed_steps")
ENDS = frozenset(("final/loss", "val/loss", "eval_loss"))
CRASHED = frozenset("crash crashed fail failed failure error oom killed aborted diverged timeout".split())  # of a column `status`
BEST_STEPS = frozenset(("best_step", "best_iter", "best_iteration", "best_global_step", "step_at_best", "best_val_step"))
OUTCOMES = frozenset(("target_loss", "reached_target", "time_to_target"))
_BEST_FILE = re.compile(r"[._/\\-]best([._-]\w+)*$", re.I)
TEXTS = frozenset("git_commit dataset tokenizer model flags hardware precision".split())  # never numbers, whatever they look like


class Plan(Struct, frozen=True):
    """What each raw column of a record is."""

    metrics: dict[str, str]
    clock: str | None
    steps: tuple[str, ...]  # the first that has a value is the row's step
    best_step: str | None
    total: str | None
    tokens: str | None
    facts: dict[str, str]  # raw -> fact key
    sections: dict[str, str]  # of those in sections and beside them that end alike, the key of the last part


@lru_cache(maxsize=4096)
def plan_of(columns: tuple[str, ...]) -> Plan:
    """The plan for a set of columns."""
    metrics = {raw: name for raw, name in metrics_of(columns).items() if names.known_config(raw) is None}
    taken = set(metrics.values())
    metrics = {raw: name if FINAL.get(name) in taken else FINAL.get(name, name) for raw, name in metrics.items()}
    if any(name.startswith("val/") for name in taken):  # beside what says that it is of the validation, a final_loss is of who knows what
        metrics = {raw: names.clean(raw) if names.clean(raw) == "final_loss" else name for raw, name in metrics.items()}
    clocks = [c for c in columns if c not in metrics and clock_unit(c) is not None]
    clocks.sort(key=lambda c: not names.clean(c).startswith("train"))
    clean = {names.clean(CONTAINER.sub("", c)): c for c in reversed(columns)}
    totals = [c for c in columns if names.role(c) == "total"]
    last = [clean[n] for n in LAST_STEPS if n in clean] + [c for c in columns if names.role(c) == "step"]
    used = {*metrics, *clocks[:1], *(c for c in columns if names.role(c) in ("step", "tokens")), *totals[:1]}
    return Plan(
        metrics,
        clocks[0] if clocks else None,
        (*last, *totals),
        next((c for n, c in clean.items() if n in BEST_STEPS), None),
        totals[0] if totals else None,
        next((c for c in columns if names.role(c) == "tokens"), None),
        *_fact_keys([c for c in columns if c and c not in used]),
    )


def _fact_keys(columns: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Raw -> fact key: canonical where there is one, each once; else under config. And the short keys that several have."""
    keys: dict[str, str] = {}
    ends: dict[str, list[str]] = {}
    for raw in sorted(columns, key=lambda c: "/" in c):  # the top level of an object goes first
        base = raw.rpartition("/")[2]
        key = names.known_config(base) or names.section_named(raw)
        inside = raw.startswith(("config/", "args/", "hparams/", "params/"))
        if key or inside:
            ends.setdefault(key or "config." + names.clean(base), []).append(raw)
        if key is None and names.clean(raw) in PATHS:
            key = "checkpoint.path"
        if key is None and names.clean(raw) in OUTCOMES:
            key = names.clean(raw)
        if key is None or key in keys.values():
            key = "config." + names.clean(base if inside else raw)
        keys[raw] = key
    several = {raw: key for key, own in ends.items() if len(own) > 1 and any("/" in raw for raw in own) for raw in own}
    return {raw: keys[raw] for raw in columns}, several


def _blank(flat: Mapping[str, Any], plan: Plan, crashed: bool) -> bool:
    """Whether a row measured nothing: its metrics are all 0, and it says that it crashed, or all its numbers are 0."""
    metrics = [v for raw in plan.metrics if (v := number(flat[raw])) is not None]
    others = [v for c in flat if c not in plan.metrics and names.clean(c) not in COMMITS and (v := number(flat[c])) is not None]
    return bool(metrics) and not any(metrics) and (crashed or bool(others) and not any(others))


def _is_best_file(column: str, value: object) -> bool:
    """Whether a column holds the path of a best checkpoint."""
    return names.clean(column) in PATHS and isinstance(value, str) and bool(_BEST_FILE.search(value))


class RowReader(Struct):
    """Adds runs to a reading, one record at a time."""

    reading: Reading
    identity: str | None = None
    path: str | None = None
    order: Sequence[str] = IDENTITIES
    typed: bool = False  # values have types already (JSON): text stays text
    _seen: dict[str, int] = field(default_factory=dict)
    _again: list[tuple[int, str, str]] = field(default_factory=list)  # (line, name, new name)
    _only_best: int | None = None  # line of the first row that tells the best loss and no last
    _odd: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def add(self, record: Mapping[str, Any], line: int) -> None:
        """One run."""
        flat = flatten(record) if self.typed else dict(record)
        plan = plan_of(tuple(flat))
        name, shared = self._name(flat, line)
        trial = Trial(len(self.reading.trials), "row", name, line, shared)
        self.reading.trials.append(trial)
        crashed = any(names.clean(c) == "status" and str(v).strip().lower() in CRASHED for c, v in flat.items())
        if crashed:
            self.reading.fact("status", {"status": "crashed"}, trial.index, line)
        if not _blank(flat, plan, crashed):
            self._points(flat, plan, trial.index, line)
        self._facts(flat, plan, trial.index, line)

    def _name(self, flat: Mapping[str, Any], line: int) -> tuple[str | None, bool]:
        """The row's name, made different from the names before it, and whether other sources may use it."""
        raw = flat.get(self.identity) if self.identity else None
        if raw is None and self.path and isinstance(flat.get(self.path), str):
            raw = run_stem(flat[self.path]) or None
        if raw is None or isinstance(raw, bool | list):
            return None, False
        name = str(raw).strip()
        count = self._seen[name] = self._seen.get(name, 0) + 1
        if count == 1:
            return name, bool(name) and not (name.isdigit() and len(name) < 6)
        while f"{name}-{count}" in self._seen:
            count += 1
        new = f"{name}-{count}"
        self._seen[name], self._seen[new] = count, 1
        self._again.append((line, name, new))
        return new, False

    def _points(self, flat: Mapping[str, Any], plan: Plan, trial: int, line: int) -> None:
        """The row's metrics as points at its step; a best value at its own step where that is given."""
        step = next((s for c in plan.steps if (s := whole(flat.get(c))) is not None), None)
        best = whole(flat.get(plan.best_step)) if plan.best_step else None
        columns: dict[str, Column] = {}
        for raw, name in plan.metrics.items():
            value = number(flat[raw])
            if value is not None:
                columns[name] = Column([value], printed(flat[raw]))
            elif not is_missing(flat[raw]):
                self._odd.setdefault(raw, []).append((line, str(flat[raw])[:60]))
        if "best/loss" in columns and not columns.keys() & ENDS:
            self._only_best = self._only_best or line
            at = best if best is not None else step if any(_is_best_file(c, v) for c, v in flat.items()) else None
            self.reading.blocks.append(self._block(flat, plan, trial, line, at, {"best/loss": columns.pop("best/loss")}))
        apart = {n: columns.pop(n) for n in ("best/loss",) if n in columns and best is not None}
        for at, group in ((step, columns), (best, apart)):
            if group:
                self.reading.blocks.append(self._block(flat, plan, trial, line, at, group))

    @staticmethod
    def _block(flat: Mapping[str, Any], plan: Plan, trial: int, line: int, step: int | None, columns: dict[str, Column]) -> Block:
        """One point of several metrics."""
        seconds = clock_seconds(plan.clock, flat.get(plan.clock)) if plan.clock else None
        tokens = whole(flat.get(plan.tokens)) if plan.tokens else None
        return Block(
            trial, 0, [step], columns, [line], None, None if seconds is None else [seconds], None if tokens is None else [tokens]
        )  # fmt: skip

    def _facts(self, flat: Mapping[str, Any], plan: Plan, trial: int, line: int) -> None:
        """Everything else that the row says."""
        total = whole(flat.get(plan.total)) if plan.total else None
        if total is not None and total > 0:
            # a table made from best checkpoints gives the step of each, not the length of its run
            of_best = "final/loss" not in plan.metrics.values() and any(_is_best_file(c, v) for c, v in flat.items())
            self.reading.fact("config.total_steps" if of_best else "total_steps", total, trial, line)
        for raw, key in (plan.facts | told_apart(plan.sections, flat)).items() if plan.sections else plan.facts.items():
            value = flat[raw]
            text = self.typed or key in TEXTS or raw == self.identity
            value = plain(value) if text or not isinstance(value, str) else scalar(value)
            if raw != self.identity and (value is not None or self.typed):
                self.reading.fact(key, value, trial, line)

    def finish(self) -> None:
        """Say which names occurred twice and which metrics had values that are no numbers."""
        if self._again:
            line, name, new = self._again[0]
            more = f", and so on for {len(self._again) - 1} more" if len(self._again) > 1 else ""
            text = f"The name {name!r} is used again in line {line}: called {new!r}{more}."
            self.reading.note("warning", "duplicate_name", text, None, line)
        for raw, found in self._odd.items():
            line, text = found[0]
            rows = "one row" if len(found) == 1 else f"{len(found)} rows"
            self.reading.note("warning", "unreadable_value", f"{raw} is no number in {rows}, first {text!r} in line {line}.", None, line)
        if self._only_best:
            text = "Rows tell the best validation loss only: what a run ended with is not known, and its best stands for it."
            self.reading.note("warning", "only_best", text, None, self._only_best)
        if not self.reading.trials:
            self.reading.status = "no metrics"
