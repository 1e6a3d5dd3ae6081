"""Gravity attention in blocks of query rows, recomputed in backward: memory is linear in the context, on any device.

A tile is some sequences' heads (n of them) by `rows` queries by all keys up to the last of them. Shapes below: N = batch x heads, L tokens,
E coordinates, D channels of a value. Tensors are of the dtype of z, fp32 or fp64, but for what cancels: distances are always summed in
fp64, and with a soft cutoff scores and the gradient of the radius are fp64 too, for that gradient is a small rest of large terms.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

EPSILON = 1e-6  # of the law: 1 / (d2 + EPSILON)
ROWS = 64  # queries of a tile at most
ELEMENTS = 1 << 18  # scores of a tile at most: what stays in a core's cache


@dataclass(frozen=True, slots=True)
class Law:
    """Which of the laws: the cutoff, where masses act, how 1/d2 is rounded, and the dropout."""

    cutoff: str
    mass_in_score: bool
    rsqrt: bool
    dropout: float

    @property
    def biased(self) -> bool:
        """Without masses or a soft cutoff the bias shifts whole rows, which softmax does not see."""
        return self.mass_in_score or self.cutoff == "soft"


class Tile(NamedTuple):
    """Which heads, and which queries: keys are those before `end`."""

    heads: slice
    begin: int
    end: int

    @property
    def queries(self) -> tuple[slice, slice]:
        return self.heads, slice(self.begin, self.end)

    @property
    def keys(self) -> tuple[slice, slice]:
        return self.heads, slice(0, self.end)


def tiles(heads: int, length: int) -> Iterator[Tile]:
    """All tiles, in the order in which dropout is drawn."""
    rows = max(1, min(ROWS, ELEMENTS // length))
    for begin in range(0, length, rows):
        end = min(begin + rows, length)
        together = max(1, ELEMENTS // ((end - begin) * end))
        for first in range(0, heads, together):
            yield Tile(slice(first, min(first + together, heads)), begin, end)


class Pairs(NamedTuple):
    """Of a tile's queries and keys, (n, rows, keys): 1 / (d2 + EPSILON), and d2 itself where a fade needs it; then both in fp64."""

    inverse: Tensor
    d2: Tensor | None


class Field:
    """What every tile is cut from: coordinates around token 0, masses, and the parameters of each head."""

    def __init__(self, law: Law, z: Tensor, mass: Tensor, gamma: Tensor, bias: Tensor, radius: Tensor, hidden: Tensor | None) -> None:
        self.law, self.hidden = law, hidden
        self.z = z - z[:, :1]  # distances do not change, but their rounding does
        self.ones = torch.cat([self.z, torch.ones_like(self.z[..., :1])], -1)
        wide = torch.float64 if z.device.type != "mps" else z.dtype  # which has no fp64
        self.dtype = wide if law.cutoff == "soft" else z.dtype  # of scores
        exact = self.z.to(wide)
        norm = exact.square().sum(-1, keepdim=True)
        one = torch.ones_like(norm)
        self.left = torch.cat([-2 * exact, norm + EPSILON, one], -1)
        self.right = torch.cat([exact, one, norm], -1).mT
        self.mass = mass.unsqueeze(-1)
        self.gamma, self.bias, self.square = gamma[:, None, None], bias[:, None, None], radius.to(self.dtype).square()
        self.later = torch.ones(ROWS, ROWS, dtype=torch.bool, device=z.device).triu(1)
        self.lowest = torch.finfo(z.dtype).min

    def pairs(self, tile: Tile) -> Pairs:
        """Distances of a tile: one product, none negative, the diagonal exact."""
        d2 = torch.bmm(self.left[tile.queries], self.right[tile.heads, :, : tile.end]).clamp_min_(EPSILON).to(self.dtype)
        d2.diagonal(tile.begin, 1, 2).fill_(EPSILON)
        kept = d2.clone() if self.law.cutoff == "soft" else None
        inverse = d2.rsqrt_().square_() if self.law.rsqrt else d2.reciprocal_()
        return Pairs(inverse, None if kept is None else kept.sub_(EPSILON))

    def base(self, tile: Tile, inverse: Tensor) -> Tensor:
        """bias - gamma x inverse, times the query's mass where masses act on scores."""
        gamma, bias = self.gamma[tile.heads].to(self.dtype), self.bias[tile.heads].to(self.dtype)
        if self.law.mass_in_score:
            mass = self.mass[tile.queries].to(self.dtype)
            return torch.addcmul(bias * mass, inverse, gamma * mass, value=-1)
        return torch.addcmul(bias, inverse, gamma, value=-1) if self.law.biased else inverse * -gamma

    def fade(self, d2: Tensor) -> Tensor:
        """relu(1 - d2 / radius^2)."""
        return (1 - d2 / self.square).clamp_min_(0)

    def weights(self, tile: Tile, pairs: Pairs) -> Tensor:
        """Softmax of the scores, exact in each row; a row that sees nothing is 0."""
        score = self.base(tile, pairs.inverse)
        if self.law.mass_in_score:
            score.mul_(self.mass[tile.keys].mT)
        if pairs.d2 is not None:
            score.mul_(self.fade(pairs.d2))
        elif self.law.cutoff == "hard":
            score.masked_fill_(pairs.inverse < 1 / (self.square + EPSILON), self.lowest)
        rows = tile.end - tile.begin
        score[:, :, tile.begin :].masked_fill_(self.later[:rows, :rows], self.lowest)
        if self.hidden is None:
            return torch.softmax(score, -1, dtype=self.z.dtype)
        score.masked_fill_(self.hidden[tile.keys].unsqueeze(1), self.lowest)
        blind = score.amax(-1, keepdim=True) == self.lowest
        return torch.softmax(score, -1, dtype=self.z.dtype).masked_fill_(blind, 0)


