"""Gravity attention: tokens attract or repel by mass and distance instead of queries and keys."""

from __future__ import annotations

import torch
from torch import Tensor

from ngt_train.gravity_rows import Law, RowBlocks

CUTOFFS = ("hard", "soft", "none")


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
    heads = z.shape[:2]
    full = torch.promote_types(z.dtype, torch.float32)
    with torch.autocast(z.device.type, enabled=False):
        z, values, mass, gamma, bias, radius = (part.to(full) for part in (z, v, mass, gamma, bias, radius))
        if mass_in_value:
            values = values * mass[:, None, :, None]
        seed = int(torch.randint(1 << 62, (), generator=generator, device=generator.device if generator else None)) if dropout else 0
        law = Law(cutoff, not mass_in_value, rsqrt, dropout, seed)
        every_head = [part[:, None].expand(*heads, -1).flatten(0, 1) for part in (mass, *([] if padding_mask is None else [~padding_mask]))]
        out = RowBlocks.apply(
            law,
            z.flatten(0, 1),
            values.flatten(0, 1),
            every_head[0],
            gamma.expand(heads).flatten(),
            bias.expand(heads).flatten(),
            radius,
            every_head[1] if padding_mask is not None else None,
        )
        return out.unflatten(0, heads).to(v.dtype)
