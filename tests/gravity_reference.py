"""The law of gravity attention as it is written: every difference z_i - z_j as a tensor (B, H, L, L, E), any precision.

This is what ngt_train/gravity.py is measured against; memory grows with L^2 times the coordinates.
"""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-6


def direct(
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
    keep: Tensor | None = None,
) -> Tensor:
    """Same arguments as gravity_attention; keep (B, H, L, L) multiplies the weights in place of dropout."""
    difference = z[:, :, :, None, :] - z[:, :, None, :, :]
    d2 = (difference * difference).sum(-1)
    base = -gamma[:, None, None] * (torch.rsqrt(d2 + EPSILON) ** 2 if rsqrt else 1 / (d2 + EPSILON)) + bias[:, None, None]
    if mass_in_value:
        score = base
        v = v * mass[:, None, :, None]
    else:
        score = base * mass[:, None, :, None] * mass[:, None, None, :]
    length = z.size(2)
    visible = torch.ones(length, length, dtype=torch.bool).tril().expand_as(d2)
    if cutoff == "soft":
        score = score * torch.relu(1 - d2 / radius**2)
    if cutoff == "hard":
        visible = visible & ~(d2 > radius**2)
    if padding_mask is not None:
        visible = visible & padding_mask[:, None, None, :]
    weight = torch.softmax(score.masked_fill(~visible, float("-inf")), dim=-1)
    weight = torch.where(visible.any(-1, keepdim=True), weight, torch.zeros_like(weight))
    return (weight if keep is None else weight * keep) @ v
