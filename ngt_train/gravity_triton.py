"""Gravity attention as Triton kernels for CUDA: online softmax, fp32 distances, Philox dropout, partial sums instead of atomics.

One program takes a block of queries (forward, backward of queries) or of keys (backward of keys) of one head. Backward uses each
row's maximum and sum, not the logarithm of the sum: scores of -1e5 would leave it no digits. dP is relative to the diagonal's, as in
gravity_rows.py.
TRITON_INTERPRET=1 runs the kernels on a CPU.

Tensors of kernels are in capitals: N heads of L tokens in a row. LAW = cutoff (0 none, 1 hard, 2 soft) + 4 (masses in scores) + 8 (rsqrt).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from ngt_train.gravity_rows import EPSILON, Law, RowBlocks

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
SEEDS = 0x7FFFFFFF  # what of a seed the kernels take
BLOCK = 16 if INTERPRETED else 64  # queries and keys of a tile


@triton.jit
def _scores(
    zi,
    zj,
    mi,
    mj,
    padded,
    rows,
    columns,
    gamma,
    bias,
    square,
    L,
    EPS: tl.constexpr,
    LAW: tl.constexpr,
):
    """Of a tile: scores, -inf where not seen, then 1 / (d2 + EPS), d2 and the fade of a soft cutoff (1 without)."""
    product = tl.dot(zi, tl.trans(zj), input_precision="ieee")
    d2 = tl.sum(zi * zi, 1)[:, None] + tl.sum(zj * zj, 1)[None, :] - 2.0 * product
    d2 = tl.where(rows[:, None] == columns[None, :], 0.0, tl.maximum(d2, 0.0))
    if LAW // 8:
        root = tl.rsqrt(d2 + EPS)
        inverse = root * root
    else:
        inverse = 1.0 / (d2 + EPS)
    score = bias - gamma * inverse
    if LAW // 4 % 2:
        score = score * mi[:, None] * mj[None, :]
    fade = tl.full(d2.shape, 1.0, tl.float32)
    seen = (columns[None, :] <= rows[:, None]) & (rows[:, None] < L) & (padded[None, :] == 0)
    if LAW % 4 == 1:
        seen = seen & (d2 <= square)
    if LAW % 4 == 2:
        fade = tl.maximum(1.0 - d2 / square, 0.0)
        score = score * fade
    return tl.where(seen, score, float("-inf")), inverse, d2, fade


@triton.jit
def _kept(seed, head, rows, columns, L, P: tl.constexpr):
    """Dropout's factor on the weights: 0 or 1 / (1 - P)."""
    draw = tl.rand(seed + head, rows[:, None] * L + columns[None, :])
    return tl.where(draw >= P, 1.0 / (1.0 - P), 0.0)


@triton.jit
def _matrix(pointer, head, rows, L, WIDTH: tl.constexpr):
    """Rows of one head of an (N, L, WIDTH) tensor; 0 past the end."""
    channels = tl.arange(0, WIDTH)
    return tl.load(pointer + (head * L + rows[:, None]) * WIDTH + channels[None, :], mask=rows[:, None] < L, other=0.0)


@triton.jit
def _vector(pointer, head, rows, L):
    """Entries of one head of an (N, L) tensor; 0 past the end."""
    return tl.load(pointer + head * L + rows, mask=rows < L, other=0)


