"""Losses over the vocabulary, in chunks of tokens, so that the logits of a whole batch never exist at once.

Losses are sums over tokens: the caller divides by the tokens of the whole batch (all micro-batches, all ranks), so that
k accumulated micro-batches equal one batch of k times the size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ngt_train.blocks import LanguageModel

IGNORED = -100  # a target that counts for nothing
Sums = tuple[Tensor, Tensor, Tensor, Tensor]  # of a chunk: objective, cross-entropy, cosine, correct
Measure = Callable[[Tensor, Tensor], Sums]
CHUNK = 1024  # tokens whose logits exist at once


class LossSum(NamedTuple):
    """Sums over the tokens that count; only `loss_sum` carries gradients.

    loss_sum: the objective, in nats; tokens: how many counted; correct: how many had the highest logit (0 unless asked for);
    cross_entropy: nats; cosine: sum of 1 - cosine (0 for plain cross-entropy).
    """

    loss_sum: Tensor
    tokens: Tensor
    correct: Tensor
    cross_entropy: Tensor
    cosine: Tensor


def cross_entropy(model: LanguageModel, hidden: Tensor, targets: Tensor, chunk: int = CHUNK, *, accuracy: bool = True) -> LossSum:
    """Cross-entropy of `model.head(hidden)`; hidden (B, T, C), targets (B, T) with -100 where nothing is asked."""

    def measure(x: Tensor, y: Tensor) -> Sums:
        logits = model.head(x)
        loss = _NllSum.apply(logits, y)
        return loss, loss.detach(), loss.new_zeros(()), _correct(logits, y, accuracy)

    return _in_chunks(measure, model, hidden, targets, chunk)


def mixed(
    model: LanguageModel,
    hidden: Tensor,
    targets: Tensor,
    chunk: int = CHUNK,
    *,
    alpha: float,
    temperature: float = 1.0,
    topk: int | None = None,
    detach: bool = True,
    accuracy: bool = True,
) -> LossSum:
    """alpha (1 - cos(expected embedding, target's embedding)) + (1 - alpha) cross-entropy.

    The expected embedding is taken under softmax(logits / temperature), over the topk likeliest words if given.
    detach: the table is a constant in the cosine; else all embeddings may collapse onto one (watch mean_pairwise_cosine).
    """

    def measure(x: Tensor, y: Tensor) -> Sums:
        logits = model.head(x)
        nll = _NllSum.apply(logits, y)
        table = model.embedding.detach() if detach else model.embedding
        distance = _cosine_distance(logits, y, table, temperature, topk)
        return alpha * distance + (1 - alpha) * nll, nll.detach(), distance.detach(), _correct(logits, y, accuracy)

    return _in_chunks(measure, model, hidden, targets, chunk)


def alpha_at(step: int, alpha: float, ramp_steps: int) -> float:
    """The weight of the cosine at a step: from 0 at step 0 linearly to alpha at ramp_steps; constant without a ramp."""
    return alpha if ramp_steps <= 0 else alpha * min(1.0, step / ramp_steps)


@torch.no_grad()
def mean_pairwise_cosine(table: Tensor) -> Tensor:
    """Mean cosine over all pairs of rows of (V, C): near 0 for a spread-out table, 1 for a collapsed one."""
    total = F.normalize(table.double(), dim=-1).sum(0).square().sum()
    rows = table.size(0)
    return (total - rows) / (rows * (rows - 1))


def _cosine_distance(logits: Tensor, targets: Tensor, table: Tensor, temperature: float, topk: int | None) -> Tensor:
    """Sum over tokens that count of 1 - cos(expected embedding, target's embedding)."""
    counts = targets != IGNORED
    full = torch.promote_types(logits.dtype, torch.float32)
    probability = torch.softmax(logits.to(full) / temperature, dim=-1)
    table = table.to(full)
    if topk is not None and topk < probability.size(-1):
        likeliest, words = probability.topk(topk, dim=-1)
        expected = torch.einsum("nk,nkc->nc", likeliest, F.embedding(words, table))
    else:
        expected = probability @ table
    wanted = F.embedding(targets.masked_fill(~counts, 0), table)
    return (1 - F.cosine_similarity(expected, wanted, dim=-1)).masked_fill(~counts, 0.0).sum()


def _correct(logits: Tensor, targets: Tensor, wanted: bool) -> Tensor:
    if not wanted:
        return logits.new_zeros((), dtype=torch.promote_types(logits.dtype, torch.float32))
    return (logits.detach().argmax(-1) == targets).sum().to(torch.promote_types(logits.dtype, torch.float32))


class _NllSum(torch.autograd.Function):
    """Summed negative log-likelihood in fp32; its gradient is made with the loss, in the memory of the log-probabilities."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor) -> Tensor:
        counts = targets != IGNORED
        chosen = targets.masked_fill(~counts, 0).unsqueeze(-1)
        log_p = F.log_softmax(logits, dim=-1, dtype=torch.promote_types(logits.dtype, torch.float32))
        loss = -log_p.gather(-1, chosen).squeeze(-1).masked_fill(~counts, 0.0).sum()
        if ctx.needs_input_grad[0]:
            gradient = log_p.exp_().scatter_add_(-1, chosen, -torch.ones_like(chosen, dtype=log_p.dtype))
            ctx.save_for_backward(gradient.masked_fill_(~counts.unsqueeze(-1), 0.0))
            ctx.dtype = logits.dtype
        return loss

    @staticmethod
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor, None]:
        (gradient,) = ctx.saved_tensors
        return (gradient * scale).to(ctx.dtype), None


def _in_chunks(measure: Measure, model: LanguageModel, hidden: Tensor, targets: Tensor, chunk: int) -> LossSum:
    """Sum measure(hidden, targets) -> (objective, cross-entropy, cosine, correct) over chunks of tokens."""
    hidden, targets = hidden.flatten(0, -2), targets.flatten()
    weights = [weight for weight in (*model.head.parameters(), model.embedding) if weight.requires_grad]
    weights = list({id(weight): weight for weight in weights}.values())
    learning = torch.is_grad_enabled() and (hidden.requires_grad or bool(weights))
    loss, nll, cosine, correct = _Chunked.apply(measure, chunk, learning, targets, hidden, *weights).unbind()
    counted = (targets != IGNORED).sum()
    return LossSum(loss, counted, correct.detach().long(), nll.detach(), cosine.detach())


class _Chunked(torch.autograd.Function):
    """Loss and gradients of a chunk while its logits exist; backward only scales, so nothing is computed twice."""

    @staticmethod
    def forward(ctx: Any, measure: Measure, chunk: int, learning: bool, targets: Tensor, hidden: Tensor, *weights: Tensor) -> Tensor:
        total = hidden.new_zeros(4, dtype=torch.promote_types(hidden.dtype, torch.float32))
        of_hidden = torch.zeros_like(hidden) if learning else None
        of_weights: list[Tensor | None] = [None] * len(weights)
        for start in range(0, hidden.size(0), chunk):
            rows = slice(start, start + chunk)
            with torch.set_grad_enabled(learning):
                x = hidden[rows].detach().requires_grad_(learning)
                objective, *sums = measure(x, targets[rows])
            total += torch.stack([objective.detach(), *sums])
            if of_hidden is not None:
                of_hidden[rows], *parts = torch.autograd.grad(objective, [x, *weights], allow_unused=True)
                of_weights = [_add(whole, part) for whole, part in zip(of_weights, parts, strict=True)]
        if learning:
            ctx.save_for_backward(of_hidden, *of_weights)
        return total

    @staticmethod
    def backward(ctx: Any, scale: Tensor) -> tuple[Any, ...]:
        scaled = (None if gradient is None else gradient * scale[0] for gradient in ctx.saved_tensors)
        return None, None, None, None, *scaled


def _add(whole: Tensor | None, part: Tensor | None) -> Tensor | None:
    if whole is None or part is None:
        return part if whole is None else whole
    return whole.add_(part)
