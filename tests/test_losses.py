"""Chunked losses equal the formula written out, and sums make accumulation exact."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402

from ngt_train import losses  # noqa: E402
from tests import models  # noqa: E402

V, C, N = 37, 12, 30


def head(dtype: Any = torch.float64) -> Any:
    """A tied head and its table, with targets of which some are ignored."""
    torch.manual_seed(3)
    layer = torch.nn.Linear(C, V, dtype=dtype)
    return SimpleNamespace(head=layer, embedding=layer.weight)


def case(dtype: Any = torch.float64) -> tuple[Any, Any]:
    generator = torch.Generator().manual_seed(4)
    hidden = torch.randn(2, N // 2, C, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
    targets = torch.randint(0, V, (2, N // 2), generator=generator)
    targets[0, 3] = targets[1, -1] = -100
    return hidden, targets


def mixed_reference(model: Any, hidden: Any, targets: Any, alpha: float, temperature: float, topk: int | None, detach: bool) -> Any:
    """alpha (1 - cos) + (1 - alpha) CE, one token at a time."""
    table = model.embedding.detach() if detach else model.embedding
    total = 0.0
    for state, word in zip(hidden.reshape(-1, C), targets.reshape(-1).tolist(), strict=True):
        if word == -100:
            continue
        logits = model.head(state)
        p = torch.softmax(logits / temperature, -1)
        if topk is not None:
            p = torch.where(p >= p.topk(topk).values[-1], p, torch.zeros_like(p))
        expected = (p[:, None] * table).sum(0)
        cosine = expected @ table[word] / (expected.norm() * table[word].norm())
        total = total + alpha * (1 - cosine) - (1 - alpha) * torch.log_softmax(logits, -1)[word]
    return total


def gradients(loss: Any, model: Any, hidden: Any) -> list[Any]:
    return list(torch.autograd.grad(loss, [hidden, model.head.weight, model.head.bias]))


@pytest.mark.parametrize("chunk", [1, 7, 30, 1000])
def test_cross_entropy_equals_the_formula_at_any_chunk(chunk: int) -> None:
    model, (hidden, targets) = head(), case()
    got = losses.cross_entropy(model, hidden, targets, chunk)
    logits = model.head(hidden).reshape(-1, V)
    wanted = F.cross_entropy(logits, targets.reshape(-1), ignore_index=-100, reduction="sum")
    torch.testing.assert_close(got.loss_sum, wanted)
    torch.testing.assert_close(gradients(got.loss_sum * 0.5, model, hidden), gradients(wanted * 0.5, model, hidden))
    assert got.tokens.item() == N - 2
    assert got.correct.item() == (logits.argmax(-1) == targets.reshape(-1)).sum().item()


@pytest.mark.parametrize("detach", [True, False])
@pytest.mark.parametrize("topk", [None, 5])
@pytest.mark.parametrize(("alpha", "temperature"), [(0.0, 1.0), (0.5, 0.7), (1.0, 1.5)])
def test_mixed_loss_equals_the_formula(alpha: float, temperature: float, topk: int | None, detach: bool) -> None:
    model, (hidden, targets) = head(), case()
    got = losses.mixed(model, hidden, targets, 7, alpha=alpha, temperature=temperature, topk=topk, detach=detach)
    wanted = mixed_reference(model, hidden, targets, alpha, temperature, topk, detach)
    torch.testing.assert_close(got.loss_sum, wanted)
    torch.testing.assert_close(gradients(got.loss_sum, model, hidden), gradients(wanted, model, hidden))
    torch.testing.assert_close(alpha * got.cosine + (1 - alpha) * got.cross_entropy, wanted.detach())


def test_gradients_of_the_losses_match_finite_differences() -> None:
    model, (hidden, targets) = head(), case()
    hidden, targets = hidden.detach()[:, 1:5].requires_grad_(), targets[:, 1:5]

    def mixed(state: Any, weight: Any) -> Any:
        replaced = SimpleNamespace(head=copy.copy(model.head), embedding=weight)
        replaced.head._parameters = {"weight": weight, "bias": model.head.bias}
        return losses.mixed(replaced, state, targets, 4, alpha=0.5, topk=9, detach=False).loss_sum

    assert torch.autograd.gradcheck(mixed, (hidden, model.head.weight))


def test_a_loss_of_hundreds_stays_finite() -> None:
    model, (hidden, targets) = head(torch.float32), case(torch.float32)
    got = losses.cross_entropy(model, hidden * 1e4, targets)
    assert got.loss_sum.isfinite() and got.loss_sum > 1e4
    assert all(part.isfinite().all() for part in gradients(got.loss_sum, model, hidden))


def test_only_ignored_targets_give_zero() -> None:
    model, (hidden, targets) = head(), case()
    got = losses.mixed(model, hidden, torch.full_like(targets, -100), alpha=0.5)
    assert (got.loss_sum.item(), got.tokens.item(), got.correct.item()) == (0, 0, 0)
    assert all(part.abs().sum() == 0 for part in gradients(got.loss_sum, model, hidden))


def test_without_gradients_none_are_made() -> None:
    model, (hidden, targets) = head(), case()
    with torch.no_grad():
        assert not losses.cross_entropy(model, hidden, targets, 7).loss_sum.requires_grad
    frozen = hidden.detach()
    model.head.requires_grad_(False)
    assert not losses.cross_entropy(model, frozen, targets, 7).loss_sum.requires_grad


def test_correct_is_zero_unless_asked_for() -> None:
    model, (hidden, targets) = head(), case()
    assert losses.cross_entropy(model, hidden, targets, accuracy=False).correct.item() == 0


@pytest.mark.parametrize("kind", ["cross_entropy", "mixed"])
@pytest.mark.parametrize("name", sorted(models.SETTINGS))
def test_k_accumulated_micro_batches_equal_one_batch(name: str, kind: str) -> None:
    """Micro-batches with different numbers of tokens: the mean is over tokens, not over micro-batches."""
    model = models.make(name).double()
    models.disturb(model)
    text = models.tokens(batch=4, length=17)
    targets = text[:, 1:].clone()
    targets[0, :11] = -100
    objective = (
        (lambda h, y: losses.mixed(model, h, y, 8, alpha=0.4)) if kind == "mixed" else (lambda h, y: losses.cross_entropy(model, h, y, 8))
    )

    def learn(parts: int) -> tuple[float, list[Any]]:
        model.zero_grad()
        total = 0.0
        for x, y in zip(text[:, :-1].chunk(parts), targets.chunk(parts), strict=True):
            output = model(x)
            loss = objective(output.hidden, y).loss_sum / (targets != -100).sum()
            penalty = model.penalty(output, 3)
            loss = loss if penalty is None else loss + penalty * len(x) / len(text)
            loss.backward()
            total += loss.item()
        return total, [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]

    (whole, gradients_whole), (split, gradients_split) = learn(1), learn(4)
    assert split == pytest.approx(whole, rel=1e-12)
    for one, other in zip(gradients_whole, gradients_split, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def test_half_precision_logits_still_sum_in_full() -> None:
    model, (hidden, targets) = head(torch.float32), case(torch.float32)
    exact = losses.cross_entropy(model, hidden, targets, 7)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = losses.cross_entropy(model, hidden, targets, 7)
    assert rough.loss_sum.dtype == torch.float32
    assert rough.loss_sum.item() == pytest.approx(exact.loss_sum.item(), rel=5e-3)
    for one, other in zip(gradients(rough.loss_sum, model, hidden), gradients(exact.loss_sum, model, hidden), strict=True):
        assert one.dtype == torch.float32
        assert (one - other).norm() / other.norm() < 2e-2


def test_the_ramp_of_alpha() -> None:
    assert [losses.alpha_at(step, 0.5, 4) for step in (0, 1, 2, 4, 9)] == [0.0, 0.125, 0.25, 0.5, 0.5]
    assert losses.alpha_at(0, 0.5, 0) == 0.5


def test_mean_pairwise_cosine_tells_a_collapsed_table() -> None:
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(6, 4, generator=generator)
    unit = F.normalize(table.double(), dim=-1)
    pairs = [float(unit[i] @ unit[j]) for i in range(6) for j in range(6) if i != j]
    assert losses.mean_pairwise_cosine(table).item() == pytest.approx(sum(pairs) / len(pairs))
    assert losses.mean_pairwise_cosine(torch.ones(6, 4)).item() == pytest.approx(1.0)
