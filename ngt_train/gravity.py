"""Gravity attention: tokens attract or repel by mass and distance instead of queries and keys."""

from __future__ import annotations

import functools
import warnings

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
    dropout: on the attention weights, drawn from `generator` (the global one without).
    Distances are fp64 in row blocks and fp32 in Triton, under AMP too.
    Returns (B, H, L, D) in the dtype of v. Law: Newton Gravity Transformer, github.com/leetae9yu/newton-gravity-transformer.
    """
    if cutoff not in CUTOFFS:
        raise ValueError(f"cutoff {cutoff!r} is not one of {', '.join(CUTOFFS)}")
    heads, full = z.shape[:2], torch.promote_types(z.dtype, torch.float32)
    blocks = _triton_blocks(z.device) if z.is_cuda and full == torch.float32 else RowBlocks
    seed = int(torch.randint(1 << 62, (), generator=generator, device=generator.device if generator else None)) if dropout else 0
    with torch.autocast(z.device.type, enabled=False):
        z, values, mass, gamma, bias, radius = (part.to(full) for part in (z, v, mass, gamma, bias, radius))
        if mass_in_value:
            values = values * mass[:, None, :, None]
        out = blocks.apply(
            Law(cutoff, not mass_in_value, rsqrt, dropout, seed),
            z.flatten(0, 1),
            (values if blocks is RowBlocks else values.to(v.dtype)).flatten(0, 1),
            _every_head(mass, heads),
            gamma.expand(heads).flatten(),
            bias.expand(heads).flatten(),
            radius,
            None if padding_mask is None else _every_head(~padding_mask, heads),
        )
        return out.unflatten(0, heads).to(v.dtype)


def _every_head(part: Tensor, heads: torch.Size) -> Tensor:
    """(B, L) -> (B * H, L)."""
    return part[:, None].expand(*heads, -1).flatten(0, 1)


@functools.cache
def _triton_blocks(device: torch.device) -> type[torch.autograd.Function]:
    """The kernels of gravity_triton.py where they run and agree with the row blocks; else the row blocks, with a warning."""
    try:
        from ngt_train import gravity_triton
    except ImportError:
        return RowBlocks
    problem = gravity_triton.problem(device)
    if problem is None:
        return gravity_triton.TritonBlocks
    warnings.warn(
        f"gravity attention runs in its slower form on {device}, for its Triton kernels do not work there: {problem}", stacklevel=3
    )
    return RowBlocks
