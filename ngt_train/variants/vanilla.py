"""Vanilla transformer: pre-norm GPT with learned positions, the baseline of the w3_25m screening."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ngt_train import blocks
from ngt_train.blocks import MLP, Output


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Architecture; the defaults are the published run's but for its MLP, which was 1536 wide.

    init: "scaled" is GPT-2's (N(0, 0.02)); "unit" keeps unit-variance embeddings, as published: its first loss is 300-500.
    """

    vocab_size: int
    block: int = 512
    layers: int = 8
    heads: int = 8
    hidden: int = 512
    mlp: int = 2048
    dropout: float = 0.1
    init: str = "scaled"

    def __post_init__(self) -> None:
        blocks.check_positive(self, "vocab_size", "block", "layers", "heads", "hidden", "mlp")
        blocks.check_heads(self)
        blocks.check_range(self, "dropout", 0, 1)
        blocks.check_choice(self, "init", blocks.INITIALISATIONS)


class Attention(nn.Module):
    """Multi-head softmax attention, Q, K and V in one product."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads = config.heads
        self.dropout = config.dropout
        self.qkv = nn.Linear(config.hidden, 3 * config.hidden)
        self.out = nn.Linear(config.hidden, config.hidden)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        q, k, v = (blocks.split_heads(part, self.heads) for part in self.qkv(x).chunk(3, dim=-1))
        y = blocks.causal_attention(q, k, v, mask=mask, dropout=self.dropout if self.training else 0.0)
        return self.out(blocks.merge_heads(y))


class Layer(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(config.hidden)
        self.attention = Attention(config)
        self.norm_mlp = nn.LayerNorm(config.hidden)
        self.mlp = MLP(config.hidden, config.mlp, config.dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = x + self.attention(self.norm_attention(x), mask)
        return x + self.mlp(self.norm_mlp(x))


class Model(blocks.LanguageModel):
    """The decoder; input table and head share their weight."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.hidden)
        self.position_embedding = nn.Embedding(config.block, config.hidden)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.hidden)
        self.head = nn.Linear(config.hidden, config.vocab_size)
        if config.init == "scaled":
            outputs = [part for layer in self.layers for part in (layer.attention.out, layer.mlp.down)]
            blocks.scaled_init(self.modules(), outputs, config.layers)
        self.head.weight = self.token_embedding.weight

    @property
    def embedding(self) -> Tensor:
        return self.token_embedding.weight

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Output:
        """tokens (B, T) -> hidden (B, T, C); mask (B, T) is false for padding."""
        x = self.token_embedding(tokens) + self.position_embedding(blocks.positions(tokens, self.config.block))
        for layer in self.layers:
            x = layer(x, mask)
        return Output(self.norm(x), {})
