"""Gravity attention against the direct formula in fp64, and its numerical traps."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from ngt_train import gravity_rows  # noqa: E402
from ngt_train.gravity import CUTOFFS, gravity_attention  # noqa: E402
from tests.gravity_reference import direct  # noqa: E402

NAMES = ("z", "v", "mass", "gamma", "bias", "radius")
MODES = [
    {"cutoff": cutoff, "mass_in_value": in_value, "rsqrt": rsqrt}
    for cutoff, in_value, rsqrt in itertools.product(CUTOFFS, (False, True), (False, True))
]


def case(length: int = 40, *, batch: int = 2, heads: int = 3, e: int = 5, d: int = 4, radius: float = 3.0, seed: int = 0) -> dict[str, Any]:
    """Random inputs that fp32 can hold; the radius moves until no pair is within 1e-4 of the edge, where rounding decides."""
    generator = torch.Generator().manual_seed(seed)

    def randn(*shape: int) -> Any:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    z = randn(batch, heads, length, e).float().double()
    d2 = torch.cdist(z, z).square()
    while ((d2 - radius**2).abs() < 1e-4 * radius**2).any():
        radius *= 1.0003
    softplus = torch.nn.functional.softplus
    inputs = {
        "z": z,
        "v": randn(batch, heads, length, d),
        "mass": softplus(randn(batch, length)),
        "gamma": softplus(randn(heads)),
        "bias": randn(heads),
        "radius": torch.tensor(radius, dtype=torch.float64),
    }
    return {name: value.float().double() for name, value in inputs.items()}


def solve(function: Any, inputs: dict[str, Any], dtype: Any = torch.float64, **mode: Any) -> tuple[Any, dict[str, Any]]:
    """The output and the gradients of a fixed weighted sum of it, all in fp64."""
    leaves = {name: value.detach().to(dtype, copy=True).requires_grad_() for name, value in inputs.items()}
    out = function(**leaves, **mode)
    probe = torch.randn(out.shape, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    (out * probe.to(out.dtype)).sum().backward()
    return out.detach().double(), {name: (torch.zeros_like(x) if x.grad is None else x.grad).double() for name, x in leaves.items()}


def error(got: Any, wanted: Any) -> float:
    """Relative L2 distance; absolute where the wanted is zero but for fp64 rounding."""
    scale = wanted.norm()
    return ((got - wanted).norm() / (scale if scale > 1e-12 else 1)).item()


FP32 = {"z": 5e-5, "v": 5e-5, "mass": 5e-5, "gamma": 5e-5, "bias": 5e-5, "radius": 1e-4}


def too_large(got: dict[str, Any], wanted: dict[str, Any], limits: dict[str, float]) -> dict[str, float]:
    """Errors of gradients above their limits, 1e-11 where none is given."""
    return {name: value for name in NAMES if (value := error(got[name], wanted[name])) > limits.get(name, 1e-11)}


MODE_NAMES = ["-".join(str(value) for value in mode.values()) for mode in MODES]


@pytest.fixture(params=["one tile", "many tiles"])
def tiling(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows and heads cut into many tiles, or all in one."""
    if request.param == "many tiles":
        monkeypatch.setattr(gravity_rows, "ROWS", 16)
        monkeypatch.setattr(gravity_rows, "ELEMENTS", 16 * 40 * 2)


@pytest.mark.usefixtures("tiling")
@pytest.mark.parametrize("mode", MODES, ids=MODE_NAMES)
def test_equals_the_direct_formula_in_every_mode(mode: dict[str, Any]) -> None:
    wanted, gradients = solve(direct, case(), **mode)
    for dtype, limit, limits in ((torch.float64, 1e-12, {}), (torch.float32, 2e-6, FP32)):
        got, made = solve(gravity_attention, case(), dtype, **mode)
        assert error(got, wanted) <= limit
        assert too_large(made, gradients, limits) == {}


# of 75 cases with 25 seeds those whose gradients of gamma and of the radius cancel most
@pytest.mark.parametrize("shape", [{"length": 40, "seed": 19}, {"length": 200, "e": 16, "d": 32, "radius": 5.0, "seed": 7}])
@pytest.mark.parametrize("mode", MODES, ids=MODE_NAMES)
def test_gradients_hold_where_their_terms_cancel(shape: dict[str, Any], mode: dict[str, Any]) -> None:
    inputs = case(**shape)
    wanted, gradients = solve(direct, inputs, **mode)
    got, made = solve(gravity_attention, inputs, torch.float32, **mode)
    assert error(got, wanted) <= 2e-6
    assert too_large(made, gradients, FP32 | {"radius": 2.5e-4}) == {}  # 0.5e-4 to 1.4e-4, by the processor's order of adding up


