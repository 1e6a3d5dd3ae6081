"""What a sweep consists of: its TOML file becomes experiments, each a whole RunConfig of its own name."""

from __future__ import annotations

import fnmatch
import itertools
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ngt_train import config as configuration
from ngt_train import presets, settings
from ngt_train.config import RunConfig
from ngt_train.errors import ConfigError

MOST = 10_000  # experiments of a sweep


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoRound:
    """What is run after everything else; each needs the results before it.

    combine: one run with the best value of each variable of [one_at_a_time]. extend: the best run again with so many times its steps.
    """

    combine: bool = False
    extend: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFile:
    """The keys of a sweep file; docs/training.md explains them. Settings are written as in a configuration file."""

    group: str = ""  # of the runs; empty: the file's name
    preset: str = ""  # the base that the others vary: a preset,
    config: str = ""  # or a configuration file, beside this one
    scale: str = "full"
    base: dict[str, Any] = field(default_factory=dict)  # settings of all runs
    presets: tuple[str, ...] = ()  # runs: presets by pattern, such as "ngpt_alpha/*"
    grid: dict[str, Any] = field(default_factory=dict)  # runs: every combination of these lists
    one_at_a_time: dict[str, Any] = field(default_factory=dict)  # runs: the base, and each of these values alone
    runs: dict[str, Any] = field(default_factory=dict)  # runs: each table a run of its own settings
    auto: AutoRound = AutoRound()
    jobs: int = 1
    devices: tuple[str, ...] = ()  # CUDA devices that the jobs share; empty: CUDA_VISIBLE_DEVICES, or all


@dataclass(frozen=True, slots=True)
class Experiment:
    """One run of a sweep. `variable` and `value` say what it varies alone, if that is what it is for."""

    run: RunConfig
    variable: str | None = None
    value: Any = None

    @property
    def name(self) -> str:
        return self.run.name


@dataclass(frozen=True, slots=True)
class Plan:
    """A sweep before it runs."""

    group: str
    base: RunConfig
    experiments: tuple[Experiment, ...]
    auto: AutoRound
    jobs: int
    devices: tuple[str, ...]


def read(path: str | Path, scale: str = "", assignments: tuple[str, ...] = ()) -> Plan:
    """The plan in a file; `scale` replaces the file's, `assignments` (key=value) come after its [base].

    Raises:
        ConfigError: an unknown key, value or preset, two runs of one name, or nothing to run.
    """
    where = Path(path)
    file = settings.build(SweepFile, settings.read_toml(where))
    if file.jobs < 1:
        raise ConfigError(f"{where}: jobs must be at least 1, not {file.jobs}")
    group = file.group or where.stem
    scale = scale or file.scale

    def finished(run: RunConfig, name: str, changes: Mapping[str, Any]) -> RunConfig:
        """Of this sweep's group, scaled, with the settings of all runs and then its own."""
        run = presets.scaled(replace(run, group=group, name=name), scale)
        tree = _merged(configuration.to_dict(run), file.base)
        for assignment in assignments:
            settings.put(tree, assignment)
        for key, value in changes.items():
            _put(tree, key, value)
        return configuration.from_dict(tree)

    base = _base(file, where)
    if (asked := _asked(file)) > MOST:
        raise ConfigError(f"{where} asks for {asked:,} runs, more than {MOST:,}; make the lists shorter")
    made = [Experiment(finished(run, run.name, {})) for run in _of_presets(file)]
    made += [Experiment(finished(base, _name(changes), changes)) for changes in _grid(file.grid)]
    if file.one_at_a_time:
        made.append(Experiment(finished(base, "base", {})))
        for key, values in _leaves(file.one_at_a_time).items():
            made += [Experiment(finished(base, _name({key: v}), {key: v}), key, v) for v in _list(key, values)]
    made += [Experiment(finished(base, name, _leaves(changes))) for name, changes in file.runs.items()]
    _check(where, made, file.auto, bool(file.one_at_a_time))
    return Plan(group, finished(base, "base", {}), tuple(made), file.auto, file.jobs, file.devices)


def combined(plan: Plan, winners: Mapping[str, Any]) -> Experiment:
    """The base with the best value of each variable."""
    tree = configuration.to_dict(replace(plan.base, name="combined"))
    for key, value in winners.items():
        _put(tree, key, value)
    return Experiment(configuration.from_dict(tree))


