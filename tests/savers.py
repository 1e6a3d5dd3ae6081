"""A process that does nothing but save checkpoints, to be killed."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import torch

from ngt_train import checkpoint


def state(step: int) -> dict[str, Any]:
    """The least that a checkpoint has, with 400 kB of weights."""
    weights = {"w": torch.full((100_000,), float(step))}
    return {"format": checkpoint.FORMAT, "config": {"seed": 1}, "model_config": {}, "step": step, "tokens": 10 * step, "model": weights}


def save_forever(path: str, step: int) -> None:
    """Save the steps after `step` until killed."""
    for number in itertools.count(step + 1):
        checkpoint.save(Path(path), state(number), {"step": number})
