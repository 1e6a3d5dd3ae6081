"""Validation: fixed batches, no gradients, streaming sums; neither weights nor random state are changed by it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ngt_train.errors import DataError

if TYPE_CHECKING:
    from ngt_train.distributed import World
    from ngt_train.losses import LossSum

Measure = Callable[[Tensor, Tensor], "LossSum"]  # inputs, targets (B, T)


class Abandoned(Exception):
    """A signal asked for the end of the run before an evaluation had seen all its batches; raised on all ranks alike."""


@torch.no_grad()
def evaluate(
    measure: Measure,
    batches: Iterable[tuple[Tensor, Tensor]],
    world: World,
    precise: AbstractContextManager[Any],
    split: str = "val",
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, float]:
    """Means over all tokens of all ranks: `val/loss` (nats), `val/perplexity`, `val/accuracy` (0 to 1).

    A mixed loss has `val/objective` and `val/cosine` too.

    Args:
        measure: sums of the loss over a batch, the model in evaluation mode.
        precise: the autocast context.
        split: the prefix, val or test.
        stop: asked before each batch; a rank that stops waits for the others, and their figures are void.

    Raises:
        Abandoned: some rank stopped.
    """
    sums = torch.zeros(5, dtype=torch.float64)
    found, cut = [], False
    with precise:
        for inputs, targets in batches:
            if cut := stop():
                break
            found.append(torch.stack([part.float() for part in measure(inputs, targets)]))
    for part in found:  # in float64, after the device has been asked for all of them
        sums += part.cpu()
    objective, tokens, correct, entropy, cosine, cuts = world.total(*sums.tolist(), cut)
    if cuts:
        raise Abandoned
    if not tokens:
        raise DataError(f"the {split} split has no token to evaluate; prepare it again with more text, or lower data.block")
    loss = entropy / tokens
    told = {f"{split}/loss": loss, f"{split}/perplexity": math.exp(loss) if loss < 700 else math.inf, f"{split}/accuracy": correct / tokens}
    return told | ({f"{split}/objective": objective / tokens, f"{split}/cosine": cosine / tokens} if cosine else {})


@contextmanager
def quiet(model: nn.Module, device: torch.device) -> Iterator[dict[str, Tensor]]:
    """The model in evaluation mode on projected weights; afterwards all is as before, random state included.

    Yields the exact training weights that projection changed, by name: empty where the model projects nothing.
    """
    stash = stashed(model)
    training = model.training
    model.eval()
    try:
        with torch.random.fork_rng([device.index or 0] if device.type == "cuda" else []):
            yield stash
    finally:
        model.train(training)
        restore(model, stash)


@torch.no_grad()
def stashed(model: nn.Module) -> dict[str, Tensor]:
    """Project the weights and return those that changed, as they were."""
    if not getattr(model, "project_every", 0):
        return {}
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    model.project()  # type: ignore[operator]
    after = dict(model.named_parameters())
    return {name: value for name, value in before.items() if not torch.equal(value, after[name])}


@torch.no_grad()
def restore(model: nn.Module, stash: dict[str, Tensor]) -> None:
    """Put stashed weights back, bit for bit."""
    named = dict(model.named_parameters())
    for name, value in stash.items():
        named[name].copy_(value)