@triton.jit
def _forward(Z, V, MASS, GAMMA, BIAS, SQUARE, PADDED, OUT, TOP, SUM, seed, L, E: tl.constexpr, D: tl.constexpr, B: tl.constexpr,
             EPS: tl.constexpr, LAW: tl.constexpr, P: tl.constexpr):  # fmt: skip
    head = tl.program_id(1).to(tl.int64)
    rows = tl.program_id(0) * B + tl.arange(0, B)
    zi, mi = _matrix(Z, head, rows, L, E), _vector(MASS, head, rows, L)
    gamma, bias, square = tl.load(GAMMA + head), tl.load(BIAS + head), tl.load(SQUARE)
    top = tl.full([B], float("-inf"), tl.float32)
    total = tl.zeros([B], tl.float32)
    out = tl.zeros([B, D], tl.float32)
    for start in range(0, (tl.program_id(0) + 1) * B, B):
        columns = start + tl.arange(0, B)
        zj, mj, padded = _matrix(Z, head, columns, L, E), _vector(MASS, head, columns, L), _vector(PADDED, head, columns, L)
        score, _, _, _ = _scores(zi, zj, mi, mj, padded, rows, columns, gamma, bias, square, L, EPS, LAW)
        higher = tl.maximum(top, tl.max(score, 1))
        base = tl.where(higher == float("-inf"), 0.0, higher)  # a row that has seen nothing yet
        weight = tl.exp(score - base[:, None])
        shrink = tl.exp(top - base)
        total = total * shrink + tl.sum(weight, 1)
        if P > 0:
            weight = weight * _kept(seed, head, rows, columns, L, P)
        v = _matrix(V, head, columns, L, D)
        out = out * shrink[:, None] + tl.dot(weight.to(v.dtype), v, input_precision="ieee")
        top = higher
    total = tl.where(total == 0.0, 1.0, total)
    top = tl.where(top == float("-inf"), 0.0, top)
    channels = tl.arange(0, D)
    place = OUT + (head * L + rows[:, None]) * D + channels[None, :]
    tl.store(place, (out / total[:, None]).to(OUT.dtype.element_ty), mask=rows[:, None] < L)
    tl.store(TOP + head * L + rows, top, mask=rows < L)
    tl.store(SUM + head * L + rows, total, mask=rows < L)


@triton.jit
def _of_tile(zi, zj, mi, mj, padded, v, of_out, top, total, shift, delta, rows, columns, head, gamma, bias, square, seed, L,
             EPS: tl.constexpr, LAW: tl.constexpr, P: tl.constexpr):  # fmt: skip
    """Of a tile: the weights as used, dP relative to the diagonal's, dS, and the parts of the law."""
    score, inverse, d2, fade = _scores(zi, zj, mi, mj, padded, rows, columns, gamma, bias, square, L, EPS, LAW)
    weight = tl.exp(score - top[:, None]) / total[:, None]
    of_weight = tl.dot(of_out, tl.trans(v), input_precision="ieee")
    used = weight
    if P > 0:
        factor = _kept(seed, head, rows, columns, L, P)
        of_weight = of_weight * factor
        used = weight * factor
    of_weight = tl.where(rows[:, None] == columns[None, :], 0.0, of_weight - shift[:, None])
    return used, weight * of_weight, weight * (of_weight - delta[:, None]), inverse, d2, fade


@triton.jit
def _of_law(of_score, inverse, d2, fade, mi, mj, rows, columns, gamma, bias, square, LAW: tl.constexpr):
    """dS taken apart: through the masses (without m_i m_j), through d2, and that times inverse, 1 and d2 for the parameters."""
    masses = mi[:, None] * mj[None, :] if LAW // 4 % 2 else tl.full(of_score.shape, 1.0, tl.float32)
    base = bias - gamma * inverse
    of_base = of_score * masses * fade
    of_d2 = of_base * gamma * inverse * inverse
    of_square = tl.zeros(of_score.shape, tl.float32)
    if LAW % 4 == 2:
        through = tl.where(fade > 0.0, of_score * masses * base / square, 0.0)
        of_d2 = of_d2 - through
        of_square = through * d2 / square
    of_d2 = tl.where(rows[:, None] == columns[None, :], 0.0, of_d2)
    return of_score * fade * base, of_d2, of_base * inverse, of_base, of_square


