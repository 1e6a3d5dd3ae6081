"""The Triton kernels in Triton's interpreter; tests/test_gravity_triton.py runs this file in a process that has it switched on."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ngt_train import gravity, gravity_rows, gravity_triton
from tests.gravity_reference import direct
from tests.test_gravity import FP32, MODE_NAMES, MODES, case, error, solve, too_large

ROWS = gravity_rows.attention
SMALL = {"batch": 1, "heads": 2}
HALF = [index for index in range(len(MODES)) if index % 4 in (0, 3)]  # every cutoff; masses in values together with rsqrt


@pytest.fixture(autouse=True)
def kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """gravity_attention runs the kernels, as it does on CUDA."""
    monkeypatch.setattr(gravity_rows, "attention", gravity_triton.attention)


@pytest.mark.parametrize("mode", [MODES[index] for index in HALF], ids=[MODE_NAMES[index] for index in HALF])
def test_equals_the_direct_formula(mode: dict[str, Any]) -> None:
    wanted, gradients = solve(direct, case(35, **SMALL), **mode)
    got, made = solve(gravity.gravity_attention, case(35, **SMALL), torch.float32, **mode)
    assert error(got, wanted) <= 2e-6
    assert too_large(made, gradients, FP32) == {}


@pytest.mark.parametrize("mode", [MODES[0], MODES[7]], ids=str)
def test_padding_is_seen_by_nobody_and_blind_rows_give_zero(mode: dict[str, Any]) -> None:
    mask = torch.ones(1, 35, dtype=torch.bool)
    mask[0, :5] = mask[0, 30:] = False
    wanted, gradients = solve(direct, case(35, **SMALL), padding_mask=mask, **mode)
    got, made = solve(gravity.gravity_attention, case(35, **SMALL), torch.float32, padding_mask=mask, **mode)
    assert error(got, wanted) <= 2e-6
    assert got[:, :, :5].abs().sum() == 0
    assert too_large(made, gradients, FP32) == {}


def test_dropout_is_the_same_in_backward() -> None:
    mode = {"cutoff": "none", "mass_in_value": False}

    def dropped(*args: Any, **inputs: Any) -> Any:
        return gravity.gravity_attention(*args, **inputs, dropout=0.25, generator=torch.Generator().manual_seed(3), **mode)

    inputs = {name: value.float() for name, value in case(35, **SMALL).items()}
    weights = dropped(**{**inputs, "v": torch.eye(35).expand(1, 2, -1, -1)})
    keep = (weights > 0).double() / 0.75
    assert (keep[:, :, 15:, :15] == 0).double().mean().item() == pytest.approx(0.25, abs=0.05)
    wanted, gradients = solve(lambda **leaves: direct(**leaves, keep=keep, **mode), case(35, **SMALL))
    got, made = solve(dropped, case(35, **SMALL), torch.float32)
    assert error(got, wanted) <= 2e-6
    assert too_large(made, gradients, FP32) == {}


def test_later_tokens_do_not_change_a_bit() -> None:
    inputs = {name: value.float() for name, value in case(35, **SMALL).items()}
    mode = {"cutoff": "hard", "mass_in_value": False}
    before = gravity.gravity_attention(**inputs, **mode)
    changed = {name: value.clone() for name, value in inputs.items()}
    changed["z"][:, :, 18:] *= 2
    changed["v"][:, :, 18:] += 1
    assert torch.equal(gravity.gravity_attention(**changed, **mode)[:, :, :18], before[:, :, :18])


def test_rows_that_see_only_themselves_add_nothing_to_gamma() -> None:
    inputs = {**case(35, **SMALL), "radius": torch.tensor(0.01, dtype=torch.float64)}
    _, made = solve(gravity.gravity_attention, inputs, torch.float32, cutoff="hard", mass_in_value=False)
    assert [made[name].abs().max().item() for name in ("z", "gamma", "bias")] == [0, 0, 0]


def test_half_values_stay_close() -> None:
    inputs = {name: value.half() if name == "v" else value.float() for name, value in case(35, **SMALL).items()}
    wanted, _ = solve(direct, case(35, **SMALL), cutoff="soft", mass_in_value=True)
    assert error(gravity.gravity_attention(**inputs, cutoff="soft", mass_in_value=True).double(), wanted) < 1e-3


def test_the_check_before_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels that agree are used; those that fail or differ are not, and the user hears why."""
    monkeypatch.setattr(gravity_rows, "attention", ROWS)
    device = torch.device("cpu")
    assert gravity._choose(device) is gravity_triton.attention
    monkeypatch.setattr(gravity_triton, "EPSILON", 1e-2)
    with pytest.warns(UserWarning, match=r"slower form on cpu, .*: they differ from the row blocks by"):
        assert gravity._choose(device) is ROWS
    monkeypatch.setattr(gravity_triton, "_token_major", None)
    with pytest.warns(UserWarning, match=r"slower form on cpu, .*: TypeError"):
        assert gravity._choose(device) is ROWS