class Dropout:
    """Factors on the weights, 0 or 1 / (1 - p), the same for the same tiles in the same order."""

    def __init__(self, law: Law, seed: Tensor | None, device: torch.device) -> None:
        self.keep = 1 - law.dropout
        self.generator = torch.Generator(device).manual_seed(int(seed))

    def draw(self, like: Tensor) -> Tensor:
        return torch.empty_like(like).bernoulli_(self.keep, generator=self.generator).mul_(1 / self.keep)


def attention(
    law: Law, z: Tensor, v: Tensor, mass: Tensor, gamma: Tensor, bias: Tensor, radius: Tensor, hidden: Tensor | None, seed: Tensor | None
) -> Tensor:
    """Gravity attention of z (B, H, L, E) and v (B, H, L, D), in the dtype of v.

    mass and hidden (true for padding, or None) are (B, L), gamma and bias (H,), radius and the dropout's seed are scalars.
    """
    heads, kind, v = z.shape[:2], v.dtype, v.to(z.dtype)
    if not law.mass_in_score:
        v = v * mass[:, None, :, None]
    out = RowBlocks.apply(
        law,
        z.flatten(0, 1),
        v.flatten(0, 1),
        _every_head(mass, heads),
        gamma.expand(heads).flatten(),
        bias.expand(heads).flatten(),
        radius,
        None if hidden is None else _every_head(hidden, heads),
        seed,
    )
    return out.unflatten(0, heads).to(kind)


def _every_head(part: Tensor, heads: torch.Size) -> Tensor:
    """(B, L) -> (B * H, L)."""
    return part[:, None].expand(*heads, -1).flatten(0, 1)


class RowBlocks(torch.autograd.Function):
    """z (N, L, E), v (N, L, D), mass and hidden (N, L), gamma and bias (N,), radius and seed () -> (N, L, D)."""

    @staticmethod
    def forward(ctx: Any, law: Law, *inputs: Tensor) -> Tensor:
        z, v, mass, gamma, bias, radius, hidden, seed = inputs
        field = Field(law, z, mass, gamma, bias, radius, hidden)
        dropout = Dropout(law, seed, z.device) if law.dropout else None
        out = torch.empty_like(v)
        for tile in tiles(*z.shape[:2]):
            weight = field.weights(tile, field.pairs(tile))
            if dropout:
                weight.mul_(dropout.draw(weight))
            out[tile.queries] = torch.bmm(weight, v[tile.keys])
        ctx.law = law
        ctx.save_for_backward(*inputs)
        return out

    @staticmethod
    def backward(ctx: Any, of_out: Tensor) -> tuple[Tensor | None, ...]:
        z, v, mass, gamma, bias, radius, hidden, seed = ctx.saved_tensors
        field = Field(ctx.law, z, mass, gamma, bias, radius, hidden)
        dropout = Dropout(ctx.law, seed, z.device) if ctx.law.dropout else None
        sums = Sums(field, z, v, radius)
        for tile in tiles(*z.shape[:2]):
            pairs = field.pairs(tile)
            weight = field.weights(tile, pairs)
            of_weight = torch.bmm(of_out[tile.queries], v[tile.keys].mT)
            used = weight
            if dropout:
                factor = dropout.draw(weight)
                of_weight.mul_(factor)
                used = factor.mul_(weight)
            sums.v[tile.keys] += torch.bmm(used.mT, of_out[tile.queries])
            sums.add(tile, pairs, of_scores(tile, weight, of_weight))
        return None, *sums.result(), None, None


