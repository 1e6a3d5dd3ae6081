"""Tiny models of every variant, and what tests do with them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ngt_train import losses, variants

WORDS = 61
TINY = {"vocab_size": WORDS, "block": 24, "layers": 2, "heads": 2, "hidden": 32}
SETTINGS: dict[str, dict[str, Any]] = {
    "vanilla": {"mlp": 48, "dropout": 0.0},
    "gated": {"gate": "elementwise"},
    "ngpt": {"gated_residuals": True, "alpha_shape": "vector", "project_every": 3},
    "ngt": {"mlp": 48, "dropout": 0.0, "coordinates": 12, "head_coordinates": 4},
}


def make(variant: str, seed: int = 0, **settings: Any) -> Any:
    """A tiny model in training mode; `settings` replace the tiny ones."""
    torch.manual_seed(seed)
    module = variants.load(variant)
    return module.Model(module.Config(**{**TINY, **SETTINGS[variant], **settings}))


def tokens(batch: int = 3, length: int = 20, seed: int = 1) -> Tensor:
    return torch.randint(0, WORDS, (batch, length), generator=torch.Generator().manual_seed(seed))


def disturb(model: nn.Module, scale: float = 0.3) -> None:
    """Noise on every weight, so that no gain, gate or bias sits where its effect is invisible."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator) * scale * weight.std(correction=0).clamp_min(0.3))


def loss_of(model: Any, text: Tensor) -> Tensor:
    """Mean cross-entropy of the next token."""
    out = losses.cross_entropy(model, model(text[:, :-1]).hidden, text[:, 1:])
    return out.loss_sum / out.tokens
