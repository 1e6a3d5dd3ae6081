"""What `make demo` trains: vanilla and NGT of one size on the Python standard library, about a minute on two cores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ngt_train.config import EvalConfig, LogConfig, ModelConfig, OptimConfig, RunConfig, ScheduleConfig, TrainConfig
from ngt_train.presets import TINY_DATA

GROUPS = {"demo": "vanilla and NGT of one size on bytes of the Python standard library, about a minute in all"}

SIZES = {"layers": 2, "heads": 4, "hidden": 64, "mlp": 256, "dropout": 0.0}
MODELS: dict[str, dict[str, Any]] = {
    "vanilla": SIZES,
    "ngt_mass_in_value": {**SIZES, "coordinates": 16, "head_coordinates": 8, "mass_in_value": True, "rsqrt": True},
}


def runs() -> Iterator[RunConfig]:
    """The two runs; equal but for the model."""
    for name, settings in MODELS.items():
        yield RunConfig(
            name=name,
            group="demo",
            model=ModelConfig(variant=name.partition("_")[0], settings=settings),
            data=TINY_DATA,
            optim=OptimConfig(lr=3e-3),
            schedule=ScheduleConfig(kind="cosine", warmup=20),
            train=TrainConfig(steps=400, batch=8),
            eval=EvalConfig(interval=40, tokens=8192, coords="coordinates" in settings),
            log=LogConfig(interval=20),
        )
