"""What --dry-run says a run would cost, held against a model that was really built and stepped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from ngt_train import config, estimate, optim  # noqa: E402
from ngt_train.config import RunConfig  # noqa: E402
from ngt_train.variants import load  # noqa: E402
from tests import training  # noqa: E402

WORDS = 64


def told(run: RunConfig) -> dict[str, float]:
    """Bytes by what they are for, of the model without memory."""
    model: Any = estimate.empty_model(run, WORDS)
    return dict(estimate.memory(run, model, optim.build(model, model.roles(), run.optim, "meta").routing))


@pytest.mark.parametrize("kind", ["adamw", "muon"])
@pytest.mark.parametrize("variant", ["vanilla", "ngpt"])
def test_weights_gradients_and_state_are_those_of_a_step(kind: str, variant: str, tmp_path: Path) -> None:
    run = training.tiny(tmp_path, tmp_path, f"optim.kind={kind}", variant=variant)
    model = load(variant).Model(config.model_config(run, WORDS))
    optimizers = optim.build(model, model.roles(), run.optim, "cpu")
    model.head(model(torch.arange(8).unsqueeze(0)).hidden).sum().backward()
    for part in optimizers.parts.values():
        part.step()
    held = [value for part in optimizers.parts.values() for state in part.state.values() for key, value in state.items() if key != "step"]
    found = told(run)
    assert found["optimizer"] == sum(value.nbytes for value in held)
    assert found["weights and gradients"] == sum(p.nbytes + p.grad.nbytes for p in model.parameters())


def test_activations_grow_with_the_batch_and_shrink_with_the_precision(tmp_path: Path) -> None:
    base, larger, half, deep = (
        told(training.tiny(tmp_path, tmp_path, setting))["activations"]
        for setting in ("train.batch=4", "train.batch=12", "train.precision=bfloat16", "model.layers=6")
    )
    assert (larger, half, deep) == (3 * base, base / 2, 3 * base)


def test_logits_exist_a_chunk_at_a_time(tmp_path: Path) -> None:
    settings = ("train.batch=4", "loss.chunk=8"), ("train.batch=400", "loss.chunk=8"), ("train.batch=4",), ("train.batch=8",)
    few, many, whole, twice = (told(training.tiny(tmp_path, tmp_path, *given))["logits"] for given in settings)
    assert few == many == 3 * 4 * 8 * WORDS and whole == 3 * 4 * 4 * 16 * WORDS and twice == 2 * whole


@pytest.mark.parametrize(("tokenizer", "words"), [("byte", 257), ("gpt2", 50257), ("bpe", 300)])
def test_a_tokenizer_that_is_not_made_yet_has_its_size(tokenizer: str, words: int, tmp_path: Path) -> None:
    run = training.tiny(tmp_path / "none", tmp_path, f"data.tokenizer={tokenizer}", "data.vocabulary=300")
    model = load("vanilla").Model(config.model_config(run, words))
    assert dict(estimate.describe(run))["parameters"] == f"{model.parameter_count():,}"
