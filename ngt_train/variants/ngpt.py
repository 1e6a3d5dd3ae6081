"""nGPT: hidden states and weights live on the unit sphere; x = norm(x + alpha f(x)), logits are scaled cosines.

Sources: Loshchilov et al. 2024, arXiv:2410.01131 (the normalised transformer); github.com/dnhkng/nGPT-muon (this form of it: learned
positions, one alpha for each residual, lazy projection, gated residuals).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ngt_train import blocks
from ngt_train.blocks import Output

ALPHA_SHAPES = ("scalar", "vector")
ALPHA_SCHEDULES = ("constant", "linear", "upsidedown_u", "downsideup_u")
PROJECTIONS = ("role", "rows")
NORM_EPSILON = 1e-8  # added to squared norms of states


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Architecture; the defaults are the published best configuration, but for the projection.

    alpha: start of the residual weights, learned; alpha_attention and alpha_mlp replace it on their side (asymmetric).
    alpha_shape: one number a residual, or one a hidden unit. alpha_schedule: how the start varies over the layers.
    gated_residuals: each residual is also multiplied by a learned sigmoid per hidden unit, whose logit starts at gate_init.
    logit_scale: factor of the cosines, learned or fixed.
    project_every: optimiser steps between projections. projection: "role" makes each vector that lives in the space of hidden states a
    unit vector (rows of matrices that read states, columns of those that write them); "rows" normalises rows of all, as published.
    mlp: width, 4 x hidden where None.
    """

    vocab_size: int
    block: int = 128
    layers: int = 8
    heads: int = 8
    hidden: int = 384
    mlp: int | None = None
    alpha: float = 0.28
    alpha_attention: float | None = None
    alpha_mlp: float | None = None
    alpha_shape: str = "scalar"
    alpha_schedule: str = "constant"
    gated_residuals: bool = False
    gate_init: float = 0.0
    logit_scale: float = 15.0
    learn_logit_scale: bool = True
    project_every: int = 7
    projection: str = "role"

    def __post_init__(self) -> None:
        blocks.check_positive(self, "vocab_size", "block", "layers", "heads", "hidden", "project_every")
        blocks.check_positive(self, *(["mlp"] if self.mlp is not None else []))
        blocks.check_heads(self)
        for field in ("alpha", "alpha_attention", "alpha_mlp"):
            if getattr(self, field) is not None:
                blocks.check_range(self, field, 0, 100)
        blocks.check_range(self, "gate_init", -100, 100)
        blocks.check_range(self, "logit_scale", 1e-6, 1e6)
        blocks.check_choice(self, "alpha_shape", ALPHA_SHAPES)
        blocks.check_choice(self, "alpha_schedule", ALPHA_SCHEDULES)
        blocks.check_choice(self, "projection", PROJECTIONS)


def alpha_factor(schedule: str, layer: int, layers: int) -> float:
    """What a layer's alpha is multiplied by: 0.7 to 1.3 (linear), up to 1.5 (upsidedown_u) or down to 0.7 (downsideup_u) in the middle."""
    t = layer / (layers - 1) if layers > 1 else 0.0
    bump = math.sin(math.pi * t)
    return {"constant": 1.0, "linear": 0.7 + 0.6 * t, "upsidedown_u": 1 + 0.5 * bump, "downsideup_u": 1 - 0.3 * bump}[schedule]


def unit(x: Tensor) -> Tensor:
    """Unit vectors along the last axis, normalised in fp32 at least."""
    full = x.to(torch.promote_types(x.dtype, torch.float32))
    return (full * (full.square().sum(-1, keepdim=True) + NORM_EPSILON).rsqrt()).to(x.dtype)


class Attention(nn.Module):
    """Multi-head softmax attention without biases, Q, K and V in one product."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.hidden, 3 * config.hidden, bias=False)
        self.out = nn.Linear(config.hidden, config.hidden, bias=False)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        q, k, v = (blocks.split_heads(part, self.heads) for part in self.qkv(x).chunk(3, dim=-1))
        return self.out(blocks.merge_heads(blocks.causal_attention(q, k, v, mask=mask)))


class MLP(nn.Module):
    """GELU between two linear layers without biases."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.mlp or 4 * config.hidden
        self.up = nn.Linear(config.hidden, width, bias=False)
        self.down = nn.Linear(width, config.hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.gelu(self.up(x)))


class Residual(nn.Module):
    """unit(x + gate alpha y), with a learned alpha and, if asked for, a learned sigmoid gate."""

    def __init__(self, config: Config, alpha: float) -> None:
        super().__init__()
        shape = (config.hidden,) if config.alpha_shape == "vector" else ()
        self.alpha = nn.Parameter(torch.full(shape, float(alpha)))
        self.gate = nn.Parameter(torch.full((config.hidden,), float(config.gate_init))) if config.gated_residuals else None

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        weight = self.alpha if self.gate is None else torch.sigmoid(self.gate) * self.alpha
        return unit(x + weight * y)


class Layer(nn.Module):
    """Attention, then MLP, each with its residual on the sphere."""

    def __init__(self, config: Config, index: int) -> None:
        super().__init__()
        factor = alpha_factor(config.alpha_schedule, index, config.layers)
        start = [config.alpha if alpha is None else alpha for alpha in (config.alpha_attention, config.alpha_mlp)]
        self.attention = Attention(config)
        self.mlp = MLP(config)
        self.residual_attention = Residual(config, start[0] * factor)
        self.residual_mlp = Residual(config, start[1] * factor)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = self.residual_attention(x, self.attention(x, mask))
        return self.residual_mlp(x, self.mlp(x))


class CosineHead(nn.Module):
    """Logits = scale x cosine of the state and each word's vector."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(config.vocab_size, config.hidden))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        self.scale = nn.Parameter(torch.tensor(float(config.logit_scale)), requires_grad=config.learn_logit_scale)

    def forward(self, hidden: Tensor) -> Tensor:
        return F.linear(unit(hidden), unit(self.weight)) * self.scale


class Model(blocks.LanguageModel):
    """The decoder; its matrices are on the sphere from the start and after every project()."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.project_every = config.project_every
        self.token_embedding = nn.Embedding(config.vocab_size, config.hidden)
        self.position_embedding = nn.Embedding(config.block, config.hidden)
        self.layers = nn.ModuleList(Layer(config, index) for index in range(config.layers))
        self.head = CosineHead(config)
        self.project()

    @property
    def embedding(self) -> Tensor:
        return self.token_embedding.weight

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Output:
        """tokens (B, T) -> hidden (B, T, C), unit vectors; mask (B, T) is false for padding."""
        place = self.position_embedding(blocks.positions(tokens, self.config.block))
        x = unit(unit(self.token_embedding(tokens)) + unit(place))
        for layer in self.layers:
            x = layer(x, mask)
        return Output(x, {})

    @torch.no_grad()
    def project(self) -> None:
        """Unit norm for every row, or for every column of the matrices that write hidden states."""
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                writes = self.config.projection == "role" and name.endswith((".out.weight", ".down.weight"))
                norm = weight.to(torch.promote_types(weight.dtype, torch.float32)).norm(dim=0 if writes else 1, keepdim=True)
                weight.div_(norm.clamp_min(1e-12))
