"""The nGPT campaign on FineWeb: 12 values of alpha, 7 optimisations, 20 advanced rounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ngt_train.config import DataConfig, EvalConfig, ModelConfig, OptimConfig, RunConfig, ScheduleConfig, TrainConfig

GROUPS = {
    "ngpt_alpha": "alpha of the residuals, 12 values; nGPT 6 layers x 256",
    "ngpt_optimization": "lazy projection and scalar alpha, 7 rounds; nGPT 8 layers x 384",
    "ngpt_advanced": "rate, batch, logit scale, projection, size, and the winners combined, 20 rounds; nGPT 8 layers x 384",
}
ALPHAS = (0.05, 0.08, 0.1, 0.12, 0.15, 0.18, 0.2, 0.22, 0.25, 0.28, 0.3, 0.35)
# name -> steps between projections, one alpha a residual or one a channel
OPTIMIZATIONS = {
    "baseline": (1, "vector"), "lazy_proj_3": (3, "vector"), "lazy_proj_5": (5, "vector"), "lazy_proj_10": (10, "vector"),
    "scalar_alpha": (1, "scalar"), "lazy_proj_5_scalar": (5, "scalar"), "lazy_proj_10_scalar": (10, "scalar"),
}  # fmt: skip
WINNERS: dict[str, Any] = {"batch": 48, "logit_scale": 15.0, "project_every": 7}
ADVANCED: dict[str, dict[str, Any]] = {
    **{f"lr_{value}": {"lr": value} for value in (0.0005, 0.001, 0.0015, 0.002, 0.003)},
    **{f"batch_{value}": {"batch": value} for value in (8, 16, 24, 32, 48)},
    **{f"logit_scale_{value:g}": {"logit_scale": value} for value in (8.0, 12.0, 15.0)},
    **{f"project_every_{value}": {"project_every": value} for value in (7, 15, 20)},
    "layers_10": {"layers": 10},
    "hidden_512": {"hidden": 512},
    "combined": WINNERS,
    "extended_1500": {**WINNERS, "steps": 1500},
}


def runs() -> Iterator[RunConfig]:
    """The three sweeps, 39 runs."""
    for alpha in ALPHAS:
        yield _run("ngpt_alpha", f"alpha_{alpha}", layers=6, hidden=256, alpha=alpha, alpha_shape="vector", project_every=1)
    for name, (every, shape) in OPTIMIZATIONS.items():
        yield _run("ngpt_optimization", name, project_every=every, alpha_shape=shape)
    for number, (name, changes) in enumerate(ADVANCED.items(), 1):
        yield _run("ngpt_advanced", f"round{number:02d}_{name}", **{"project_every": 10, **changes})


def _run(
    group: str, name: str, *, lr: float = 1e-3, batch: int = 16, steps: int = 500, layers: int = 8, hidden: int = 384,
    alpha: float = 0.28, alpha_shape: str = "scalar", logit_scale: float = 10.0, project_every: int = 1,
) -> RunConfig:  # fmt: skip
    settings = {
        "layers": layers, "heads": 8, "hidden": hidden, "alpha": alpha, "alpha_shape": alpha_shape, "logit_scale": logit_scale,
        "project_every": project_every, "projection": "rows", "vocab_size": 50257,
    }  # fmt: skip
    return RunConfig(
        name=name,
        group=group,
        seed=42,
        model=ModelConfig(variant="ngpt", settings=settings),
        data=DataConfig(dataset="fineweb10B", tokenizer="gpt2", block=128),
        # two groups: matrices of the blocks, and the rest at 0.3 of their rate
        optim=OptimConfig(lr=lr, embedding_scale=0.3, head_scale=0.3, vector_scale=0.3),
        schedule=ScheduleConfig(kind="constant"),
        train=TrainConfig(steps=steps, batch=batch, clip=0.0),
        eval=EvalConfig(interval=100, tokens=20 * 16 * 128, batch=16),
    )
