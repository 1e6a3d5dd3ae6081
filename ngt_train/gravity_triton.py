"""Gravity attention as Triton kernels for CUDA: online softmax, fp32 distances, Philox dropout, partial sums instead of atomics.

One program takes a block of queries (forward, backward of queries) or of keys (backward of keys) of one head. Tensors of kernels are
in capitals: (B, L, H, width) for coordinates and values, as a linear layer leaves them, (B, L) for masses, (N, L) for what each row
keeps, N = B H.

A token's pair with itself stands outside of the tiles. Its 1/d2 is 1e6, which would blow the rounding of its gradient up: so forward
keeps the other keys' share of the output and of the weights (APART, REST), and backward takes dP relative to the diagonal's, as in
gravity_rows.py. Backward uses each row's maximum and sum, not the logarithm of the sum: scores of -1e5 would leave it no digits.

TRITON_INTERPRET=1 runs the kernels on a CPU. LAW = cutoff (0 none, 1 hard, 2 soft) + 4 (masses in scores, else in values) + 8 (rsqrt);
P = dropout in 65536ths.
"""

from __future__ import annotations

import os
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from ngt_train import gravity_rows
from ngt_train.gravity_rows import EPSILON, Law

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
# Queries and keys of a tile, and the warps that share it: on an H200 as fast as 64 and four with dropout, a quarter slower without. Larger
# tiles take another kind of tensor core instruction; some of them now and then ended in an illegal memory access with Triton 3.6.
TILE = {"B": 16 if INTERPRETED else 32, "num_warps": 2}


@triton.jit
def _matrix(pointer, rows, L, stride, WIDTH: tl.constexpr, WIDE: tl.constexpr):
    """Rows of one head, `pointer` at its first; 0 past the end and past the width."""
    channels = tl.arange(0, WIDE)
    inside = (rows[:, None] < L) & (channels[None, :] < WIDTH)
    return tl.load(pointer + rows[:, None] * stride + channels[None, :], mask=inside, other=0.0)


@triton.jit
def _store(pointer, values, rows, L, stride, WIDTH: tl.constexpr, WIDE: tl.constexpr):
    channels = tl.arange(0, WIDE)
    inside = (rows[:, None] < L) & (channels[None, :] < WIDTH)
    tl.store(pointer + rows[:, None] * stride + channels[None, :], values.to(pointer.dtype.element_ty), mask=inside)


@triton.jit
def _coordinates(Z, rows, L, stride, WIDTH: tl.constexpr, WIDE: tl.constexpr):
    """Coordinates around token 0: distances do not change, but their rounding does."""
    channels = tl.arange(0, WIDE)
    first = tl.load(Z + channels, mask=channels < WIDTH, other=0.0)
    return _matrix(Z, rows, L, stride, WIDTH, WIDE) - first[None, :]


@triton.jit
def _law(zi, zj, gamma, bias, square, EPS: tl.constexpr, LAW: tl.constexpr):
    """Of a tile, without masses: d2 + EPS, its inverse, bias - gamma x inverse, and the fade of a soft cutoff (1 without)."""
    norms = (tl.sum(zi * zi, 1) + EPS)[:, None] + tl.sum(zj * zj, 1)[None, :]
    d2 = tl.maximum(norms - 2.0 * tl.dot(zi, tl.trans(zj), input_precision="tf32x3"), EPS)
    if LAW // 8:
        root = tl.rsqrt(d2)
        inverse = root * root
    else:
        inverse = 1.0 / d2
    fade = tl.full(d2.shape, 1.0, tl.float32)
    if LAW % 4 == 2:
        fade = tl.maximum(1.0 - (d2 - EPS) * (1.0 / square), 0.0)
    return d2, inverse, bias - gamma * inverse, fade


