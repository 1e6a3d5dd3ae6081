"""Schedules are pure functions of the step; every parameter goes to the optimiser, rate and decay of its role."""

from __future__ import annotations

import copy
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from ngt_train import optim, schedules, variants  # noqa: E402
from ngt_train.config import OptimConfig, ScheduleConfig  # noqa: E402
from ngt_train.errors import TrainError  # noqa: E402

STEPS = 100


def factors(steps: int = STEPS, **settings: object) -> list[float]:
    schedule = ScheduleConfig(**settings)  # type: ignore[arg-type]
    return [schedules.factor(schedule, step, steps) for step in range(steps)]


def test_constant_is_one_after_a_warmup_that_loses_no_step() -> None:
    assert factors(kind="constant", warmup=4) == [0.25, 0.5, 0.75, *[1.0] * 97]


def test_cosine_is_the_written_out_formula() -> None:
    expected = [0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * (step - 10) / 90)) for step in range(10, STEPS)]
    assert factors(kind="cosine", warmup=10, minimum=0.1)[10:] == pytest.approx(expected, abs=1e-12)


def test_linear_is_that_of_the_fine_tuning_scripts() -> None:
    found = factors(kind="linear", warmup_ratio=0.06)
    assert found[:6] == pytest.approx([(step + 1) / 6 for step in range(6)])
    assert found[6:] == pytest.approx([(STEPS - step) / (STEPS - 6) for step in range(6, STEPS)])


def test_trapezoid_is_that_of_modded_nanogpt() -> None:
    found = factors(kind="trapezoid", warmup=10, warmdown=20)
    assert found[9:80] == [1.0] * 71
    assert found[80:] == pytest.approx([(STEPS - step) / 20 for step in range(80, STEPS)])


@given(
    st.sampled_from(["constant", "cosine", "linear", "trapezoid"]),
    st.integers(1, 50),
    st.integers(0, 50),
    st.integers(0, 50),
    st.floats(0, 1),
)
def test_factors_stay_between_zero_and_one_and_never_rise_after_the_warmup(
    kind: str, steps: int, warmup: int, warmdown: int, minimum: float
) -> None:
    warmup = min(warmup, steps)
    found = factors(steps, kind=kind, warmup=warmup, warmdown=min(warmdown, steps - warmup) if kind == "trapezoid" else 0, minimum=minimum)
    assert all(0 < f <= 1 for f in found[:warmup]) and all(minimum <= f <= 1 for f in found[warmup:])
    assert found[:warmup] == sorted(found[:warmup]) and found[warmup:] == sorted(found[warmup:], reverse=True)


def model(variant: str = "vanilla") -> torch.nn.Module:
    module = variants.load(variant)
    torch.manual_seed(0)
    return module.Model(module.Config(vocab_size=40, block=8, layers=2, heads=2, hidden=16, mlp=32))  # type: ignore[no-any-return]


def groups(made: optim.Optimizers) -> dict[tuple[str, str], dict[str, float]]:
    return {(g["optimizer"], g["role"]): g for g in made.routing}


def test_muon_takes_the_matrices_and_adamw_the_rest() -> None:
    tested = model()
    made = optim.build(tested, tested.roles(), OptimConfig(kind="muon", lr=0.0036, matrix_scale=0.1), "cpu")
    found = groups(made)
    assert set(found) == {("muon", "matrix"), ("adamw", "embedding"), ("adamw", "vector")}
    assert found["muon", "matrix"]["lr"] == pytest.approx(0.00036) and found["adamw", "embedding"]["lr"] == 0.0036
    assert all(p.ndim == 2 for g in made.parts["muon"].param_groups for p in g["params"])
    assert sum(g["elements"] for g in made.routing) == sum(p.numel() for p in tested.parameters())


def test_rates_and_decay_go_by_role() -> None:
    tested = model()
    made = optim.build(tested, tested.roles(), OptimConfig(lr=1e-3, vector_scale=0.3, weight_decay=0.1, decay=("matrix",)), "cpu")
    made.set_factor(0.5)
    rates = {g["role"]: (g["lr"], g["weight_decay"]) for g in made.parts["adamw"].param_groups}
    assert rates == {"matrix": (0.0005, 0.1), "embedding": (0.0005, 0.0), "vector": (pytest.approx(0.00015), 0.0)}