@triton.jit
def _of_queries(Z, V, MASS, GAMMA, BIAS, SQUARE, PADDED, OF_OUT, TOP, SUM, SHIFT, DELTA, OF_Z, OF_MASS, PARTIAL, seed, L, E: tl.constexpr,
                D: tl.constexpr, B: tl.constexpr, EPS: tl.constexpr, LAW: tl.constexpr, P: tl.constexpr):  # fmt: skip
    """Gradients of a block of queries, their delta, and this program's share of gamma, bias and square."""
    block, head = tl.program_id(0), tl.program_id(1).to(tl.int64)
    rows = block * B + tl.arange(0, B)
    zi, mi, of_out = _matrix(Z, head, rows, L, E), _vector(MASS, head, rows, L), _matrix(OF_OUT, head, rows, L, D)
    top, total, shift = _vector(TOP, head, rows, L), _vector(SUM, head, rows, L), _vector(SHIFT, head, rows, L)
    total = tl.where(rows < L, total, 1.0)
    gamma, bias, square = tl.load(GAMMA + head), tl.load(BIAS + head), tl.load(SQUARE)
    delta = tl.zeros([B], tl.float32)
    for start in range(0, (block + 1) * B, B):
        columns = start + tl.arange(0, B)
        zj, mj, padded = _matrix(Z, head, columns, L, E), _vector(MASS, head, columns, L), _vector(PADDED, head, columns, L)
        v = _matrix(V, head, columns, L, D)
        _, product, _, _, _, _ = _of_tile(zi, zj, mi, mj, padded, v, of_out, top, total, shift, delta * 0.0, rows, columns, head,
                                          gamma, bias, square, seed, L, EPS, LAW, P)  # fmt: skip
        delta += tl.sum(product, 1)
    tl.store(DELTA + head * L + rows, delta, mask=rows < L)
    of_z, of_mass = tl.zeros([B, E], tl.float32), tl.zeros([B], tl.float32)
    of_gamma, of_bias, of_square = tl.zeros([B], tl.float32), tl.zeros([B], tl.float32), tl.zeros([B], tl.float32)
    for start in range(0, (block + 1) * B, B):
        columns = start + tl.arange(0, B)
        zj, mj, padded = _matrix(Z, head, columns, L, E), _vector(MASS, head, columns, L), _vector(PADDED, head, columns, L)
        v = _matrix(V, head, columns, L, D)
        _, _, of_score, inverse, d2, fade = _of_tile(zi, zj, mi, mj, padded, v, of_out, top, total, shift, delta, rows, columns, head,
                                                     gamma, bias, square, seed, L, EPS, LAW, P)  # fmt: skip
        of_masses, of_d2, by_inverse, by_one, by_square = _of_law(
            of_score, inverse, d2, fade, mi, mj, rows, columns, gamma, bias, square, LAW
        )
        of_z += 2.0 * (tl.sum(of_d2, 1)[:, None] * zi - tl.dot(of_d2, zj, input_precision="ieee"))
        of_mass += tl.sum(of_masses * mj[None, :], 1)
        of_gamma -= tl.sum(by_inverse, 1)
        of_bias += tl.sum(by_one, 1)
        of_square += tl.sum(by_square, 1)
    channels = tl.arange(0, E)
    tl.store(OF_Z + (head * L + rows[:, None]) * E + channels[None, :], of_z, mask=rows[:, None] < L)
    tl.store(OF_MASS + head * L + rows, of_mass, mask=rows < L)
    share = PARTIAL + (head * tl.num_programs(0) + block) * 3
    tl.store(share, tl.sum(of_gamma, 0))
    tl.store(share + 1, tl.sum(of_bias, 0))
    tl.store(share + 2, tl.sum(of_square, 0))