@triton.jit
def _scores(base, d2, fade, mi, mj, rows, columns, hidden, square, EPS: tl.constexpr, LAW: tl.constexpr, HIDING: tl.constexpr,
            DIAGONAL: tl.constexpr):  # fmt: skip
    """Scores of a tile, -inf where not seen; with DIAGONAL only keys before their query are."""
    score = base
    if LAW // 4 % 2:
        score = score * mi[:, None] * mj[None, :]
    if LAW % 4 == 2:
        score = score * fade
    if LAW % 4 == 1:
        score = tl.where(d2 <= square + EPS, score, float("-inf"))
    if HIDING:
        score = tl.where(hidden[None, :] == 0, score, float("-inf"))
    if DIAGONAL:
        score = tl.where(columns[None, :] < rows[:, None], score, float("-inf"))
    return score


@triton.jit
def _own_scores(mass, hidden, gamma, bias, EPS: tl.constexpr, LAW: tl.constexpr):
    """Scores of tokens with themselves, -inf for padding."""
    score = bias - gamma * (1.0 / EPS) + 0.0 * mass
    if LAW // 4 % 2:
        score = score * mass * mass
    return tl.where(hidden == 0, score, float("-inf"))


@triton.jit
def _kept(seed, rows, columns, L, B: tl.constexpr, P: tl.constexpr):
    """Dropout's factor on the weights of a tile, 0 or 1 / (1 - P): eight neighbouring keys share a draw of 128 bits.

    Philox4x32 of seven rounds, the fewest that pass BigCrush (Salmon et al., 2011).
    """
    eights = tl.min(columns, 0) // 8 + tl.arange(0, B // 8)
    a, b, c, d = tl.randint4x(seed, rows[:, None] * tl.cdiv(L, 8) + eights[None, :], 7)
    ac = tl.interleave(tl.interleave(_low(a, P), _high(a, P)), tl.interleave(_low(c, P), _high(c, P)))
    bd = tl.interleave(tl.interleave(_low(b, P), _high(b, P)), tl.interleave(_low(d, P), _high(d, P)))
    return tl.where(tl.interleave(ac, bd) != 0, 65536 / (65536 - P), 0.0)