def extended(plan: Plan, best: RunConfig) -> Experiment:
    """The best run with more steps or epochs; its schedule's warm-up stays, its warm-down grows with the run."""
    schedule = replace(best.schedule, warmdown=round(best.schedule.warmdown * plan.auto.extend))
    if best.train.epochs is not None:
        epochs = best.train.epochs * plan.auto.extend
        return Experiment(replace(best, name=f"extended_{epochs:g}_epochs", schedule=schedule, train=replace(best.train, epochs=epochs)))
    steps = max(1, round(best.train.steps * plan.auto.extend))
    return Experiment(replace(best, name=f"extended_{steps}", schedule=schedule, train=replace(best.train, steps=steps)))


# -- parts of the file --------------------------------------------------------------------------------------------------
def _base(file: SweepFile, where: Path) -> RunConfig:
    if file.preset and file.config:
        raise ConfigError(f"{where}: preset and config are both given; keep one")
    if file.config:
        return configuration.load(where.parent / file.config)
    return presets.load(file.preset) if file.preset else RunConfig()


def _asked(file: SweepFile) -> int:
    """How many runs a file asks for: a grid of many variables is never made only to be counted."""
    grid, alone = _leaves(file.grid), _leaves(file.one_at_a_time)
    of_grid = math.prod(len(_list(key, values)) for key, values in grid.items()) if grid else 0
    of_alone = 1 + sum(len(_list(key, values)) for key, values in alone.items()) if alone else 0
    return sum(1 for _ in _preset_names(file)) + of_grid + of_alone + len(file.runs)


def _preset_names(file: SweepFile) -> Iterator[str]:
    for pattern in file.presets:
        yield from fnmatch.filter(presets.all_runs(), pattern) or [presets.load(pattern).name]


def _of_presets(file: SweepFile) -> Iterator[RunConfig]:
    for name in _preset_names(file):
        yield presets.load(name)


def _grid(tables: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every combination, the last variable running fastest."""
    leaves = {key: _list(key, values) for key, values in _leaves(tables).items()}
    if not leaves:
        return
    for values in itertools.product(*leaves.values()):
        yield dict(zip(leaves, values, strict=True))


def _leaves(tables: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """Nested tables as `section.key` -> value."""
    out: dict[str, Any] = {}
    for key, value in tables.items():
        here = f"{place}.{key}" if place else key
        out |= _leaves(value, here) if isinstance(value, Mapping) else {here: value}
    return out


def _list(key: str, values: Any) -> list[Any]:
    if not isinstance(values, list) or not values:
        raise ConfigError(f"{key} = {values!r} is no list of values to try; write {key} = [{json.dumps(values)}]")
    return values


def _name(changes: Mapping[str, Any]) -> str:
    """`lr=0.001_batch=8`: the last word of each key, with letters that a file's name may have."""
    text = "_".join(f"{key.rpartition('.')[2]}={json.dumps(value).strip(chr(34))}" for key, value in changes.items())
    return "".join(c if c.isalnum() and c.isascii() or c in "._+=-" else "-" for c in text)[:200]


def _merged(tree: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in changes.items():
        inner = tree.get(key)
        tree[key] = _merged(dict(inner), value) if isinstance(value, Mapping) and isinstance(inner, Mapping) else value
    return tree


def _put(tree: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    for part in path:
        tree = tree.setdefault(part, {})
    tree[last] = value


def _check(where: Path, made: list[Experiment], auto: AutoRound, varied: bool) -> None:
    if not made:
        raise ConfigError(f"{where} has nothing to run; give presets, [grid], [one_at_a_time] or [runs]")
    seen: set[str] = set()
    for experiment in made:
        if experiment.name in seen:
            raise ConfigError(f"{where} has two runs called {experiment.name!r}; give one of them a table of its own in [runs]")
        seen.add(experiment.name)
    if auto.combine and not varied:
        raise ConfigError(f"{where}: auto.combine combines the winners of [one_at_a_time], which is not given")
    if auto.extend and auto.extend <= 1:
        raise ConfigError(f"{where}: auto.extend is how many times the steps are run, above 1, not {auto.extend}")
