"""Gravity attention on a CUDA device, where Triton's compiler makes the kernels: against the direct formula in fp64."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from ngt_train.gravity import gravity_attention  # noqa: E402
from tests.gravity_reference import direct  # noqa: E402
from tests.test_gravity import FP32, MODE_NAMES, MODES, case, error, solve, too_large  # noqa: E402

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

LIMITS = {**FP32, "radius": 1e-3}  # fp32 distances: 2.5e-4 was seen where the terms of the radius cancel
SHAPES = [{"length": 40, "seed": 19}, {"length": 200, "e": 16, "d": 32, "radius": 5.0, "seed": 7}]


def on_cuda(**inputs: Any) -> Any:
    """gravity_attention with its tensors on the device, the result back on the CPU; no warning that it had to take the slower form."""
    moved = {name: value.cuda() if isinstance(value, torch.Tensor) else value for name, value in inputs.items()}
    return gravity_attention(**moved).cpu()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("mode", MODES, ids=MODE_NAMES)
def test_equals_the_direct_formula(shape: dict[str, Any], mode: dict[str, Any]) -> None:
    wanted, gradients = solve(direct, case(**shape), **mode)
    got, made = solve(on_cuda, case(**shape), torch.float32, **mode)
    assert error(got, wanted) <= 2e-6
    assert too_large(made, gradients, LIMITS) == {}


@pytest.mark.parametrize("mode", MODES, ids=MODE_NAMES)
def test_row_blocks_equal_it_as_well(mode: dict[str, Any]) -> None:
    """fp64 takes them on any device; in-place steps that read what they write would be wrong on this one only."""
    wanted, gradients = solve(direct, case(140), **mode)
    got, made = solve(on_cuda, case(140), torch.float64, **mode)
    assert error(got, wanted) <= 1e-12
    assert too_large(made, gradients, {}) == {}


@pytest.mark.parametrize("mode", MODES, ids=MODE_NAMES)
def test_padding_is_seen_by_nobody_and_blind_rows_give_zero(mode: dict[str, Any]) -> None:
    mask = torch.ones(2, 140, dtype=torch.bool)
    mask[0, 101:] = False
    mask[1, :70] = False
    wanted, gradients = solve(direct, case(140), padding_mask=mask, **mode)
    got, made = solve(on_cuda, case(140), torch.float32, padding_mask=mask, **mode)
    assert error(got, wanted) <= 2e-6
    assert got[1, :, :70].abs().sum() == 0
    assert too_large(made, gradients, LIMITS) == {}


@pytest.mark.parametrize("in_value", [False, True])
def test_dropout_drops_its_share_and_is_the_same_in_backward(in_value: bool) -> None:
    def dropped(**inputs: Any) -> Any:
        torch.manual_seed(3)
        return on_cuda(**inputs, dropout=0.25, cutoff="none", mass_in_value=in_value)

    inputs = {name: value.float() for name, value in case(140).items()}
    keep = (dropped(**{**inputs, "v": torch.eye(140).expand(2, 3, -1, -1)}) > 0).double() / 0.75
    assert (keep[:, :, 70:, :70] == 0).double().mean().item() == pytest.approx(0.25, abs=0.01)
    wanted, gradients = solve(lambda **leaves: direct(**leaves, keep=keep, cutoff="none", mass_in_value=in_value), case(140))
    got, made = solve(dropped, case(140), torch.float32)
    assert error(got, wanted) <= 2e-6
    assert too_large(made, gradients, LIMITS) == {}


@pytest.mark.parametrize("mode", MODES, ids=MODE_NAMES)
def test_later_tokens_do_not_change_a_bit(mode: dict[str, Any]) -> None:
    inputs = {name: value.float() for name, value in case(200).items()}
    before = on_cuda(**inputs, **mode)
    for cut in (1, 64, 65, 199):
        changed = {name: value.clone() for name, value in inputs.items()}
        changed["z"][:, :, cut:] *= 2
        changed["v"][:, :, cut:] += 1
        changed["mass"][:, cut:] *= 3
        assert torch.equal(on_cuda(**changed, **mode)[:, :, :cut], before[:, :, :cut])


def test_gradients_are_the_same_bit_by_bit_each_time() -> None:
    """No sum depends on which program of a kernel comes first."""
    first, second = (solve(on_cuda, case(200), torch.float32, cutoff="soft", mass_in_value=False)[1] for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_values_stay_close(dtype: Any) -> None:
    inputs = {name: value.to(dtype) if name == "v" else value.float() for name, value in case(200).items()}
    wanted, _ = solve(direct, case(200), cutoff="soft", mass_in_value=True)
    assert error(on_cuda(**inputs, cutoff="soft", mass_in_value=True).double(), wanted) < (1e-3 if dtype == torch.float16 else 1e-2)
