"""Parts that several variants share, and what the engine may ask of any of them.

Shapes: B sequences, T tokens of each, C hidden units, H heads, D = C / H, V words of the vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ngt_train.errors import ConfigError, nearest

INITIALISATIONS = ("scaled", "unit")
ROLES = ("matrix", "embedding", "head", "vector")


class Output(NamedTuple):
    """What `forward` gives: the hidden states (B, T, C) after the final norm, and what else the variant has to show."""

    hidden: Tensor
    extra: dict[str, Tensor]


class LanguageModel(nn.Module):
    """A decoder; variants add `config`, `forward(tokens, mask)` -> Output, and `head`, a module from hidden states to logits."""

    head: nn.Module
    project_every = 0  # project() after every that many optimiser steps; 0 = never

    @property
    def embedding(self) -> Tensor:
        """The input table (V, C)."""
        raise NotImplementedError

    def roles(self) -> dict[str, str]:
        """Parameter name -> matrix, embedding, head or vector: what optimisers and weight decay go by."""
        tables = {id(module.weight) for module in self.modules() if isinstance(module, nn.Embedding)}
        return {name: _role(name, weight, tables) for name, weight in self.named_parameters()}

    def penalty(self, output: Output, step: int) -> Tensor | None:
        """What this step adds to the loss, as a mean over the sequences of the batch; None if nothing.

        With accumulation or several ranks, weight it by the share of the sequences, so that the sum is one penalty.
        """
        return None

    def project(self) -> None:
        """Put the weights back on their manifold; most variants have none."""

    def compiled(self, **options: Any) -> Any:
        """This model behind torch.compile; options go to it."""
        return torch.compile(self, **options)

    def parameter_count(self) -> int:
        """Distinct parameters: a tied table counts once."""
        return sum(weight.numel() for weight in self.parameters())


def _role(name: str, weight: Tensor, tables: set[int]) -> str:
    if id(weight) in tables:
        return "embedding"
    if name.startswith("head."):
        return "head" if weight.ndim > 1 else "vector"
    return "matrix" if weight.ndim > 1 else "vector"


class MLP(nn.Module):
    """Two linear layers with a GELU between; dropout after both."""

    def __init__(self, hidden: int, width: int, dropout: float) -> None:
        super().__init__()
        self.up = nn.Linear(hidden, width)
        self.down = nn.Linear(width, hidden)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        inner = F.dropout(F.gelu(self.up(x)), self.dropout, self.training)
        return F.dropout(self.down(inner), self.dropout, self.training)


def causal_attention(q: Tensor, k: Tensor, v: Tensor, *, mask: Tensor | None = None, dropout: float = 0.0) -> Tensor:
    """Softmax attention over the past, (B, H, T, D) each.

    mask (B, T) is true for tokens and false for padding; a query that may see nothing gives 0. Without a mask no
    T x T tensor is made on devices with a fused kernel.
    """
    if mask is None:
        return F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
    length = q.size(-2)
    allowed = torch.ones(length, length, dtype=torch.bool, device=q.device).tril() & mask[:, None, None, :]
    blind = ~allowed.any(-1, keepdim=True)
    # A blind row looks at itself and is wiped afterwards: neither its value nor its gradient is ever NaN.
    allowed = allowed | blind & torch.eye(length, dtype=torch.bool, device=q.device)
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed, dropout_p=dropout)
    return out.masked_fill(blind, 0.0)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, T, H * D) -> (B, H, T, D)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, H, T, D) -> (B, T, H * D)."""
    return x.transpose(1, 2).flatten(2)


def positions(tokens: Tensor, block: int) -> Tensor:
    """0 .. T-1 on the device of `tokens` (B, T); ConfigError when T is more than the model's context."""
    if tokens.size(1) > block:
        raise ConfigError(
            f"a sequence of {tokens.size(1)} tokens does not fit into model.block = {block}; shorten it or train with a larger block"
        )
    return torch.arange(tokens.size(1), device=tokens.device)


def scaled_init(parts: Iterable[nn.Module], outputs: Iterable[nn.Linear], layers: int) -> None:
    """GPT-2's initialisation: N(0, 0.02) for weights, 0 for biases, and 1/sqrt(2 layers) of it for residual outputs."""
    for part in parts:
        if isinstance(part, nn.Linear | nn.Embedding):
            nn.init.normal_(part.weight, std=0.02)
        if isinstance(part, nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)
    for output in outputs:
        nn.init.normal_(output.weight, std=0.02 / math.sqrt(2 * layers))


def check_positive(config: Any, *fields: str) -> None:
    """ConfigError unless each field is a whole number above 0."""
    for field in fields:
        value = getattr(config, field)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ConfigError(f"model.{field} = {value!r}, but it must be a whole number above 0")


def check_choice(config: Any, field: str, known: Iterable[str]) -> None:
    """ConfigError unless the field is one of the known words."""
    value = getattr(config, field)
    if value not in tuple(known):
        raise ConfigError(f"model.{field} = {value!r} is not known{nearest(str(value), known)}")


def check_range(config: Any, field: str, low: float, high: float = math.inf) -> None:
    """ConfigError unless low <= the field < high, both finite numbers."""
    value = getattr(config, field)
    if not isinstance(value, int | float) or not low <= value < high:
        limit = f"at least {low:g}" + (f" and below {high:g}" if high < math.inf else "")
        raise ConfigError(f"model.{field} = {value!r}, but it must be {limit}")


def check_heads(config: Any) -> None:
    """ConfigError unless the hidden units divide evenly among the heads."""
    if config.hidden % config.heads:
        raise ConfigError(f"model.hidden = {config.hidden} does not divide by model.heads = {config.heads}; choose a multiple")
