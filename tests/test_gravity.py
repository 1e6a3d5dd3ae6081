"""Gravity attention against the direct formula in fp64, and its numerical traps."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from ngt_train.gravity import CUTOFFS, gravity_attention  # noqa: E402
from tests.gravity_reference import direct  # noqa: E402

NAMES = ("z", "v", "mass", "gamma", "bias", "radius")
MODES = [
    {"cutoff": cutoff, "mass_in_value": in_value, "rsqrt": rsqrt}
    for cutoff, in_value, rsqrt in itertools.product(CUTOFFS, (False, True), (False, True))
]


def case(length: int = 40, *, batch: int = 2, heads: int = 3, e: int = 5, d: int = 4, radius: float = 3.0, seed: int = 0) -> dict[str, Any]:
    """Random inputs in fp64; no pair within 1e-4 of the edge of the cutoff, where rounding decides who is seen."""
    generator = torch.Generator().manual_seed(seed)

    def randn(*shape: int) -> Any:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    z = randn(batch, heads, length, e)
    d2 = torch.cdist(z, z).square()
    while ((d2 - radius**2).abs() < 1e-4 * radius**2).any():
        radius *= 1.0003
    softplus = torch.nn.functional.softplus
    return {
        "z": z,
        "v": randn(batch, heads, length, d),
        "mass": softplus(randn(batch, length)),
        "gamma": softplus(randn(heads)),
        "bias": randn(heads),
        "radius": torch.tensor(radius, dtype=torch.float64),
    }


def solve(function: Any, inputs: dict[str, Any], dtype: Any = torch.float64, **mode: Any) -> tuple[Any, dict[str, Any]]:
    """The output and the gradients of a fixed weighted sum of it, all in fp64."""
    leaves = {name: value.to(dtype).requires_grad_() for name, value in inputs.items()}
    out = function(**leaves, **mode)
    probe = torch.randn(out.shape, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    (out * probe.to(out.dtype)).sum().backward()
    return out.detach().double(), {name: (torch.zeros_like(x) if x.grad is None else x.grad).double() for name, x in leaves.items()}


def error(got: Any, wanted: Any) -> float:
    """Relative L2 distance; absolute where the wanted is zero but for fp64 rounding."""
    scale = wanted.norm()
    return ((got - wanted).norm() / (scale if scale > 1e-12 else 1)).item()


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "-".join(f"{v}" for v in mode.values()))
def test_equals_the_direct_formula_in_every_mode(mode: dict[str, Any]) -> None:
    wanted, gradients = solve(direct, case(), **mode)
    for dtype, limit in ((torch.float64, 1e-11), (torch.float32, 5e-5)):
        got, made = solve(gravity_attention, case(), dtype, **mode)
        assert error(got, wanted) <= (1e-12 if dtype == torch.float64 else 2e-6)
        assert {name: value for name in NAMES if (value := error(made[name], gradients[name])) > limit} == {}


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "-".join(f"{v}" for v in mode.values()))
def test_padding_is_seen_by_nobody_and_blind_rows_give_zero(mode: dict[str, Any]) -> None:
    mask = torch.ones(2, 40, dtype=torch.bool)
    mask[0, 31:] = False
    mask[1, :5] = False
    wanted, gradients = solve(direct, case(), padding_mask=mask, **mode)
    got, made = solve(gravity_attention, case(), padding_mask=mask, **mode)
    assert error(got, wanted) <= 1e-12
    assert got[1, :, :5].abs().sum() == 0
    assert {name: value for name in NAMES if (value := error(made[name], gradients[name])) > 1e-11} == {}


@pytest.mark.parametrize("cutoff", CUTOFFS)
@pytest.mark.parametrize("in_value", [False, True])
def test_gradients_match_finite_differences(cutoff: str, in_value: bool) -> None:
    inputs = case(9, batch=1, heads=2, e=3, d=2)
    leaves = [inputs[name].requires_grad_() for name in NAMES]
    assert torch.autograd.gradcheck(lambda *args: gravity_attention(*args, cutoff=cutoff, mass_in_value=in_value), leaves)


def test_later_tokens_do_not_change_a_bit() -> None:
    inputs = {name: value.float() for name, value in case(60).items()}
    before = gravity_attention(**inputs, cutoff="hard", mass_in_value=False)
    for cut in (1, 17, 59):
        changed = {name: value.clone() for name, value in inputs.items()}
        changed["z"][:, :, cut:] *= 2
        changed["v"][:, :, cut:] += 1
        changed["mass"][:, cut:] *= 3
        after = gravity_attention(**changed, cutoff="hard", mass_in_value=False)
        assert torch.equal(after[:, :, :cut], before[:, :, :cut])
