"""The data that a report is held against: runs with their settings, and the value of a quantity with the line it stands on."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from ngt_report.assemble.cites import locator
from ngt_report.assemble.confounds import confound_value
from ngt_report.grouping import OF_THE_RUN
from ngt_report.lookup import Row
from ngt_report.stats import perplexity
from ngt_report.store import Store, sql

if TYPE_CHECKING:
    from collections.abc import Callable

SCALAR = (*OF_THE_RUN, "total_steps")
HIGHER = ("accuracy", "acc", "tokens_per_s", "steps_per_s", "mfu", "samples_per_second", "steps_per_second")


class Value(Struct, frozen=True):
    """A number that the data gives. low and high: what the printed digits of the sources leave open."""

    value: float
    where: str
    formula: str = ""
    low: float = -inf
    high: float = inf

    @property
    def span(self) -> tuple[float, float]:
        """What the value may be."""
        return (self.value if self.low == -inf else self.low, self.value if self.high == inf else self.high)


def ask(store: Store, name: str, **values: Any) -> list[Row]:
    """Rows of one of the queries of sql/verify."""
    return store.rows(sql(f"verify/{name}.sql"), values)


def logged(value: float, decimals: int | None, where: str) -> Value:
    """A value as a source printed it."""
    half = 0.0 if decimals is None else 0.5 * 10.0**-decimals
    return Value(value, where, low=value - half, high=value + half)


class Run(Struct):
    """One run, its settings and the files it is in."""

    id: str
    name: str
    settings: dict[str, Any]
    names: set[str]
    files: set[str]
    finished: bool
    budget: str | None
    continuation: bool
    total: int | None
    row: dict[str, Any] = field(default_factory=dict)


class Evidence:
    """Answers what a quantity of a run is; each question to the database is asked once."""

    def __init__(self, store: Store, written: Callable[[], str] | None = None) -> None:
        self.store = store
        self.written = written  # what build would write of the data
        self.curves: dict[tuple[str, str], list[Row]] = {}
        self.evaluated: set[str] = set()  # metrics whose evaluations are loaded
        self.ends: dict[str, dict[str, Row]] = {}
        self.steps: dict[tuple[str, int], dict[str, Row]] = {}
        self.like: dict[str, str] = {}
        self.cites: dict[str, dict[str, str]] = {}
        compared = {r["run"]: r["budget"] for r in store.rows("SELECT run, budget FROM compared")}
        names: dict[str, set[str]] = defaultdict(set)
        files: dict[str, set[str]] = defaultdict(set)
        for r in ask(store, "names"):
            names[r["run"]].add(r["name"])
            files[r["run"]].add(r["file"])
        self.runs: dict[str, Run] = {}
        for r in store.rows("SELECT * FROM runs ORDER BY run"):
            settings = {**json.loads(r["config"] or "{}"), **{k: r[k] for k in SCALAR if r[k] is not None}}
            r["config"] = settings
            tokens = confound_value(r, "batch_tokens")
            settings |= {} if tokens is None else {"batch_tokens": tokens}
            self.runs[r["run"]] = Run(
                r["run"], r["name"], settings, names[r["run"]], files[r["run"]] - {""}, r["status"] in ("finished", "no declared total"),
                compared.get(r["run"]), bool(r["is_continuation"]), r["total_steps"], r,
            )  # fmt: skip

    def _by_run(self, relation: str) -> dict[str, dict[str, Any]]:
        return {r["run"]: r for r in self.store.rows(f"SELECT * FROM {relation}")}

    @cached_property
    def best_last(self) -> dict[str, dict[str, Any]]:
        """Best and last validation losses."""
        return self._by_run("best_last")

    @cached_property
    def _throughput(self) -> dict[str, dict[str, Any]]:
        return self._by_run("throughput")

    @cached_property
    def _time(self) -> dict[str, dict[str, Any]]:
        return self._by_run("train_time")

    @cached_property
    def _recorded_speed(self) -> dict[str, dict[str, Any]]:
        return self._by_run("recorded_speed")

    @cached_property
    def common(self) -> dict[str, dict[str, Any]]:
        """The common step of each compared set."""
        return {r["budget"]: r for r in self.store.rows("SELECT * FROM common_step")}

    @cached_property
    def baselines(self) -> set[str]:
        """Runs that the build takes for baselines."""
        return {r["run"] for r in self.store.rows("SELECT run FROM baselines")}

    @cached_property
    def named_baselines(self) -> frozenset[str]:
        """Those of them that were named, by an option or a configuration file."""
        return frozenset(r["run"] for r in self.store.rows("SELECT run FROM baselines WHERE why = 'it was named'"))

    @cached_property
    def metrics(self) -> frozenset[str]:
        """Names of all metrics, as the runs have them."""
        names = {r["metric"] for r in ask(self.store, "others")}
        return frozenset(names | {r["metric"] for r in self.store.rows("SELECT DISTINCT metric FROM evals")})

    @cached_property
    def keys(self) -> frozenset[str]:
        """Names of all settings."""
        return frozenset(k for run in self.runs.values() for k in run.settings)

    @cached_property
    def files(self) -> frozenset[str]:
        """Files that hold runs."""
        return frozenset(f for run in self.runs.values() for f in run.files)

    def likeness(self, run: str) -> str:
        """Equal for runs whose recorded settings differ in nothing but the seed."""
        if run not in self.like:
            self.like[run] = self.runs[run].row["seed_group"] or run
        return self.like[run]

    def points(self, run: str, metric: str) -> list[Row]:
        """The live evaluations of a metric, by step; nothing for what is only logged in training."""
        if metric not in self.evaluated:
            self.evaluated.add(metric)
            for row in ask(self.store, "curves", metric=metric):
                self.curves.setdefault((row["run"], metric), []).append(row)
        return self.curves.get((run, metric), [])

    def _ends(self, metric: str) -> dict[str, Row]:
        """Last, lowest and highest value of a metric that is no evaluation, by run."""
        if metric not in self.ends:
            self.ends[metric] = {r["run"]: r for r in ask(self.store, "ends", metric=metric)} if metric in self.metrics else {}
        return self.ends[metric]

    def _at(self, run: str, metric: str, step: int) -> list[Row]:
        """A metric at one step."""
        rows = [r for r in self.points(run, metric) if r["step"] == step]
        if rows or metric not in self.metrics or self.points(run, metric):
            return rows
        if (metric, step) not in self.steps:
            self.steps[metric, step] = {r["run"]: r for r in ask(self.store, "at", metric=metric, step=step)}
        return [self.steps[metric, step][run]] if run in self.steps[metric, step] else []

    # -- one quantity of one run ------------------------------------------------------------------------------------
    def values(self, run: str, quantity: str, stat: str, step: int | None = None) -> list[Value]:
        """What a quantity of a run is, the definition first; nothing when no file has it. stat: best, last or at (a step)."""
        if quantity.startswith("setting:"):
            return self._setting(run, quantity.removeprefix("setting:"))
        own = getattr(self, "_" + quantity, None)
        if quantity in OWN and own is not None:
            return list(own(run, stat, step))
        if quantity == "val/perplexity":
            return self._perplexity(run, stat, step)
        if stat == "at" and step is not None:
            return [self._logged(r) for r in self._at(run, quantity, step)]
        if quantity == "val/loss":
            return self._loss(run, stat)
        return self._end(run, quantity, stat)

    def _logged(self, row: dict[str, Any]) -> Value:
        return logged(row["value"], row["decimals"], locator(row["path"], row["line"], row["pointer"]))

    def _loss(self, run: str, stat: str) -> list[Value]:
        row = self.best_last.get(run)
        if row is None:
            return []
        end = "best" if stat == "best" else "last"
        if row[f"{end}_logged"] is None:
            return []
        where = locator(row[f"{end}_path"], row[f"{end}_line"], row[f"{end}_pointer"])
        found = [logged(row[f"{end}_logged"], row[f"{end}_decimals"], where)]
        if row[f"{end}_loss"] != row[f"{end}_logged"]:
            path = row["refined_path"] if end == "best" else row["last_refined_path"]
            exact = locator(path, row["refined_line"], row["refined_pointer"]) if end == "best" else str(path)
            found.insert(0, Value(row[f"{end}_loss"], exact))
        return found

    def _perplexity(self, run: str, stat: str, step: int | None) -> list[Value]:
        losses = self.values(run, "val/loss", stat, step)
        made = [Value(perplexity(v.value), v.where, f"exp({v.value:.9g})", perplexity(v.span[0]), perplexity(v.span[1])) for v in losses]
        printed = [self._logged(r) for r in self.points(run, "val/perplexity") if step is None or r["step"] == step]
        return ([printed[-1]] if stat == "last" and printed else []) + made or printed[-1:]

    def _end(self, run: str, metric: str, stat: str) -> list[Value]:
        rows = [r for r in self.points(run, metric) if r["value"] is not None and abs(r["value"]) < inf]
        if rows and stat == "best":
            return [self._logged((max if metric.endswith(HIGHER) else min)(rows, key=lambda r: r["value"]))]
        if rows:
            return [self._logged(rows[-1])]
        found = self._ends(metric).get(run)
        if found is None:
            return []
        return [self._logged(found["last" if stat != "best" else "high" if metric.endswith(HIGHER) else "low"])]

    def _setting(self, run: str, key: str) -> list[Value]:
        value = self.runs[run].settings.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return []
        return [Value(float(value), self.cite(run, key))]

    def cite(self, run: str, key: str) -> str:
        """Where a setting is said."""
        if key not in self.cites:
            self.cites[key] = {r["run"]: locator(r["path"], r["line"], r["pointer"]) for r in ask(self.store, "cited", key=key)}
        return self.cites[key].get(run) or "; ".join(sorted(self.runs[run].files)[:1])

    # -- quantities that are computed ---------------------------------------------------------------------------------
    def _best_step(self, run: str, stat: str, step: int | None) -> list[Value]:
        row = self.best_last.get(run)
        return [Value(row["best_step"], f"{row['best_path']}:{row['best_line']}")] if row and row["best_step"] is not None else []

    def _last_step(self, run: str, stat: str, step: int | None) -> list[Value]:
        row = self.best_last.get(run)
        return [Value(row["last_step"], f"{row['last_path']}:{row['last_line']}")] if row and row["last_step"] is not None else []

    def _steps_per_s(self, run: str, stat: str, step: int | None) -> list[Value]:
        row = self._throughput.get(run)
        if row is None:
            return []
        where = f"{row['to_path']}:{row['from_line']} and :{row['to_line']}"
        formula = f"({row['to_step']} - {row['from_step']}) / ({row['to_clock_s']:.9g} s - {row['from_clock_s']:.9g} s)"
        return [Value(row["steps_per_s"], where, formula)]

    def horizon(self, run: str) -> list[Value]:
        """The last and the first step of what the throughput of a run is measured over."""
        row = self._throughput.get(run)
        return [Value(row[f"{end}_step"], f"{row['to_path']}:{row[f'{end}_line']}") for end in ("to", "from")] if row else []

    def _s_per_step(self, run: str, stat: str, step: int | None) -> list[Value]:
        rates = [Value(1 / v.value, v.where, f"1 / ({v.formula})") for v in self._steps_per_s(run, stat, step) if v.value]
        return rates or [Value(v.value / 1000, v.where) for v in self._end(run, "step_ms", "last")]

    def _train_time(self, run: str, stat: str, step: int | None) -> list[Value]:
        if step is not None:
            rows = [r for r in self.points(run, "val/loss") if r["step"] == step and r["clock_s"] is not None]
            return [Value(r["clock_s"], locator(r["path"], r["line"], r["pointer"]), "the clock of that line") for r in rows]
        row = self._time.get(run)
        if row is None or row["train_time_s"] is None:
            return []
        last = self.best_last.get(run, {})
        where = locator(last.get("last_path"), last.get("last_line"), None) if last else "; ".join(sorted(self.runs[run].files)[:1])
        return [Value(row["train_time_s"], where, "the training clock at its last reading")]

    def _tokens_per_s(self, run: str, stat: str, step: int | None) -> list[Value]:
        """As recorded for the whole run, else as last printed, else steps a second times the batch."""
        row, printed = self._recorded_speed.get(run), self._end(run, "tokens_per_s", "last")
        if row and row["tokens_per_s"] is not None:
            return [Value(row["tokens_per_s"], printed[0].where if printed else "; ".join(sorted(self.runs[run].files)[:1]))]
        batch = self.runs[run].settings.get("batch_tokens")
        made = (
            [Value(v.value * batch, v.where, f"{batch} tokens x {v.formula}") for v in self._steps_per_s(run, stat, step)] if batch else []
        )
        return printed or made

    def _tokens(self, run: str, stat: str, step: int | None) -> list[Value]:
        """Tokens seen: as counted, else throughput times time, else steps times batch."""
        row = self._time.get(run)
        if row and row["tokens"]:
            return [Value(row["tokens"], "; ".join(sorted(self.runs[run].files)[:1]), "tokens as counted")]
        rates, times = self._tokens_per_s(run, stat, step), self._train_time(run, stat, None)
        if rates and times:
            rate, time = rates[0], times[0]
            return [Value(rate.value * time.value, rate.where, f"{rate.value:.9g} tok/s x {time.value:.6g} s")]
        return []

    def _n_steps(self, run: str, stat: str, step: int | None) -> list[Value]:
        """Steps trained: as declared or evaluated, else steps a second times seconds."""
        total = self.runs[run].total
        if total is not None:
            return [Value(total, self.cite(run, "total_steps"))]
        rates, times = self._end(run, "train/steps_per_second", "last"), self._train_time(run, stat, None)
        if rates and times:
            r, t = rates[0], times[0]
            return [Value(r.value * t.value, r.where, f"{r.value:.9g} steps/s x {t.value:.9g} s", r.span[0] * t.value, r.span[1] * t.value)]
        return self._last_step(run, stat, step)


OWN = frozenset("best_step last_step steps_per_s s_per_step train_time tokens_per_s tokens n_steps".split())