@triton.jit
def _own_kept(seed, rows, L, P: tl.constexpr):
    """Dropout's factor on the weights of tokens with themselves, as in their tiles."""
    a, b, c, d = tl.randint4x(seed, rows * tl.cdiv(L, 8) + rows // 8, 7)
    word = tl.where(rows % 4 == 0, a, tl.where(rows % 4 == 1, b, tl.where(rows % 4 == 2, c, d)))
    return tl.where(tl.where(rows % 8 < 4, _low(word, P), _high(word, P)) != 0, 65536 / (65536 - P), 0.0)


@triton.jit
def _low(draw, P: tl.constexpr):
    """Whether the lower 16 bits let a weight pass."""
    return ((draw & 65535) >= P).to(tl.int8)


@triton.jit
def _high(draw, P: tl.constexpr):
    return (((draw >> 16) & 65535) >= P).to(tl.int8)


@triton.jit
def _absorb(start, zi, mi, out, rest, top, rows, Z, V, MASS, HIDDEN, gamma, bias, square, seed, L, H, E: tl.constexpr, EW: tl.constexpr,
            D: tl.constexpr, DW: tl.constexpr, B: tl.constexpr, EPS: tl.constexpr, LAW: tl.constexpr, P: tl.constexpr, HIDING: tl.constexpr,
            DIAGONAL: tl.constexpr):  # fmt: skip
    """A tile of keys into a block of queries' sums, which are relative to their highest score so far."""
    columns = start + tl.arange(0, B)
    zj, v = _coordinates(Z, columns, L, H * E, E, EW), _matrix(V, columns, L, H * D, D, DW)
    mj, hidden = tl.load(MASS + columns, mask=columns < L, other=0.0), 0
    if HIDING:
        hidden = tl.load(HIDDEN + columns, mask=columns < L, other=1)
    d2, _, base, fade = _law(zi, zj, gamma, bias, square, EPS, LAW)
    score = _scores(base, d2, fade, mi, mj, rows, columns, hidden, square, EPS, LAW, HIDING, DIAGONAL)
    higher = tl.maximum(top, tl.max(score, 1))
    anchor = tl.where(higher == float("-inf"), 0.0, higher)  # a row that has seen nothing yet
    weight = tl.exp(score - anchor[:, None])
    shrink = tl.exp(top - anchor)
    rest = rest * shrink + tl.sum(weight, 1)
    if P > 0:
        weight = weight * _kept(seed, rows, columns, L, B, P)
    if LAW // 4 % 2 == 0:
        weight = weight * mj[None, :]
    out = out * shrink[:, None] + tl.dot(weight.to(v.dtype), v, input_precision="tf32x3")
    return out, rest, higher


@triton.jit
def _forward(Z, V, MASS, GAMMA, BIAS, RADIUS, HIDDEN, SEED, OUT, APART, REST, TOP, SCALE, L, H, E: tl.constexpr, EW: tl.constexpr,
             D: tl.constexpr, DW: tl.constexpr, B: tl.constexpr, EPS: tl.constexpr, LAW: tl.constexpr, P: tl.constexpr,
             HIDING: tl.constexpr, TRAINING: tl.constexpr):  # fmt: skip
    n, block = tl.program_id(1).to(tl.int64), tl.cdiv(L, B) - 1 - tl.program_id(0)  # the longest first
    batch, head = n // H, n % H
    Z, V, MASS, HIDDEN = Z + (batch * L * H + head) * E, V + (batch * L * H + head) * D, MASS + batch * L, HIDDEN + batch * L
    gamma, bias, radius = tl.load(GAMMA + head), tl.load(BIAS + head), tl.load(RADIUS)
    seed = tl.load(SEED) + n if P > 0 else n
    rows = block * B + tl.arange(0, B)
    zi, mi = _coordinates(Z, rows, L, H * E, E, EW), tl.load(MASS + rows, mask=rows < L, other=0.0)
    top = tl.full([B], float("-inf"), tl.float32)
    rest, out = tl.zeros([B], tl.float32), tl.zeros([B, DW], tl.float32)
    for start in range(0, block * B, B):
        out, rest, top = _absorb(start, zi, mi, out, rest, top, rows, Z, V, MASS, HIDDEN, gamma, bias, radius * radius, seed, L, H,
                                 E, EW, D, DW, B, EPS, LAW, P, HIDING, False)  # fmt: skip
    out, rest, top = _absorb(block * B, zi, mi, out, rest, top, rows, Z, V, MASS, HIDDEN, gamma, bias, radius * radius, seed, L, H,
                             E, EW, D, DW, B, EPS, LAW, P, HIDING, True)  # fmt: skip
    hidden = tl.load(HIDDEN + rows, mask=rows < L, other=1) if HIDING else tl.zeros([B], tl.int8)
    own = _own_scores(mi, hidden, gamma, bias, EPS, LAW)
    higher = tl.maximum(top, own)
    higher = tl.where(higher == float("-inf"), 0.0, higher)
    shrink, weight = tl.exp(top - higher), tl.exp(own - higher)
    total = rest * shrink + weight
    scale = tl.where(total > 0.0, 1.0 / tl.where(total > 0.0, total, 1.0), 0.0)
    apart, rest = out * (shrink * scale)[:, None], rest * shrink * scale
    used = weight * scale
    if P > 0:
        used = used * _own_kept(seed, rows, L, P)
    if LAW // 4 % 2 == 0:
        used = used * mi
    v = _matrix(V, rows, L, H * D, D, DW).to(tl.float32)
    place = (batch * L * H + head) * D
    _store(OUT + place, apart + used[:, None] * v, rows, L, H * D, D, DW)
    if TRAINING:
        _store(APART + place, apart, rows, L, H * D, D, DW)
        tl.store(REST + n * L + rows, rest, mask=rows < L)
        tl.store(TOP + n * L + rows, higher, mask=rows < L)
        tl.store(SCALE + n * L + rows, scale, mask=rows < L)


@triton.jit
def _of_scores(base, d2, fade, mi, mj, of_out, v, top, scale, level, rows, columns, hidden, square, seed, L, B: tl.constexpr,
               EPS: tl.constexpr, LAW: tl.constexpr, P: tl.constexpr, HIDING: tl.constexpr, DIAGONAL: tl.constexpr):  # fmt: skip
    """Of a tile: the weights as the values see them, without masses, and the gradient of the scores."""
    score = _scores(base, d2, fade, mi, mj, rows, columns, hidden, square, EPS, LAW, HIDING, DIAGONAL)
    weight = tl.exp(score - top[:, None]) * scale[:, None]
    of_weight = tl.dot(of_out, tl.trans(v), input_precision="tf32x3")
    used = weight
    if LAW // 4 % 2 == 0:
        of_weight = of_weight * mj[None, :]
    if P > 0:
        factor = _kept(seed, rows, columns, L, B, P)
        of_weight = of_weight * factor
        used = weight * factor
    return used, weight * (of_weight - level[:, None])


@triton.jit
def _force(of_score, d2, inverse, base, fade, gamma, square, LAW: tl.constexpr):
    """dS without the fade, and the gradient of d2, both without the masses that are in of_score's place to come."""
    of_base = of_score
    force = of_score * inverse * inverse * gamma
    if LAW % 4 == 2:
        of_base = of_score * fade
        force = force * fade - tl.where(fade > 0.0, of_score * base, 0.0) * (1.0 / square)
    return of_base, force


@triton.jit
def _pull(start, zi, mi, of_out, top, scale, level, of_z, pull, by_inverse, by_one, by_square, rows, Z, V, MASS, HIDDEN, gamma, bias,
          square, seed, L, H, E: tl.constexpr, EW: tl.constexpr, D: tl.constexpr, DW: tl.constexpr, B: tl.constexpr, EPS: tl.constexpr,
          LAW: tl.constexpr, P: tl.constexpr, HIDING: tl.constexpr, DIAGONAL: tl.constexpr):  # fmt: skip
    """A tile of keys into the gradients of a block of queries, their own masses left out."""
    columns = start + tl.arange(0, B)
    zj, v = _coordinates(Z, columns, L, H * E, E, EW), _matrix(V, columns, L, H * D, D, DW)
    mj, hidden = tl.load(MASS + columns, mask=columns < L, other=0.0), 0
    if HIDING:
        hidden = tl.load(HIDDEN + columns, mask=columns < L, other=1)
    d2, inverse, base, fade = _law(zi, zj, gamma, bias, square, EPS, LAW)
    _, of_score = _of_scores(base, d2, fade, mi, mj, of_out, v, top, scale, level, rows, columns, hidden, square, seed, L, B, EPS, LAW, P,
                             HIDING, DIAGONAL)  # fmt: skip
    if LAW // 4 % 2:
        of_score = of_score * mj[None, :]
    of_base, force = _force(of_score, d2, inverse, base, fade, gamma, square, LAW)
    EXACT: tl.constexpr = "tf32x3" if v.dtype == tl.float32 else "tf32"  # as exact as the values are
    of_z += tl.dot(force, zj, input_precision=EXACT)
    pull += tl.sum(force, 1)
    by_inverse += tl.sum(of_base * inverse, 1)
    if LAW // 4 % 2 or LAW % 4 == 2:
        by_one += tl.sum(of_base, 1)
    if LAW % 4 == 2:
        by_square += tl.sum(tl.where(fade > 0.0, of_score * base * (d2 - EPS), 0.0), 1)
    return of_z, pull, by_inverse, by_one, by_square


@triton.jit
def _of_queries(Z, V, MASS, GAMMA, BIAS, RADIUS, HIDDEN, SEED, OF_OUT, APART, REST, TOP, SCALE, LEVEL, OF_Z, OF_MASS, PARTIAL, L, H,
                E: tl.constexpr, EW: tl.constexpr, D: tl.constexpr, DW: tl.constexpr, B: tl.constexpr, EPS: tl.constexpr,
                LAW: tl.constexpr, P: tl.constexpr, HIDING: tl.constexpr):  # fmt: skip
    """Gradients of a block of queries, the level that dP is held against, and this program's share of gamma, bias and square."""
    n, block = tl.program_id(1).to(tl.int64), tl.cdiv(L, B) - 1 - tl.program_id(0)
    batch, head = n // H, n % H
    Z, V, MASS, HIDDEN = Z + (batch * L * H + head) * E, V + (batch * L * H + head) * D, MASS + batch * L, HIDDEN + batch * L
    gamma, bias, radius = tl.load(GAMMA + head), tl.load(BIAS + head), tl.load(RADIUS)
    seed, square = tl.load(SEED) + n if P > 0 else n, radius * radius
    rows = block * B + tl.arange(0, B)
    inside = rows < L
    zi, mi = _coordinates(Z, rows, L, H * E, E, EW), tl.load(MASS + rows, mask=inside, other=0.0)
    top = tl.load(TOP + n * L + rows, mask=inside, other=float("inf"))  # whose weights are 0
    scale, rest = tl.load(SCALE + n * L + rows, mask=inside, other=0.0), tl.load(REST + n * L + rows, mask=inside, other=0.0)
    place = (batch * L * H + head) * D
    of_out = _matrix(OF_OUT + place, rows, L, H * D, D, DW)
    wide = of_out.to(tl.float32)
    shift = tl.sum(wide * _matrix(V, rows, L, H * D, D, DW).to(tl.float32), 1)
    if P > 0:
        shift = shift * _own_kept(seed, rows, L, P)
    if LAW // 4 % 2 == 0:
        shift = shift * mi
    delta = tl.sum(wide * _matrix(APART + place, rows, L, H * D, D, DW), 1) - shift * rest
    level = shift + delta
    tl.store(LEVEL + n * L + rows, level, mask=inside)
    of_z, pull = tl.zeros([B, EW], tl.float32), tl.zeros([B], tl.float32)
    by_inverse, by_one, by_square = tl.zeros([B], tl.float32), tl.zeros([B], tl.float32), tl.zeros([B], tl.float32)
    for start in range(0, block * B, B):
        of_z, pull, by_inverse, by_one, by_square = _pull(
            start, zi, mi, of_out, top, scale, level, of_z, pull, by_inverse, by_one, by_square, rows, Z, V, MASS, HIDDEN, gamma, bias,
            square, seed, L, H, E, EW, D, DW, B, EPS, LAW, P, HIDING, False)  # fmt: skip
    of_z, pull, by_inverse, by_one, by_square = _pull(
        block * B, zi, mi, of_out, top, scale, level, of_z, pull, by_inverse, by_one, by_square, rows, Z, V, MASS, HIDDEN, gamma, bias,
        square, seed, L, H, E, EW, D, DW, B, EPS, LAW, P, HIDING, True)  # fmt: skip
    hidden = tl.load(HIDDEN + rows, mask=inside, other=1) if HIDING else tl.zeros([B], tl.int8)
    own = tl.exp(_own_scores(mi, hidden, gamma, bias, EPS, LAW) - top) * scale * -delta  # dS of tokens with themselves
    of_z = 2.0 * (pull[:, None] * zi - of_z)
    if LAW // 4 % 2:
        of_mass = bias * by_one - gamma * by_inverse + 2.0 * mi * own * (bias - gamma * (1.0 / EPS))
        tl.store(OF_MASS + n * L + rows, of_mass, mask=inside)
        by_inverse, by_one, by_square, own = by_inverse * mi, by_one * mi, by_square * mi, own * mi * mi
        of_z = of_z * mi[:, None]
    _store(OF_Z + (batch * L * H + head) * E, of_z, rows, L, H * E, E, EW)
    share = PARTIAL + (n * tl.cdiv(L, B) + block) * 3
    tl.store(share, -tl.sum(by_inverse + own * (1.0 / EPS), 0))
    tl.store(share + 1, tl.sum(by_one + own, 0))
    tl.store(share + 2, tl.sum(by_square, 0) / (square * square))


@triton.jit
def _push(start, zj, mj, v, hidden, of_z, of_v, pull, by_inverse, by_one, columns, Z, MASS, OF_OUT, TOP, SCALE, LEVEL, gamma, bias, square,
          seed, L, H, E: tl.constexpr, EW: tl.constexpr, D: tl.constexpr, DW: tl.constexpr, B: tl.constexpr, EPS: tl.constexpr,
          LAW: tl.constexpr, P: tl.constexpr, HIDING: tl.constexpr, DIAGONAL: tl.constexpr):  # fmt: skip
    """A tile of queries into the gradients of a block of keys, their own masses left out."""
    rows = start + tl.arange(0, B)
    inside = rows < L
    zi, of_out = _coordinates(Z, rows, L, H * E, E, EW), _matrix(OF_OUT, rows, L, H * D, D, DW)
    mi, level = tl.load(MASS + rows, mask=inside, other=0.0), tl.load(LEVEL + rows, mask=inside, other=0.0)
    top, scale = tl.load(TOP + rows, mask=inside, other=float("inf")), tl.load(SCALE + rows, mask=inside, other=0.0)
    d2, inverse, base, fade = _law(zi, zj, gamma, bias, square, EPS, LAW)
    used, of_score = _of_scores(base, d2, fade, mi, mj, of_out, v, top, scale, level, rows, columns, hidden, square, seed, L, B, EPS, LAW,
                                P, HIDING, DIAGONAL)  # fmt: skip
    of_v += tl.dot(tl.trans(used).to(of_out.dtype), of_out, input_precision="tf32x3")
    if LAW // 4 % 2:
        of_score = of_score * mi[:, None]
    of_base, force = _force(of_score, d2, inverse, base, fade, gamma, square, LAW)
    EXACT: tl.constexpr = "tf32x3" if v.dtype == tl.float32 else "tf32"
    of_z += tl.dot(tl.trans(force), zi, input_precision=EXACT)
    pull += tl.sum(force, 0)
    if LAW // 4 % 2:
        by_inverse += tl.sum(of_base * inverse, 0)
        by_one += tl.sum(of_base, 0)
    return of_z, of_v, pull, by_inverse, by_one


@triton.jit
def _of_keys(Z, V, MASS, GAMMA, BIAS, RADIUS, HIDDEN, SEED, OF_OUT, TOP, SCALE, LEVEL, OF_Z, OF_V, OF_MASS, L, H, E: tl.constexpr,
             EW: tl.constexpr, D: tl.constexpr, DW: tl.constexpr, B: tl.constexpr, EPS: tl.constexpr, LAW: tl.constexpr, P: tl.constexpr,
             HIDING: tl.constexpr):  # fmt: skip
    """Adds the gradients of a block of keys to what its queries left."""
    n, block = tl.program_id(1).to(tl.int64), tl.program_id(0)
    batch, head = n // H, n % H
    Z, V, MASS, HIDDEN = Z + (batch * L * H + head) * E, V + (batch * L * H + head) * D, MASS + batch * L, HIDDEN + batch * L
    OF_OUT, TOP, SCALE, LEVEL = OF_OUT + (batch * L * H + head) * D, TOP + n * L, SCALE + n * L, LEVEL + n * L
    gamma, bias, radius = tl.load(GAMMA + head), tl.load(BIAS + head), tl.load(RADIUS)
    seed, square = tl.load(SEED) + n if P > 0 else n, radius * radius
    columns = block * B + tl.arange(0, B)
    inside = columns < L
    zj, mj = _coordinates(Z, columns, L, H * E, E, EW), tl.load(MASS + columns, mask=inside, other=0.0)
    v = _matrix(V, columns, L, H * D, D, DW)
    hidden = tl.load(HIDDEN + columns, mask=inside, other=1) if HIDING else tl.zeros([B], tl.int8)
    own = tl.exp(_own_scores(mj, hidden, gamma, bias, EPS, LAW) - tl.load(TOP + columns, mask=inside, other=float("inf")))
    own = own * tl.load(SCALE + columns, mask=inside, other=0.0)  # weights of tokens with themselves
    if P > 0:
        own = own * _own_kept(seed, columns, L, P)
    of_v = own[:, None] * _matrix(OF_OUT, columns, L, H * D, D, DW).to(tl.float32)
    of_z, pull = tl.zeros([B, EW], tl.float32), tl.zeros([B], tl.float32)
    by_inverse, by_one = tl.zeros([B], tl.float32), tl.zeros([B], tl.float32)
    of_z, of_v, pull, by_inverse, by_one = _push(
        block * B, zj, mj, v, hidden, of_z, of_v, pull, by_inverse, by_one, columns, Z, MASS, OF_OUT, TOP, SCALE, LEVEL, gamma, bias,
        square, seed, L, H, E, EW, D, DW, B, EPS, LAW, P, HIDING, True)  # fmt: skip
    for start in range((block + 1) * B, L, B):
        of_z, of_v, pull, by_inverse, by_one = _push(
            start, zj, mj, v, hidden, of_z, of_v, pull, by_inverse, by_one, columns, Z, MASS, OF_OUT, TOP, SCALE, LEVEL, gamma, bias,
            square, seed, L, H, E, EW, D, DW, B, EPS, LAW, P, HIDING, False)  # fmt: skip
    of_z = 2.0 * (pull[:, None] * zj - of_z)
    entry = OF_MASS + n * L + columns
    if LAW // 4 % 2:
        of_z = of_z * mj[:, None]
        tl.store(entry, tl.load(entry, mask=inside, other=0.0) + bias * by_one - gamma * by_inverse, mask=inside)
    else:
        tl.store(entry, tl.sum(of_v * v.to(tl.float32), 1), mask=inside)
        of_v = of_v * mj[:, None]
    OF_Z += (batch * L * H + head) * E
    _store(OF_Z, _matrix(OF_Z, columns, L, H * E, E, EW) + of_z, columns, L, H * E, E, EW)
    _store(OF_V + (batch * L * H + head) * D, of_v, columns, L, H * D, D, DW)


def attention(law: Law, *inputs: Tensor | None) -> Tensor:
    """Arguments and result of gravity_rows.attention; all but v are fp32, v of any floating type."""
    return TritonBlocks.apply(law, *inputs)


class TritonBlocks(torch.autograd.Function):
    """The kernels with their gradients."""

    @staticmethod
    def forward(ctx: Any, law: Law, *inputs: Any) -> Tensor:
        z, v, mass, gamma, bias, radius, hidden, seed = inputs
        b, h, length, _ = z.shape
        z, v, mass = _token_major(z), _token_major(v), mass.contiguous()
        hiding = hidden is not None
        hidden = hidden.to(torch.int8).contiguous() if hiding else mass  # which is not looked at
        seed = mass if seed is None else seed.to(z.device)
        parts = (z, v, mass, gamma.contiguous(), bias.contiguous(), radius, hidden, seed)
        out, rows = torch.empty_like(v), torch.empty(3, b * h, length, dtype=torch.float32, device=z.device)
        training = any(ctx.needs_input_grad)
        apart = torch.empty(v.shape if training else (), dtype=torch.float32, device=z.device)
        ctx.law, ctx.constants = law, _constants(law, z, v, hiding)
        grid = (triton.cdiv(length, TILE["B"]), b * h)
        _forward[grid](*parts, out, apart, *rows, length, h, **ctx.constants, **TILE, TRAINING=training)
        if training:
            ctx.save_for_backward(*parts, apart, rows)
        return out.transpose(1, 2)

    @staticmethod
    def backward(ctx: Any, of_out: Tensor) -> tuple[Tensor | None, ...]:
        *parts, apart, rows = ctx.saved_tensors
        z, v, _, _, _, radius, _, _ = parts
        (b, length, h, _), law = z.shape, ctx.law
        of_out = _token_major(of_out.to(v.dtype))
        of_z, of_v = torch.empty_like(z), torch.empty_like(v)
        level, of_mass = torch.empty_like(rows[:2])
        blocks = triton.cdiv(length, TILE["B"])
        partial = torch.empty(b, h, blocks, 3, dtype=torch.float32, device=z.device)
        rest, top, scale = rows
        kept = (apart, rest, top, scale)
        grid = (blocks, b * h)
        _of_queries[grid](*parts, of_out, *kept, level, of_z, of_mass, partial, length, h, **ctx.constants, **TILE)
        _of_keys[grid](*parts, of_out, top, scale, level, of_z, of_v, of_mass, length, h, **ctx.constants, **TILE)
        of_gamma, of_bias, of_square = partial.sum((0, 2)).unbind(-1)
        return (
            None,
            of_z.transpose(1, 2),
            of_v.transpose(1, 2),
            of_mass.view(b, h, length).sum(1),
            of_gamma,
            of_bias if law.biased else None,
            2 * radius * of_square.sum() if law.cutoff == "soft" else None,
            None,
            None,
        )


def _token_major(x: Tensor) -> Tensor:
    """(B, H, L, width) -> (B, L, H, width) in this order in memory, which is how a split of a linear layer's output lies already."""
    return x.transpose(1, 2).contiguous()


def _constants(law: Law, z: Tensor, v: Tensor, hiding: bool) -> dict[str, Any]:
    number = ("none", "hard", "soft").index(law.cutoff) + 4 * law.mass_in_score + 8 * law.rsqrt
    e, d = z.size(-1), v.size(-1)
    wide = {"EW": max(16, triton.next_power_of_2(e)), "DW": max(16, triton.next_power_of_2(d))}  # as tl.dot wants them
    return {"E": e, "D": d, **wide, "EPS": EPSILON, "LAW": number, "P": min(round(law.dropout * 65536), 65535), "HIDING": hiding}


def problem(device: torch.device) -> str | None:
    """Why these kernels should not be used on a device: they fail there, or differ from RowBlocks on a small case; None if all is well."""
    shapes = [(1, 2, 70, 16), (1, 2, 70, 32), (1, 70), (2,), (2,), ()]
    generator = torch.Generator().manual_seed(0)
    given = [(torch.rand(shape, generator=generator) + 0.1).to(device) for shape in shapes]
    law = Law("soft", True, False, 0.0)
    results = []
    for function in (gravity_rows.attention, attention):
        leaves = [part.clone().requires_grad_() for part in given]
        try:
            out = function(law, *leaves, None, None)
            results.append([out.detach(), *torch.autograd.grad(out.square().sum(), leaves)])
        except Exception as error:  # a compiler has many ways to fail; the caller tells the user which
            return f"{type(error).__name__}: {error}".splitlines()[0]
    worst = max(float((a - b).norm() / a.norm()) for a, b in zip(*results, strict=True))
    return None if worst < 1e-3 else f"they differ from the row blocks by {worst:.1e}"
