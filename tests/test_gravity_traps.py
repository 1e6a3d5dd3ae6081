"""Numerical traps of gravity attention: clusters, rows alone, half precision, memory; and a training that must not notice."""

from __future__ import annotations

import math
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from ngt_train import losses  # noqa: E402
from ngt_train.gravity import gravity_attention  # noqa: E402
from ngt_train.variants import ngt  # noqa: E402
from tests import models  # noqa: E402
from tests.gravity_reference import direct  # noqa: E402
from tests.test_gravity import MODE_NAMES, MODES, case, error, solve  # noqa: E402

DEFAULT = {"cutoff": "hard", "mass_in_value": False}


@pytest.mark.parametrize("mode", [mode for mode in MODES if not mode["mass_in_value"]], ids=lambda mode: "-".join(map(str, mode.values())))
def test_clustered_coordinates_keep_their_gradients(mode: dict[str, Any]) -> None:
    """d2 of about 4e-3 around 1, where a product of raw coordinates has no digits left."""
    inputs = case(200, e=16, d=32, radius=0.5, seed=3)
    inputs["z"] = (1 + inputs["z"] * math.sqrt(4e-3 / 32)).float().double()
    inputs["mass"] = (inputs["mass"] * 0.05).float().double()
    wanted, gradients = solve(direct, inputs, **mode)
    got, made = solve(gravity_attention, inputs, torch.float32, **mode)
    assert error(got, wanted) <= 1e-6
    assert error(made["z"], gradients["z"]) <= 5e-5
    assert max(error(made[name], gradients[name]) for name in ("gamma", "mass")) <= 1e-5


@pytest.mark.parametrize("in_value", [False, True])
def test_rows_that_see_only_themselves_add_nothing_to_gamma(in_value: bool) -> None:
    inputs = case(200, e=16, d=32, radius=3.0, seed=3)
    alone = (torch.cdist(inputs["z"], inputs["z"]) <= inputs["radius"]).tril().sum(-1) == 1
    assert 0.5 < alone.double().mean() < 1
    mode = {"cutoff": "hard", "mass_in_value": in_value}
    _, gradients = solve(direct, inputs, **mode)
    _, made = solve(gravity_attention, inputs, torch.float32, **mode)
    assert error(made["gamma"], gradients["gamma"]) <= 5e-3
    inputs["radius"] = torch.tensor(0.1, dtype=torch.float64)
    got, made = solve(gravity_attention, inputs, torch.float32, **mode)
    assert [made[name].abs().max().item() for name in ("z", "gamma", "bias")] == [0, 0, 0]
    v = inputs["v"] * (inputs["mass"][:, None, :, None] if in_value else 1)
    assert error(got, v) < 1e-6


def test_tokens_in_one_place_push_each_other_nowhere() -> None:
    inputs = case(30)
    inputs["z"] = torch.ones_like(inputs["z"])
    got, made = solve(gravity_attention, inputs, torch.float32, **DEFAULT)
    assert got.isfinite().all() and all(value.isfinite().all() for value in made.values())
    assert made["z"].abs().max() == 0


@pytest.mark.parametrize("scale", [1e-4, 1e3])
def test_coordinates_of_any_scale_give_numbers(scale: float) -> None:
    inputs = case(80, radius=3.0 * scale)
    inputs["z"] = case(80)["z"] * scale
    got, made = solve(gravity_attention, inputs, torch.float32, **DEFAULT)
    assert got.isfinite().all() and all(value.isfinite().all() for value in made.values())


def direct_in_half(z: Any, v: Any, **rest: Any) -> Any:
    """The published formula as autocast runs it: differences and values in half, softmax in fp32."""
    mode = {name: rest.pop(name) for name in ("cutoff", "mass_in_value")}
    difference = z[:, :, :, None, :] - z[:, :, None, :, :]
    squares = (difference * difference).float().sum(-1)
    score = -rest["gamma"].float()[:, None, None] / (squares + 1e-6) + rest["bias"].float()[:, None, None]
    mass = rest["mass"].float()
    score = score * mass[:, None, :, None] * mass[:, None, None, :]
    assert mode["cutoff"] == "none"
    later = torch.ones(z.size(2), z.size(2), dtype=torch.bool).triu(1)
    return torch.softmax(score.masked_fill(later, float("-inf")), -1).half() @ v


def test_half_precision_errs_no_more_than_the_direct_formula() -> None:
    mode = {"cutoff": "none", "mass_in_value": False}
    inputs = case(100, e=16, d=32)
    wanted, gradients = solve(direct, inputs, **mode)
    rough, rough_gradients = solve(direct_in_half, inputs, torch.float16, **mode)
    got, made = solve(gravity_attention, inputs, torch.float16, **mode)
    assert got.isfinite().all() and all(value.isfinite().all() for value in made.values())
    assert error(got, wanted) <= error(rough, wanted)
    for name in ("z", "v", "mass", "gamma", "bias"):
        assert error(made[name], gradients[name]) <= 1.05 * error(rough_gradients[name], gradients[name])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("mode", MODES, ids=MODE_NAMES)
def test_half_values_come_back_in_their_type_and_close(mode: dict[str, Any], dtype: Any) -> None:
    inputs = case(100, e=16, d=32)
    wanted, _ = solve(direct, inputs, **mode)
    mixed = {name: value.to(dtype) if name == "v" else value.float() for name, value in inputs.items()}
    with torch.autocast("cpu", dtype=dtype):
        got = gravity_attention(**mixed, **mode)
    assert got.dtype == dtype
    assert error(got.double(), wanted) < (1e-3 if dtype == torch.float16 else 8e-3)


class Largest(TorchDispatchMode):
    """Notes the number of elements of the largest tensor made."""

    elements = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = function(*args, **(kwargs or {}))
        for part in out if isinstance(out, tuple | list) else [out]:
            if isinstance(part, torch.Tensor):
                self.elements = max(self.elements, part.untyped_storage().nbytes() // part.element_size())
        return out


@pytest.mark.parametrize("cutoff", ["hard", "soft"])
def test_no_tensor_has_length_squared_elements(cutoff: str) -> None:
    length = 2048
    shapes = {"z": (1, 1, length, 4), "v": (1, 1, length, 4), "mass": (1, length), "gamma": (1,), "bias": (1,), "radius": ()}
    inputs = {name: torch.rand(shape).requires_grad_() for name, shape in shapes.items()}
    with Largest() as largest:
        gravity_attention(**inputs, cutoff=cutoff, mass_in_value=False, dropout=0.1).sum().backward()
    assert largest.elements < length * length / 8


def test_training_with_the_direct_formula_gives_the_same_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    """300 steps of a tiny NGT from one seed, validation loss every 50."""

    def plain(*args: Any, **mode: Any) -> Any:
        return direct(*args, **{name: value for name, value in mode.items() if name != "dropout"})

    def curve() -> list[float]:
        model = models.make("ngt", layers=1)
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
        points = []
        for step in range(300):
            text = models.tokens(batch=4, length=17, seed=step)
            output = model(text[:, :-1])
            loss = losses.cross_entropy(model, output.hidden, text[:, 1:]).loss_sum / 64 + model.penalty(output, step)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % 50 == 49:
                with torch.no_grad():
                    points.append(models.loss_of(model, models.tokens(batch=8, seed=10_000)).item())
        return points

    fast = curve()
    monkeypatch.setattr(ngt, "gravity_attention", plain)
    assert curve() == pytest.approx(fast, abs=1e-3)