def stepped(config: OptimConfig) -> list[torch.Tensor]:
    tested = model()
    made = optim.build(tested, tested.roles(), config, "cpu")
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    for number in range(3):
        generator = torch.Generator().manual_seed(number)
        for parameter in tested.parameters():
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        made.step(scaler, torch.tensor(1.0))
    return [p.detach() for p in tested.parameters()]


def test_each_step_has_gradients_of_its_own_and_none_reach_a_frozen_weight() -> None:
    module = variants.load("ngpt")
    made = module.Model(module.Config(vocab_size=20, block=4, layers=1, heads=2, hidden=8, learn_logit_scale=False))
    twin = copy.deepcopy(made)
    ours = optim.build(made, made.roles(), OptimConfig(lr=0.1, weight_decay=0.5), "cpu")
    theirs = torch.optim.AdamW([p for p in twin.parameters() if p.requires_grad], lr=0.1, weight_decay=0.5)
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    for step in range(3):
        tokens = torch.arange(4).unsqueeze(0) + step
        for model in (made, twin):
            model.head(model(tokens).hidden).square().mean().backward()
        ours.step(scaler, torch.tensor(1.0))
        ours.zero_grad()
        theirs.step()
        theirs.zero_grad()
    for (name, a), b in zip(made.named_parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(a, b, msg=name)
    assert made.head.scale.item() == 15.0
    assert sum(group["elements"] for group in ours.routing) == sum(p.numel() for p in made.parameters() if p.requires_grad)


def test_the_fused_kernel_is_adamw() -> None:
    for fused, plain in zip(stepped(OptimConfig(fused=True)), stepped(OptimConfig(fused=False)), strict=True):
        torch.testing.assert_close(fused, plain, rtol=1e-5, atol=1e-7)


def test_a_state_goes_back_whole() -> None:
    first = model()
    made = optim.build(first, first.roles(), OptimConfig(kind="muon"), "cpu")
    for parameter in first.parameters():
        parameter.grad = torch.ones_like(parameter)
    made.step(torch.amp.GradScaler("cpu", enabled=False), torch.tensor(1.0))
    second = model()
    other = optim.build(second, second.roles(), OptimConfig(kind="muon"), "cpu")
    other.load_state_dict(made.state_dict())
    for name, state in made.state_dict().items():
        again = other.state_dict()[name]
        assert again["param_groups"] == state["param_groups"] and again["state"].keys() == state["state"].keys()
        for key, values in state["state"].items():
            assert all(torch.equal(torch.as_tensor(v), torch.as_tensor(again["state"][key][k])) for k, v in values.items())


def test_an_overflow_in_one_part_skips_the_other_too() -> None:
    tested = model()
    made = optim.build(tested, tested.roles(), OptimConfig(kind="muon"), "cpu")
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    scaler.scale(torch.ones(()))
    for parameter in tested.parameters():
        parameter.grad = torch.ones_like(parameter)
    next(p for g in made.parts["muon"].param_groups for p in g["params"]).grad[0, 0] = torch.inf
    before = [p.detach().clone() for p in tested.parameters()]
    for part in made.parts.values():
        scaler.unscale_(part)
    made.step(scaler, torch.nn.utils.get_total_norm([p.grad for p in tested.parameters()]))
    assert all(torch.equal(a, b) for a, b in zip(before, tested.parameters(), strict=True))
    assert scaler.get_scale() == 4.0


@pytest.mark.parametrize(("change", "said"), [({"norm.weight": "gain"}, "has the role 'gain'"), ({"nothing": "matrix"}, "names nothing")])
def test_a_model_that_misnames_its_roles_is_refused(change: dict[str, str], said: str) -> None:
    tested = model()
    with pytest.raises(TrainError, match=said):
        optim.build(tested, {**tested.roles(), **change}, OptimConfig(), "cpu")
