"""Many records a run: points gathered by run, segment and set of metrics; what never changes becomes a fact."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct, field

from ngt_report import names
from ngt_report.sources._scalars import clock_seconds, clock_unit, is_missing, metrics_of, number, plain, printed, scalar, whole
from ngt_report.sources._shape import Shape, split_of
from ngt_report.waist import Block, Column, Reading, Segment, Trial

_NO_METRICS = frozenset("timestamp ts date datetime created_at id index unnamed_0".split())  # when a row was written, its number
_RATE = re.compile(r"_(runtime|per_second|per_sec)$")
_VARIES = object()


class Plan(Struct, frozen=True):
    """What each raw column of a record is."""

    metrics: tuple[tuple[str, str], ...]  # (raw, canonical), results proper
    soft: tuple[tuple[str, str], ...]  # numbers that are a metric when they vary and configuration when they do not
    clock: str | None
    tokens: str | None
    total: str | None


@lru_cache(maxsize=4096)
def plan_of(columns: tuple[str, ...], split: str | None, axis: str | None, left_out: tuple[str, ...]) -> Plan:
    """The plan for a set of columns."""
    hard: list[tuple[str, str]] = []
    soft: list[tuple[str, str]] = []
    metrics = metrics_of(columns, split)
    clocks = [c for c in columns if clock_unit(c) is not None]
    for raw in columns:
        if not raw or raw == axis or raw in left_out or raw in clocks or names.clean(raw) in _NO_METRICS or names.role(raw):
            continue
        known = raw in metrics and names.known_config(raw) is None or bool(_RATE.search(names.clean(raw)))
        (hard if known else soft).append((raw, metrics[raw] if raw in metrics else names.metric(raw)))
    roles = {names.role(c): c for c in reversed(columns) if c != axis}
    return Plan(tuple(hard), tuple(soft), clocks[0] if clocks else None, roles.get("tokens"), roles.get("total"))


class Series(Struct):
    """Points of one run, segment and set of metrics, as columns that grow."""

    columns: tuple[str, ...]
    step: array[int] = field(default_factory=lambda: array("q"))
    line: array[int] = field(default_factory=lambda: array("q"))
    values: list[array[float]] = field(default_factory=list)
    decimals: list[list[int | None]] = field(default_factory=list)
    elapsed: list[float | None] = field(default_factory=list)
    tokens: list[int | None] = field(default_factory=list)
    pointer: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.values = [array("d") for _ in self.columns]
        self.decimals = [[] for _ in self.columns]


class Run(Struct):
    """One trial while it is read."""

    index: int
    first: float
    segment: int = 0
    last: dict[tuple[str, ...], float] = field(default_factory=dict)  # set of metrics -> where it got to
    series: dict[tuple[int, tuple[str, ...]], Series] = field(default_factory=dict)
    said: dict[str, tuple[Any, int]] = field(default_factory=dict)  # raw -> (value or _VARIES, line)
    soft: dict[str, str] = field(default_factory=dict)  # raw -> canonical
    total: tuple[int, int] | None = None
    clock: float | None = None  # the latest reading
    evaluated: bool = False  # beyond step 0


class CurveReader:
    """Adds points to a reading, one record at a time."""

    def __init__(self, reading: Reading, shape: Shape, split: str | None = None, typed: bool = False, settings: bool = True) -> None:
        self.reading = reading
        self.shape = shape
        self._split = split
        self._typed = typed
        self._settings = settings  # whether a number of an unknown name that never changes is configuration
        self._key: tuple[str, ...] = ()
        self._runs: dict[tuple[str, ...], Run] = {}
        self._all: list[Run] = []
        self._odd: dict[str, list[tuple[int, str]]] = {}
        self._left_out = (*shape.identity, *((split,) if split else ()))
        self._counts_steps = shape.axis is not None and names.role(shape.axis) not in ("tokens",)
        self._fractions = False

    def add(self, record: Mapping[str, Any], line: int, pointer: str | None = None) -> bool:
        """One record; False when it holds no point."""
        axis = self.shape.axis
        order = number(record.get(axis)) if axis else None
        if axis is None or order is None or not math.isfinite(order):
            return False
        split = split_of(record.get(self._split)) if self._split else None
        plan = plan_of(tuple(record), split, axis, self._left_out)
        values = self._values(record, plan, line)
        if not values:
            return False
        seconds = clock_seconds(plan.clock, record[plan.clock]) if plan.clock else None
        run = self._run(record, order, tuple(values), line, seconds)
        self._notice(run, record, plan, line)
        series = self._series(run, values, order, line)
        series.elapsed.append(seconds)
        series.tokens.append(whole(record.get(plan.tokens) if plan.tokens else None if self._counts_steps else order))
        if pointer is not None:
            series.pointer.append(pointer)
        return True

    def begin(self) -> None:
        """The next record begins another run."""
        self._runs.clear()

    def _values(self, record: Mapping[str, Any], plan: Plan, line: int) -> dict[str, tuple[float, int | None]]:
        """Canonical name -> (value, decimals) of what the record measures; empty without a result proper."""
        values: dict[str, tuple[float, int | None]] = {}
        for raw, name in plan.metrics:
            value = number(record[raw])
            if value is not None:
                values[name] = value, printed(record[raw])
            elif not is_missing(record[raw]):
                self._odd.setdefault(raw, []).append((line, str(record[raw])[:60]))
        for raw, name in plan.soft:
            value = number(record[raw])
            if value is not None:
                values.setdefault(name, (value, printed(record[raw])))
        return values

    def _run(self, record: Mapping[str, Any], order: float, columns: tuple[str, ...], line: int, seconds: float | None) -> Run:
        """The run a record belongs to; a fall of its counter begins a segment, or a run when it returns to the start."""
        key = self._key_of(record)
        run = self._runs.get(key)
        clock_fell = bool(run and seconds is not None and run.clock is not None and seconds < run.clock - max(1.0, 0.01 * run.clock))
        if run and order < run.last.get(columns, order):
            if order <= run.first and not self.shape.shared:
                run = None
            else:
                self._restart(run, int(order) if self._counts_steps else None, line, clock_fell)
        elif run and clock_fell and run.evaluated:
            self._restart(run, None, line, True)
        elif run and clock_fell:  # before the first evaluation: reset after warm-up
            self.reading.segments.append(Segment(run.index, run.segment, None, line, "start", reset_line=line))
        run = run or self._open(key, order, line)
        run.last[columns] = order
        run.clock = run.clock if seconds is None else seconds
        run.evaluated |= order > 0 and any(c.startswith("val/") for c in columns)
        return run

    def _key_of(self, record: Mapping[str, Any]) -> tuple[str, ...]:
        """What names the record's run; where that lasts, a record without it is of the run before, and the first name counts back."""
        key = tuple(str(record.get(c, "")) for c in self.shape.identity)
        if self.shape.lasting and self._all:
            before = self._key
            key = tuple(now or old for now, old in zip(key, before, strict=True))
            if key not in self._runs and "" in before and all(old in ("", now) for now, old in zip(key, before, strict=True)):
                run = self._runs[key] = self._runs.pop(before)
                trial = self.reading.trials[run.index]
                trial.name, trial.shared = self._called(key)
        self._key = key
        return key

    def _called(self, key: tuple[str, ...]) -> tuple[str | None, bool]:
        """A run's name, and whether other files may use it too."""
        name = key[0] if self.shape.shared and key and key[0] else None
        return name, name is not None and not (name.isdigit() and len(name) < 6)

    def _open(self, key: tuple[str, ...], order: float, line: int) -> Run:
        """A new run."""
        run = self._runs[key] = Run(len(self.reading.trials), order)
        self._all.append(run)
        name, shared = self._called(key)
        self.reading.trials.append(Trial(run.index, "curve", name, line, shared))
        return run

    def _restart(self, run: Run, step: int | None, line: int, clock_fell: bool) -> None:
        """A new segment of a run."""
        run.segment += 1
        run.last.clear()
        run.evaluated = False
        self.reading.segments.append(Segment(run.index, run.segment, step, line, "restarts" if clock_fell else "continues"))

    def _notice(self, run: Run, record: Mapping[str, Any], plan: Plan, line: int) -> None:
        """Remember what may turn out to be configuration: text, flags, and numbers that do not change."""
        for raw, name in plan.soft:
            value, (seen, _) = record[raw], run.said.get(raw, (None, 0))
            if value is None or seen is _VARIES:
                continue
            if seen is None:
                run.said[raw] = value, line
                run.soft[raw] = name
            elif seen != value:
                run.said[raw] = _VARIES, line
        total = whole(record.get(plan.total)) if plan.total else None
        if total and (run.total is None or run.total[0] != total):
            run.total = total, line
        for raw in self.shape.identity if not self.shape.shared else ():
            run.said.setdefault(raw, (record.get(raw), line))

    def _series(self, run: Run, values: dict[str, tuple[float, int | None]], order: float, line: int) -> Series:
        """The series of these metrics, with the values appended."""
        columns = tuple(values)
        series = run.series.get((run.segment, columns))
        if series is None:
            series = run.series[run.segment, columns] = Series(columns)
        step = int(order) if order.is_integer() and abs(order) < 1 << 62 else 0
        self._fractions |= step != order
        series.step.append(step)
        series.line.append(line)
        for i, (value, places) in enumerate(values.values()):
            series.values[i].append(value)
            series.decimals[i].append(places)
        return series

    def finish(self) -> None:
        """Hand over blocks, facts and findings."""
        for run in self._all:
            constant = {raw for raw, (value, _) in run.said.items() if value is not _VARIES and self._may_be_set(raw, value)}
            fixed = {run.soft[raw] for raw in constant if raw in run.soft}
            for (segment, _), series in run.series.items():
                self._emit(run, segment, series, fixed)
            self._facts(run, constant)
        self._names()
        self._findings()

    def _may_be_set(self, raw: str, value: Any) -> bool:
        """Whether what never changes in a column is configuration: of a known name, or of one that does not say it was measured."""
        return bool(names.known_config(raw)) or self._settings and not (number(value) is not None and names.measured(raw))

    def _emit(self, run: Run, segment: int, series: Series, fixed: set[str]) -> None:
        """One block, without the columns that became facts."""
        columns = {
            name: Column(values, places[0] if len(set(places)) == 1 else places)
            for name, values, places in zip(series.columns, series.values, series.decimals, strict=True)
            if name not in fixed
        }
        if not columns:
            return
        steps: Sequence[int | None] = series.step if self._counts_steps and not self._fractions else [None] * len(series.step)
        elapsed = series.elapsed if any(e is not None for e in series.elapsed) else None
        tokens = series.tokens if any(t is not None for t in series.tokens) else None
        self.reading.blocks.append(Block(run.index, segment, steps, columns, series.line, series.pointer or None, elapsed, tokens))

    def _facts(self, run: Run, constant: set[str]) -> None:
        """What did not change over the run."""
        if run.total:
            self.reading.fact("total_steps", run.total[0], run.index, run.total[1])
        taken: set[str] = set()
        for raw, (value, line) in run.said.items():
            if raw not in constant or value is None:
                continue
            key = names.known_config(raw) or "config." + names.clean(raw)
            key = "config." + names.clean(raw) if key in taken else key
            taken.add(key)
            text = self._typed or key == "git_commit" or not isinstance(value, str)
            self.reading.fact(key, plain(value) if text else scalar(value), run.index, line)

    def _names(self) -> None:
        """Names for runs that a file tells apart by their configuration; runs it does not tell apart have none."""
        if self.shape.shared or len(self._all) < 2:
            return
        rows = [[str(run.said.get(c, ("", 0))[0]) for c in self.shape.identity] for run in self._all]
        varying = [i for i in range(len(self.shape.identity)) if len({r[i] for r in rows}) > 1]
        used: dict[str, int] = {}
        for run, row in zip(self._all, rows, strict=True):
            plain_word = len(varying) == 1 and number(row[varying[0]]) is None
            name = " ".join(row[i] if plain_word else f"{names.clean(self.shape.identity[i])}={row[i]}" for i in varying)
            count = used[name] = used.get(name, 0) + 1
            if name:
                self.reading.trials[run.index].name = f"{name}-{count}" if count > 1 else name

    def _findings(self) -> None:
        """What could not be known."""
        axis = self.shape.axis or ""
        if self._all and names.clean(axis) == "epoch":
            text = "epochs have fractions, so points have no step." if self._fractions else "epochs count as steps."
            text = "No step is given; " + text
            self.reading.note("info", "epochs_as_steps", text)
        for raw, found in self._odd.items():
            line, text = found[0]
            rows = "one row" if len(found) == 1 else f"{len(found)} rows"
            self.reading.note("warning", "unreadable_value", f"{raw} is no number in {rows}, first {text!r} in line {line}.", None, line)
        if not self._all:
            self.reading.status = "no metrics"
