"""Published experiments as configurations: a file here is the registration, its `runs()` gives every run that it reproduces.

A run is named GROUP/NAME. `scaled(config, "tiny")` shrinks any of them to what a laptop's CPU does in seconds.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from ngt_train.config import DataConfig, ModelConfig, RunConfig
from ngt_train.errors import ConfigError, nearest

SCALES = ("full", "tiny")
TINY_BLOCK = 64
TINY_DATA = DataConfig(dataset="stdlib", tokenizer="byte", folder="data/tiny", options={"val": 0.05, "test": 0.05}, block=TINY_BLOCK)
TINY_SIZES = {"layers": 4, "hidden": 8, "mlp": 8, "coordinates": 4, "head_coordinates": 2}  # setting -> divisor
TINY_MODEL = {"layers": 2, "heads": 4, "hidden": 64}  # where a configuration gives no sizes
TINY_VAL_TOKENS = 8_192
TINY_SEQUENCES = 16  # an optimizer step, at most, but for larger batches
TINY_EVALUATIONS = 10


@cache
def all_runs() -> dict[str, RunConfig]:
    """Every preset by GROUP/NAME, in the order of the files."""
    return {f"{run.group}/{run.name}": run for module in _modules() for run in module.runs()}


def groups() -> dict[str, str]:
    """Groups with what they are, in the order of the files."""
    return {name: text for module in _modules() for name, text in module.GROUPS.items()}


def load(name: str) -> RunConfig:
    """The preset called GROUP/NAME. ConfigError names the nearest where there is none."""
    runs = all_runs()
    if name not in runs:
        alone = [known for known in runs if known.rpartition("/")[2] == name]
        hint = f"; did you mean {alone[0]!r}?" if alone else nearest(name, runs)
        raise ConfigError(f"there is no preset {name!r}{hint} (`ngttrain presets` lists them)")
    return runs[name]


def command(name: str, scale: str = "full") -> str:
    """The command that trains a preset."""
    return f"ngttrain run --preset {name}" + ("" if scale == "full" else f" --scale {scale}")


def scaled(config: RunConfig, scale: str) -> RunConfig:
    """The run at a scale: `full` is the run itself, `tiny` the same experiment in seconds on a CPU, without a download.

    At tiny scale it learns bytes of the Python standard library in sequences of 64; depth is a quarter, width an eighth, batch a
    quarter; the square root of its steps remain, warm-up and warm-down in proportion, with ten evaluations; fp32, nothing compiled. A
    model of the Hugging Face hub becomes `vanilla`.
    """
    if scale not in SCALES:
        raise ConfigError(f"there is no scale {scale!r}{nearest(scale, SCALES)}")
    return config if scale == "full" else _tiny(config)


def _tiny(config: RunConfig) -> RunConfig:
    before = config.train.steps
    steps = max(20, math.isqrt(before)) if config.train.epochs is None else round(20 * config.train.epochs)
    share = steps / before if config.train.epochs is None else 0.0

    def fewer(count: int) -> int:
        return max(1, round(count * share)) if count else 0

    schedule = replace(config.schedule, warmup=fewer(config.schedule.warmup), warmdown=min(steps, fewer(config.schedule.warmdown)))
    interval = max(fewer(config.eval.interval), math.ceil(steps / TINY_EVALUATIONS)) if config.eval.interval else 0
    evaluation = replace(config.eval, interval=interval, tokens=min(config.eval.tokens, TINY_VAL_TOKENS), batch=16, semantic=0)
    batch = _quarter(config.train.batch)
    train = replace(
        config.train, steps=steps, epochs=None, batch=batch,
        accumulation=min(config.train.accumulation, max(1, TINY_SEQUENCES // batch)),
        precision="float32", compile=False,
    )  # fmt: skip
    return replace(
        config, model=_tiny_model(config.model), data=TINY_DATA, schedule=schedule, train=train, eval=evaluation,
        log=replace(config.log, interval=max(1, steps // 20)), checkpoint=replace(config.checkpoint, interval=0, keep=0),
    )  # fmt: skip


def _quarter(batch: int) -> int:
    return batch // 4 if batch >= 8 else batch


def _tiny_model(model: ModelConfig) -> ModelConfig:
    if model.variant.partition(":")[0] == "hf":
        return ModelConfig(variant="vanilla", settings=dict(TINY_MODEL, mlp=256, dropout=0.0))
    settings: dict[str, Any] = {key: value for key, value in model.settings.items() if key not in ("vocab_size", "block", "init")}
    for key, divisor in TINY_SIZES.items():
        if isinstance(settings.get(key), int):
            settings[key] = math.ceil(settings[key] / divisor)
    return replace(model, settings={**TINY_MODEL, **settings} if "hidden" not in settings else settings)


def _modules() -> Iterator[Any]:
    for module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        yield importlib.import_module(f"{__name__}.{module}")
