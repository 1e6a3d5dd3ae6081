"""Gravity attention: tokens attract or repel by mass and distance instead of queries and keys."""

from __future__ import annotations

import torch
from torch import Tensor

CUTOFFS = ("hard", "soft", "none")
EPSILON = 1e-6  # softens 1/d2 at distance 0


def gravity_attention(
    z: Tensor,
    v: Tensor,
    mass: Tensor,
    gamma: Tensor,
    bias: Tensor,
    radius: Tensor,
    *,
    cutoff: str,
    mass_in_value: bool,
    rsqrt: bool = False,
    padding_mask: Tensor | None = None,
    dropout: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Causal attention whose score is -gamma / (distance^2 + 1e-6) + bias, times the masses.

    z (B, H, L, E) coordinates, v (B, H, L, D) values, mass (B, L) and gamma (H,) above 0, bias (H,), radius a scalar above 0.
    cutoff: "hard" leaves pairs farther than the radius out, "soft" multiplies scores by relu(1 - d2 / radius^2), "none" neither.
    mass_in_value: values are scaled by their token's mass, instead of scores by both masses.
    rsqrt: 1 / d2 as the square of an inverse root: the same law, rounded otherwise.
    padding_mask (B, L): false for padding, which nobody sees; a row that sees nothing gives 0.
    dropout: on the attention weights, drawn from `generator` (the global one without). Distances are fp32 under AMP.
    Returns (B, H, L, D) in the dtype of v. Law: Newton Gravity Transformer, github.com/leetae9yu/newton-gravity-transformer.
    """
    with torch.autocast(z.device.type, enabled=False):
        full = torch.promote_types(z.dtype, torch.float32)
        z, mass, gamma, bias, radius = (part.to(full) for part in (z, mass, gamma, bias, radius))
        d2 = (z.unsqueeze(-2) - z.unsqueeze(-3)).square().sum(-1)
        inverse = torch.rsqrt(d2 + EPSILON).square() if rsqrt else 1 / (d2 + EPSILON)
        score = bias[:, None, None] - gamma[:, None, None] * inverse
        if mass_in_value:
            v = v * mass[:, None, :, None].to(v.dtype)
        else:
            score = score * (mass[:, :, None] * mass[:, None, :])[:, None]
        seen = torch.ones(d2.shape[-2:], dtype=torch.bool, device=z.device).tril()
        if cutoff == "soft":
            score = score * torch.relu(1 - d2 / radius.square())
        elif cutoff == "hard":
            seen = seen & (d2 <= radius.square())
        if padding_mask is not None:
            seen = seen & padding_mask[:, None, None, :]
        weight = torch.softmax(score.masked_fill(~seen, torch.finfo(full).min), dim=-1)
        weight = weight.masked_fill(~seen, 0.0)
        if dropout:
            kept = torch.rand(weight.shape, generator=generator, device=z.device, dtype=full) >= dropout
            weight = weight * kept / (1 - dropout)
        return weight.to(v.dtype) @ v