@pytest.mark.usefixtures("tiling")
@pytest.mark.parametrize("mode", MODES, ids=MODE_NAMES)
def test_padding_is_seen_by_nobody_and_blind_rows_give_zero(mode: dict[str, Any]) -> None:
    mask = torch.ones(2, 40, dtype=torch.bool)
    mask[0, 31:] = False
    mask[1, :5] = False
    wanted, gradients = solve(direct, case(), padding_mask=mask, **mode)
    got, made = solve(gravity_attention, case(), padding_mask=mask, **mode)
    assert error(got, wanted) <= 1e-12
    assert got[1, :, :5].abs().sum() == 0
    assert too_large(made, gradients, {}) == {}


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("cutoff", CUTOFFS)
@pytest.mark.parametrize("in_value", [False, True])
def test_gradients_match_finite_differences(cutoff: str, in_value: bool, dropout: float) -> None:
    inputs = case(9, batch=1, heads=2, e=3, d=2)
    leaves = [inputs[name].requires_grad_() for name in NAMES]

    def function(*args: Any) -> Any:
        generator = torch.Generator().manual_seed(5)
        return gravity_attention(*args, cutoff=cutoff, mass_in_value=in_value, dropout=dropout, generator=generator)

    assert torch.autograd.gradcheck(function, leaves)


def kept(inputs: dict[str, Any], dropout: float, **mode: Any) -> Any:
    """The factors (B, H, L, L) that dropout put on the weights: with unit values the output is the weights."""
    length = inputs["z"].size(2)
    unit = {**inputs, "v": torch.eye(length, dtype=torch.float64).expand(*inputs["z"].shape[:2], -1, -1)}
    dropped = gravity_attention(**unit, dropout=dropout, generator=torch.Generator().manual_seed(3), **mode)
    return (dropped > 0).double() / (1 - dropout)


@pytest.mark.usefixtures("tiling")
@pytest.mark.parametrize("mode", [mode for mode in MODES if not mode["mass_in_value"]], ids=lambda mode: "-".join(map(str, mode.values())))
def test_dropout_is_the_same_in_backward(mode: dict[str, Any]) -> None:
    keep = kept(case(), 0.25, **mode)
    wanted, gradients = solve(direct, case(), keep=keep, **mode)
    got, made = solve(gravity_attention, case(), dropout=0.25, generator=torch.Generator().manual_seed(3), **mode)
    assert error(got, wanted) <= 1e-12
    assert too_large(made, gradients, {}) == {}


def test_dropout_drops_its_share_and_follows_the_generator() -> None:
    inputs, mode = case(64), {"cutoff": "none", "mass_in_value": False}
    seen = torch.ones(64, 64).tril(-1).bool().expand(2, 3, -1, -1)
    assert (kept(inputs, 0.25, **mode)[seen] == 0).double().mean().item() == pytest.approx(0.25, abs=0.02)
    torch.manual_seed(0)
    first, second = (gravity_attention(**inputs, dropout=0.5, **mode) for _ in range(2))
    torch.manual_seed(0)
    assert torch.equal(first, gravity_attention(**inputs, dropout=0.5, **mode))
    assert not torch.equal(first, second)


@pytest.mark.usefixtures("tiling")
def test_later_tokens_do_not_change_a_bit() -> None:
    inputs = {name: value.float() for name, value in case(60).items()}
    before = gravity_attention(**inputs, cutoff="hard", mass_in_value=False)
    for cut in (1, 16, 17, 59):
        changed = {name: value.clone() for name, value in inputs.items()}
        changed["z"][:, :, cut:] *= 2
        changed["v"][:, :, cut:] += 1
        changed["mass"][:, cut:] *= 3
        after = gravity_attention(**changed, cutoff="hard", mass_in_value=False)
        assert torch.equal(after[:, :, :cut], before[:, :, :cut])


@pytest.mark.parametrize("mode", MODES, ids=MODE_NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_comes_later_changes_no_bit_of_what_came_before(mode: dict[str, Any], dtype: Any, tiling: None) -> None:
    inputs, other = ({name: value.to(dtype) for name, value in case(seed=seed).items()} for seed in (1, 2))
    for start in (1, 17, 39):
        changed = {**inputs}
        for name in ("z", "v", "mass"):
            axis = inputs[name].ndim - (1 if name == "mass" else 2)
            changed[name] = torch.cat([inputs[name].narrow(axis, 0, start), other[name].narrow(axis, start, 40 - start)], axis)
        before, after = (gravity_attention(**values, **mode)[:, :, :start] for values in (inputs, changed))
        assert torch.equal(before, after)
