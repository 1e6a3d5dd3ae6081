"""Gated attention: RoPE, QK norm, squared ReLU, and a gate on the attention's output or on its values.

Sources: Qiu et al. 2025, arXiv:2505.06708 (gates after SDPA); the modded-nanogpt record of October 2024 (the transformer around them).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ngt_train import blocks
from ngt_train.blocks import Output
from ngt_train.errors import ConfigError

GATES = ("none", "headwise", "elementwise", "const")
GATE_POSITIONS = ("sdpa", "value")
GATE_ACTIVATIONS = ("sigmoid", "ns_sigmoid")
ROPE_BASE = 10_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Architecture; the defaults are the published baseline's.

    gate: "headwise" has one gate a head and token, "elementwise" one a channel and token, "const" one a channel that no token changes.
    gate_position: the output of SDPA, or its values. gate_activation: sigmoid, or ns_sigmoid = 0.5 + 0.5 sigmoid.
    mlp: width, 4 x hidden where None.
    """

    vocab_size: int
    block: int = 1024
    layers: int = 12
    heads: int = 6
    hidden: int = 768
    mlp: int | None = None
    gate: str = "none"
    gate_position: str = "sdpa"
    gate_activation: str = "sigmoid"

    def __post_init__(self) -> None:
        blocks.check_positive(self, "vocab_size", "block", "layers", "heads", "hidden")
        blocks.check_positive(self, *(["mlp"] if self.mlp is not None else []))
        blocks.check_heads(self)
        if self.hidden // self.heads % 2:
            raise ConfigError(
                f"model.hidden / model.heads = {self.hidden // self.heads} is odd, but rotary positions turn pairs of channels"
            )
        blocks.check_choice(self, "gate", GATES)
        blocks.check_choice(self, "gate_position", GATE_POSITIONS)
        blocks.check_choice(self, "gate_activation", GATE_ACTIVATIONS)


def rms_norm(x: Tensor) -> Tensor:
    """x over its root mean square along the last axis; no gain."""
    return F.rms_norm(x, (x.size(-1),))


class Rotary(nn.Module):
    """Rotary positions: channel i turns with channel i + D/2 by position / base^(2i/D)."""

    def __init__(self, width: int, block: int) -> None:
        super().__init__()
        speed = ROPE_BASE ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
        angle = torch.outer(torch.arange(block, dtype=torch.float64), speed)
        self.register_buffer("cos", angle.cos().float(), persistent=False)
        self.register_buffer("sin", angle.sin().float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, H, T, D), turned; the dtype stays."""
        cos, sin = self.cos[: x.size(-2)], self.sin[: x.size(-2)]
        first, second = x.chunk(2, dim=-1)
        return torch.cat([first * cos + second * sin, second * cos - first * sin], dim=-1).to(x.dtype)


class Gate(nn.Module):
    """A factor in (0, 1), or (0.5, 1) for ns_sigmoid, of shape (B, H, T, 1 or D) or (H, 1, D)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.kind, self.activation, self.heads = config.gate, config.gate_activation, config.heads
        if config.gate == "const":
            self.weight = nn.Parameter(torch.zeros(config.heads, config.hidden // config.heads))
        else:
            outputs = config.heads if config.gate == "headwise" else config.hidden
            self.project = nn.Linear(config.hidden, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        logit = self.weight.unsqueeze(1) if self.kind == "const" else blocks.split_heads(self.project(x), self.heads)
        gate = torch.sigmoid(logit)
        return gate if self.activation == "sigmoid" else 0.5 + 0.5 * gate


class Attention(nn.Module):
    """Multi-head softmax attention with rotary positions, QK norm and a gate; its output starts at 0."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads, self.gate_position = config.heads, config.gate_position
        # Three matrices, not one: Muon makes each orthogonal by itself.
        self.q, self.k, self.v, self.out = (nn.Linear(config.hidden, config.hidden, bias=False) for _ in range(4))
        self.rotary = Rotary(config.hidden // config.heads, config.block)
        self.gate = Gate(config) if config.gate != "none" else None
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        q, k, v = (blocks.split_heads(project(x), self.heads) for project in (self.q, self.k, self.v))
        q, k = rms_norm(self.rotary(q)).to(v.dtype), rms_norm(self.rotary(k)).to(v.dtype)
        if self.gate is not None and self.gate_position == "value":
            v = v * self.gate(x)
        y = blocks.causal_attention(q, k, v, mask=mask)
        if self.gate is not None and self.gate_position == "sdpa":
            y = y * self.gate(x)
        return self.out(blocks.merge_heads(y))


class MLP(nn.Module):
    """Squared ReLU between two linear layers without biases; its output starts at 0."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.mlp or 4 * config.hidden
        self.up = nn.Linear(config.hidden, width, bias=False)
        self.down = nn.Linear(width, config.hidden, bias=False)
        nn.init.zeros_(self.down.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.relu(self.up(x)).square())


class Layer(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)); the norms have no gains."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.mlp = MLP(config)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = x + self.attention(rms_norm(x), mask)
        return x + self.mlp(rms_norm(x))


class Model(blocks.LanguageModel):
    """The decoder; input table and head share their weight, which starts as a linear layer's."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.hidden)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.head = nn.Linear(config.hidden, config.vocab_size, bias=False)
        self.token_embedding.weight = self.head.weight

    @property
    def embedding(self) -> Tensor:
        return self.token_embedding.weight

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Output:
        """tokens (B, T) -> hidden (B, T, C); mask (B, T) is false for padding."""
        blocks.positions(tokens, self.config.block)
        x = self.token_embedding(tokens)
        for layer in self.layers:
            x = layer(x, mask)
        return Output(rms_norm(x), {})