def of_scores(tile: Tile, weight: Tensor, of_weight: Tensor) -> Tensor:
    """Gradient of the scores, P (dP - sum of P dP).

    dP is taken relative to the diagonal's: a row that sees little but itself has almost equal terms there, and 1/d2 of the diagonal would
    blow their rounding up by 1e6.
    """
    of_weight -= of_weight.diagonal(tile.begin, 1, 2).unsqueeze(-1).clone()  # without a copy it would change while it is read
    of_score = of_weight.mul_(weight)
    return of_score.addcmul_(weight, of_score.sum(-1, keepdim=True), value=-1)


class Sums:
    """Gradients that tiles add to."""

    def __init__(self, field: Field, z: Tensor, v: Tensor, radius: Tensor) -> None:
        self.field, self.radius = field, radius
        self.z, self.v = torch.zeros_like(z), torch.zeros_like(v)
        self.mass = torch.zeros_like(field.mass)
        self.gamma, self.bias = torch.zeros_like(field.gamma), torch.zeros_like(field.bias)
        self.of_square = torch.zeros_like(field.square)

    def add(self, tile: Tile, pairs: Pairs, of_score: Tensor) -> None:
        """Take a tile's gradient of the scores apart; it is used up."""
        field, inverse = self.field, pairs.inverse.to(of_score.dtype)
        through_fade = None if pairs.d2 is None else self._fade(tile, pairs.inverse, pairs.d2, of_score)
        by_inverse = of_score * inverse
        if field.law.mass_in_score:
            self._mass(tile, of_score, by_inverse)
        else:
            self.gamma[tile.heads] -= by_inverse.sum((1, 2), keepdim=True)
            if field.law.biased:
                self.bias[tile.heads] += of_score.sum((1, 2), keepdim=True)
        of_d2 = by_inverse.mul_(inverse).mul_(field.gamma[tile.heads])
        if through_fade is not None:
            of_d2 += through_fade
        of_d2.diagonal(tile.begin, 1, 2).zero_()
        self._coordinates(tile, of_d2)

    def _mass(self, tile: Tile, of_score: Tensor, by_inverse: Tensor) -> None:
        """score = (bias - gamma inverse) m_i m_j."""
        field = self.field
        queries, keys = field.mass[tile.queries], field.mass[tile.keys]
        gamma, bias = field.gamma[tile.heads], field.bias[tile.heads]
        rows_inverse, rows = torch.bmm(by_inverse, keys), torch.bmm(of_score, keys)
        self.gamma[tile.heads] -= torch.bmm(queries.mT, rows_inverse)
        self.bias[tile.heads] += torch.bmm(queries.mT, rows)
        self.mass[tile.queries] += bias * rows - gamma * rows_inverse
        self.mass[tile.keys] += bias * torch.bmm(of_score.mT, queries) - gamma * torch.bmm(by_inverse.mT, queries)

    def _fade(self, tile: Tile, inverse: Tensor, d2: Tensor, of_score: Tensor) -> Tensor:
        """score = base x fade x masses: what reaches d2 through the fade, without masses; of_score becomes that of the base."""
        field = self.field
        fade = field.fade(d2)
        gamma, bias = field.gamma[tile.heads].to(d2.dtype), field.bias[tile.heads].to(d2.dtype)
        through = torch.addcmul(bias, inverse, gamma, value=-1).mul_(of_score).mul_(fade > 0).div_(-field.square)
        of_score.mul_(fade)
        by_d2 = d2.mul_(through)
        if field.law.mass_in_score:
            queries, keys = field.mass[tile.queries].to(d2.dtype), field.mass[tile.keys].to(d2.dtype)
            by_d2 = torch.bmm(torch.bmm(queries.mT, by_d2), keys)
        self.of_square -= by_d2.sum() / field.square
        return through.to(of_score.dtype)

    def _coordinates(self, tile: Tile, of_d2: Tensor) -> None:
        """d2 = |z_i - z_j|^2, with of_d2 still without the masses."""
        field = self.field
        queries, keys = field.ones[tile.queries], field.ones[tile.keys]
        mass = field.law.mass_in_score
        rows = torch.bmm(of_d2, keys * field.mass[tile.keys] if mass else keys)
        columns = torch.bmm(of_d2.mT, queries * field.mass[tile.queries] if mass else queries)
        for part, place, ends in ((tile.queries, rows, queries), (tile.keys, columns, keys)):
            force = 2 * (place[..., -1:] * ends[..., :-1] - place[..., :-1])
            self.z[part] += force * field.mass[part] if mass else force

    def result(self) -> tuple[Tensor | None, ...]:
        """Gradients of z, v, mass, gamma, bias, radius; None where the law does not use one."""
        law = self.field.law
        mass = self.mass.squeeze(-1) if law.mass_in_score else None
        bias = self.bias.flatten() if law.biased else None
        radius = (2 * self.radius * self.of_square).to(self.radius.dtype) if law.cutoff == "soft" else None
        return self.z, self.v, mass, self.gamma.flatten(), bias, radius
