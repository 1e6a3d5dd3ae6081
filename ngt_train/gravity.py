"""Gravity attention: tokens attract or repel by mass and distance instead of queries and keys."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from ngt_train import gravity_rows

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
    full = torch.promote_types(z.dtype, torch.float32)
    attention = _cuda_attention(z.device) if z.is_cuda and full == torch.float32 else gravity_rows.attention
    with torch.autocast(z.device.type, enabled=False):
        z, mass, gamma, bias, radius = (part.to(full) for part in (z, mass, gamma, bias, radius))
        law = gravity_rows.Law(cutoff, not mass_in_value, rsqrt, dropout)
        hidden = None if padding_mask is None else ~padding_mask
        return attention(law, z, v, mass, gamma, bias, radius, hidden, _seed(z.device, generator) if dropout else None)


def _seed(device: torch.device, generator: torch.Generator | None) -> Tensor:
    """A seed () for the dropout; on CUDA it stays there, so that nothing waits for it."""
    drawn_on = generator.device if generator else device if device.type == "cuda" else None
    return torch.randint(1 << 62, (), generator=generator, device=drawn_on)


_CHOSEN: dict[torch.device, Callable[..., Tensor]] = {}


def _cuda_attention(device: torch.device) -> Callable[..., Tensor]:
    """The kernels of gravity_triton.py where they run and agree with the row blocks; else the row blocks, with a warning."""
    if device not in _CHOSEN:
        _CHOSEN[device] = _choose(device)
    return _CHOSEN[device]


def _choose(device: torch.device) -> Callable[..., Tensor]:
    try:
        from ngt_train import gravity_triton
    except ImportError:
        return gravity_rows.attention
    problem = gravity_triton.problem(device)
    if problem is None:
        return gravity_triton.attention
    warnings.warn(
        f"gravity attention runs in its slower form on {device}, for its Triton kernels do not work there: {problem}", stacklevel=3
    )
    return gravity_rows.attention


def traceable(device: torch.device) -> bool:
    """Whether torch.compile may look into the attention: it takes kernels as they are, but would unroll the row blocks for minutes."""
    return device.type == "cuda" and _cuda_attention(device) is not gravity_rows.attention
