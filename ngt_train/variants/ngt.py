"""Newton Gravity Transformer: tokens have masses and moving coordinates, and attend by a law of gravity.

Source: github.com/leetae9yu/newton-gravity-transformer. There are no queries and keys; coordinates start as a learned
embedding of the position and move after every layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ngt_train import blocks
from ngt_train.blocks import MLP, Output
from ngt_train.gravity import CUTOFFS, gravity_attention, traceable

SAMPLED_TOKENS = 64  # of a sequence, for the repulsion
NEAREST = 1e-6  # squared distances below it repel no further


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Architecture; the defaults are the published ones.

    coordinates: of a token; head_coordinates: of a token as one head sees it.
    radius: start of the parameter whose softplus is the cutoff radius, one per layer.
    repulsion: its weight in the loss, 0 for none, added at every repulsion_interval-th step.
    init: "scaled" (N(0, 0.02), but for coordinates and masses) or "unit", the published one, whose first loss is 300-500.
    """

    vocab_size: int
    block: int = 512
    layers: int = 8
    heads: int = 8
    hidden: int = 512
    mlp: int = 2048
    dropout: float = 0.1
    coordinates: int = 64
    head_coordinates: int = 16
    radius: float = 4.0
    cutoff: str = "hard"
    mass_in_value: bool = False
    rsqrt: bool = False
    repulsion: float = 0.05
    repulsion_interval: int = 1
    init: str = "scaled"

    def __post_init__(self) -> None:
        blocks.check_positive(self, "vocab_size", "block", "layers", "heads", "hidden", "mlp", "repulsion_interval")
        blocks.check_positive(self, "coordinates", "head_coordinates")
        blocks.check_heads(self)
        blocks.check_range(self, "dropout", 0, 1)
        blocks.check_range(self, "repulsion", 0)
        blocks.check_range(self, "radius", -20, 1e6)
        blocks.check_choice(self, "cutoff", CUTOFFS)
        blocks.check_choice(self, "init", blocks.INITIALISATIONS)


class GravityAttention(nn.Module):
    """Attention by gravity, and where it moves the coordinates to."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.value = nn.Linear(config.hidden, config.hidden)
        self.coordinates_in = nn.Linear(config.coordinates, config.heads * config.head_coordinates)
        self.out = nn.Linear(config.hidden, config.hidden)
        self.coordinates_out = nn.Linear(config.hidden, config.coordinates)
        self.gamma = nn.Parameter(torch.zeros(config.heads))
        self.bias = nn.Parameter(torch.zeros(config.heads))
        self.radius = nn.Parameter(torch.tensor(float(config.radius)))

    def forward(self, x: Tensor, z: Tensor, mass: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """x (B, T, C), z (B, T, coordinates), mass (B, T) -> what to add to x, what to add to z."""
        config = self.config
        with torch.autocast(z.device.type, enabled=False):  # half precision is too coarse for distances
            seen_from = blocks.split_heads(self.coordinates_in(z), config.heads)
        y = gravity_attention(
            seen_from,
            blocks.split_heads(self.value(x), config.heads),
            mass,
            F.softplus(self.gamma),
            self.bias,
            F.softplus(self.radius),
            cutoff=config.cutoff,
            mass_in_value=config.mass_in_value,
            rsqrt=config.rsqrt,
            padding_mask=mask,
            dropout=config.dropout if self.training else 0.0,
        )
        out = self.out(blocks.merge_heads(y))
        return out, self.coordinates_out(out)


class Layer(nn.Module):
    """Pre-norm gravity attention and MLP; the coordinates move by what the attention found, and are normalised."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(config.hidden)
        self.attention = GravityAttention(config)
        self.norm_mlp = nn.LayerNorm(config.hidden)
        self.mlp = MLP(config.hidden, config.mlp, config.dropout)
        self.norm_coordinates = nn.LayerNorm(config.coordinates)

    def forward(self, x: Tensor, z: Tensor, mass: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        found, moved = self.attention(self.norm_attention(x), z, mass, mask)
        x = x + found
        return x + self.mlp(self.norm_mlp(x)), self.norm_coordinates(z + moved)


class Model(blocks.LanguageModel):
    """The decoder; input table and head share their weight."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.hidden)
        self.mass_embedding = nn.Embedding(config.vocab_size, 1)
        self.coordinate_embedding = nn.Embedding(config.block, config.coordinates)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.hidden)
        self.head = nn.Linear(config.hidden, config.vocab_size)
        if config.init == "scaled":
            self._scaled_init()
        self.head.weight = self.token_embedding.weight

    def _scaled_init(self) -> None:
        """Coordinates keep their unit scale: at 0.02 all distances would drown in the law's 1e-6."""
        ends = [part for layer in self.layers for part in (layer.attention.out, layer.mlp.down)]
        parts = [part for layer in self.layers for part in (layer.attention.value, layer.mlp.up, *ends)]
        blocks.scaled_init([self.token_embedding, self.head, *parts], ends, self.config.layers)

    @property
    def embedding(self) -> Tensor:
        return self.token_embedding.weight

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Output:
        """tokens (B, T) -> hidden (B, T, C), extra "coords" (B, T, coordinates) after the last layer and "mass" (B, T)."""
        hidden, path, mass = self._run(tokens, mask)
        return Output(hidden, {"coords": path[-1], "mass": mass})

    @torch.no_grad()
    def trajectory(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """Coordinates before the first layer and after each: (layers + 1, B, T, coordinates)."""
        return torch.stack(self._run(tokens, mask)[1])

    def _run(self, tokens: Tensor, mask: Tensor | None) -> tuple[Tensor, list[Tensor], Tensor]:
        x = self.token_embedding(tokens)
        mass = F.softplus(self.mass_embedding(tokens).squeeze(-1))
        path = [self.coordinate_embedding(blocks.positions(tokens, self.config.block)).expand(tokens.size(0), -1, -1)]
        for layer in self.layers:
            x, z = layer(x, path[-1], mass, mask)
            path.append(z)
        return self.norm(x), path, mass

    def compiled(self, **options: Any) -> Any:
        """Behind torch.compile; the gravity attention stays as it is where a compiler would unroll it."""
        if not traceable(self.embedding.device):
            for layer in self.layers:
                layer.attention.forward = torch.compiler.disable(layer.attention.forward)
        return super().compiled(**options)

    def penalty(self, output: Output, step: int) -> Tensor | None:
        """Weight times the mean repulsion of the last coordinates, at every repulsion_interval-th step."""
        if not self.config.repulsion or step % self.config.repulsion_interval:
            return None
        return self.config.repulsion * repulsion(output.extra["coords"], output.extra["mass"], seed=step)


def repulsion(z: Tensor, mass: Tensor, seed: int) -> Tensor:
    """Mean over pairs i < j of mass_i mass_j / max(d2, 1e-6) on up to 64 positions; z (B, T, E), mass (B, T).

    The positions depend on the seed alone, so that all parts of an accumulated batch sample the same ones.
    """
    length = z.size(1)
    if length < 2:
        return z.new_zeros(())
    if length > SAMPLED_TOKENS:
        drawn = torch.randperm(length, generator=torch.Generator().manual_seed(seed))[:SAMPLED_TOKENS].to(z.device)
        z, mass = z[:, drawn], mass[:, drawn]
    first, second = torch.triu_indices(z.size(1), z.size(1), 1, device=z.device)
    z, mass = (part.to(torch.promote_types(part.dtype, torch.float32)) for part in (z, mass))
    d2 = (z[:, first] - z[:, second]).square().sum(-1)
    return (mass[:, first] * mass[:, second] / d2.clamp_min(NEAREST)).mean()