@triton.jit
def _of_keys(Z, V, MASS, GAMMA, BIAS, SQUARE, PADDED, OF_OUT, TOP, SUM, SHIFT, DELTA, OF_Z, OF_V, OF_MASS, seed, L, E: tl.constexpr,
             D: tl.constexpr, B: tl.constexpr, EPS: tl.constexpr, LAW: tl.constexpr, P: tl.constexpr):  # fmt: skip
    """Adds the gradients of a block of keys to what its queries left."""
    block, head = tl.program_id(0), tl.program_id(1).to(tl.int64)
    columns = block * B + tl.arange(0, B)
    zj, mj, padded = _matrix(Z, head, columns, L, E), _vector(MASS, head, columns, L), _vector(PADDED, head, columns, L)
    v = _matrix(V, head, columns, L, D)
    gamma, bias, square = tl.load(GAMMA + head), tl.load(BIAS + head), tl.load(SQUARE)
    of_z, of_v, of_mass = tl.zeros([B, E], tl.float32), tl.zeros([B, D], tl.float32), tl.zeros([B], tl.float32)
    for start in range(block * B, L, B):
        rows = start + tl.arange(0, B)
        zi, mi, of_out = _matrix(Z, head, rows, L, E), _vector(MASS, head, rows, L), _matrix(OF_OUT, head, rows, L, D)
        top, total = _vector(TOP, head, rows, L), tl.where(rows < L, _vector(SUM, head, rows, L), 1.0)
        shift, delta = _vector(SHIFT, head, rows, L), _vector(DELTA, head, rows, L)
        used, _, of_score, inverse, d2, fade = _of_tile(zi, zj, mi, mj, padded, v, of_out, top, total, shift, delta, rows, columns, head,
                                                        gamma, bias, square, seed, L, EPS, LAW, P)  # fmt: skip
        of_masses, of_d2, _, _, _ = _of_law(of_score, inverse, d2, fade, mi, mj, rows, columns, gamma, bias, square, LAW)
        of_v += tl.dot(tl.trans(used).to(of_out.dtype), of_out, input_precision="ieee")
        of_z += 2.0 * (tl.sum(of_d2, 0)[:, None] * zj - tl.dot(tl.trans(of_d2), zi, input_precision="ieee"))
        of_mass += tl.sum(of_masses * mi[:, None], 0)
    channels = tl.arange(0, E)
    place = OF_Z + (head * L + columns[:, None]) * E + channels[None, :]
    tl.store(place, tl.load(place, mask=columns[:, None] < L, other=0.0) + of_z, mask=columns[:, None] < L)
    width = tl.arange(0, D)
    tl.store(OF_V + (head * L + columns[:, None]) * D + width[None, :], of_v.to(OF_V.dtype.element_ty), mask=columns[:, None] < L)
    entry = OF_MASS + head * L + columns
    tl.store(entry, tl.load(entry, mask=columns < L, other=0.0) + of_mass, mask=columns < L)


