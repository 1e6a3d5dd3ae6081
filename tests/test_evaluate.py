"""An evaluation: means over the tokens of all batches, whatever their size, and nothing changed by it."""

from __future__ import annotations

import contextlib
import math

import pytest

torch = pytest.importorskip("torch")

from ngt_train import evaluate, variants  # noqa: E402
from ngt_train.distributed import World  # noqa: E402
from ngt_train.errors import DataError  # noqa: E402
from ngt_train.losses import LossSum  # noqa: E402

CPU = torch.device("cpu")
Row = tuple[float, float, float, float, float]  # sums of the objective, tokens, correct, cross-entropy, cosine


def figures(rows: list[Row]) -> dict[str, float]:
    """The evaluation of batches that have these sums."""
    given = iter(rows)
    batches = [(torch.zeros(1, 1), torch.zeros(1, 1))] * len(rows)
    return evaluate.evaluate(lambda x, y: LossSum(*map(torch.tensor, next(given))), batches, World(), contextlib.nullcontext(), "test")


def test_tokens_weigh_alike_whatever_the_batch() -> None:
    found = figures([(30.0, 10.0, 4.0, 20.0, 5.0), (9.0, 2.0, 0.0, 8.0, 1.0)])
    means = {"loss": 28 / 12, "perplexity": math.exp(28 / 12), "accuracy": 4 / 12, "objective": 39 / 12, "cosine": 6 / 12}
    assert found == {f"test/{name}": value for name, value in means.items()}


def test_plain_cross_entropy_has_no_other_objective() -> None:
    assert set(figures([(20.0, 10.0, 4.0, 20.0, 0.0)])) == {"test/loss", "test/perplexity", "test/accuracy"}


def test_a_perplexity_beyond_all_numbers_is_infinite_and_no_token_an_error() -> None:
    assert figures([(1e4, 10.0, 0.0, 1e4, 0.0)])["test/perplexity"] == math.inf
    with pytest.raises(DataError, match="the test split has no token to evaluate"):
        figures([(0.0, 0.0, 0.0, 0.0, 0.0)])


@pytest.mark.parametrize("variant", ["vanilla", "ngpt"])
def test_inside_the_weights_are_projected_and_afterwards_all_is_as_before(variant: str) -> None:
    module = variants.load(variant)
    model = module.Model(module.Config(vocab_size=20, block=4, layers=1, heads=2, hidden=8))
    with torch.no_grad():
        model.layers[0].attention.qkv.weight.mul_(3.0)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    state = torch.get_rng_state()
    with evaluate.quiet(model, CPU) as raw:
        assert not model.training
        norms = model.layers[0].attention.qkv.weight.norm(dim=1)
        assert ("layers.0.attention.qkv.weight" in raw) == (variant == "ngpt")
        assert torch.allclose(norms, torch.ones(())) == (variant == "ngpt")
        torch.rand(3)
    assert model.training and torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