class TritonBlocks(torch.autograd.Function):
    """RowBlocks' arguments and result; z, mass, gamma, bias and radius are fp32, v of any floating type."""

    @staticmethod
    def forward(ctx: Any, law: Law, *inputs: Tensor) -> Tensor:
        z, v, mass, gamma, bias, radius, hidden = inputs
        heads, length = mass.shape
        padded = torch.zeros_like(mass, dtype=torch.int8) if hidden is None else hidden.to(torch.int8)
        parts = (
            _wide(z - z[:, :1]),
            _wide(v),
            mass.contiguous(),
            gamma.contiguous(),
            bias.contiguous(),
            radius.square(),
            padded.contiguous(),
        )
        out, top, total = torch.empty_like(parts[1]), torch.empty_like(parts[2]), torch.empty_like(parts[2])
        grid = (triton.cdiv(length, BLOCK), heads)
        _forward[grid](*parts, out, top, total, law.seed & SEEDS, length, **_constants(law, parts))
        ctx.law, ctx.widths, ctx.radius = law, (z.size(-1), v.size(-1)), radius
        ctx.save_for_backward(*parts, top, total)
        return out[..., : v.size(-1)]

    @staticmethod
    def backward(ctx: Any, of_out: Tensor) -> tuple[Tensor | None, ...]:
        *parts, top, total = ctx.saved_tensors
        law, (heads, length) = ctx.law, top.shape
        of_out = _wide(of_out.to(parts[1].dtype))
        shift = (of_out.float() * parts[1].float()).sum(-1)
        seed, grid = law.seed & SEEDS, (triton.cdiv(length, BLOCK), heads)
        if law.dropout:
            _scaled_by_diagonal[grid](shift, seed, length, B=BLOCK, P=law.dropout)
        delta, of_mass = torch.empty_like(top), torch.empty_like(top)
        of_z, of_v = torch.empty_like(parts[0]), torch.empty_like(parts[1])
        partial = torch.empty(heads, grid[0], 3, dtype=torch.float32, device=top.device)
        common = (*parts, of_out, top, total, shift, delta, of_z)
        _of_queries[grid](*common, of_mass, partial, seed, length, **_constants(law, parts))
        _of_keys[grid](*common, of_v, of_mass, seed, length, **_constants(law, parts))
        of_gamma, of_bias, of_square = partial.sum(1).unbind(-1)
        return (
            None,
            of_z[..., : ctx.widths[0]],
            of_v[..., : ctx.widths[1]],
            of_mass if law.mass_in_score else None,
            of_gamma,
            of_bias if law.biased else None,
            2 * ctx.radius * of_square.sum() if law.cutoff == "soft" else None,
            None,
        )


@triton.jit
def _scaled_by_diagonal(SHIFT, seed, L, B: tl.constexpr, P: tl.constexpr):
    """Dropout's factor of each diagonal weight, multiplied into (N, L)."""
    head = tl.program_id(1).to(tl.int64)
    rows = tl.program_id(0) * B + tl.arange(0, B)
    factor = tl.where(tl.rand(seed + head, rows * L + rows) >= P, 1.0 / (1.0 - P), 0.0)
    place = SHIFT + head * L + rows
    tl.store(place, tl.load(place, mask=rows < L, other=0.0) * factor, mask=rows < L)


def _wide(x: Tensor) -> Tensor:
    """Contiguous, the last axis padded with zeros to a power of two of at least 16, as tl.dot wants it."""
    width = max(16, triton.next_power_of_2(x.size(-1)))
    return torch.nn.functional.pad(x, (0, width - x.size(-1))).contiguous()


def _constants(law: Law, parts: Sequence[Tensor]) -> dict[str, Any]:
    number = ("none", "hard", "soft").index(law.cutoff) + 4 * law.mass_in_score + 8 * law.rsqrt
    shape = {"E": parts[0].size(-1), "D": parts[1].size(-1), "B": BLOCK}
    return {**shape, "EPS": EPSILON, "LAW": number, "P": law.dropout}


def problem(device: torch.device) -> str | None:
    """Why these kernels should not be used on a device: they fail there, or differ from RowBlocks on a small case; None if all is well."""
    shapes = [(2, 70, 16), (2, 70, 32), (2, 70), (2,), (2,), ()]
    generator = torch.Generator().manual_seed(0)
    given = [(torch.rand(shape, generator=generator) + 0.1).to(device) for shape in shapes]
    results = []
    for function in (RowBlocks, TritonBlocks):
        leaves = [part.clone().requires_grad_() for part in given]
        try:
            out = function.apply(Law("soft", True, False, 0.0, 0), *leaves, None)
            results.append([out.detach(), *torch.autograd.grad(out.square().sum(), leaves)])
        except Exception as error:  # a compiler has many ways to fail; the caller tells the user which
            return f"{type(error).__name__}: {error}".splitlines()[0]
    worst = max(float((a - b).norm() / a.norm()) for a, b in zip(*results, strict=True))
    return None if worst < 1e-3 else f"they differ from the row blocks by {worst:.1e}"
