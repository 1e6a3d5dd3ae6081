"""Hand-written tables of what no line of a log has: intervals, tests, mean curves, equal time, time to a target; and of settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import exp

import pytest

from ngt_report.build import Request
from ngt_report.verify.check import check, evidence
from ngt_report.verify.claims import World
from ngt_report.verify.verdict import MATCH, MISMATCH, UNDECIDABLE
from tests.conftest import LOGS

SAMPLE = LOGS.parents[1]


@pytest.fixture(scope="module")
def sample() -> Iterator[World]:
    with evidence(Request((str(SAMPLE),))) as data:
        yield World(data)


@pytest.fixture(scope="module")
def gates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("gates")
    for i, gate in enumerate(("headwise", "elementwise")):
        for seed in (1, 2, 3):
            config = {"attn_gate": gate, "n_layer": 6, "seed": seed, "max_steps": 400}
            lines = [f"step {s}/400 | val_loss {4.4 - 0.07 * i + 0.011 * (seed * 3 % 7) + exp(-s / 300):.4f}" for s in range(100, 401, 100)]
            (folder / f"{gate}-seed{seed}.log").write_text("\n".join([f"Config: {json.dumps(config)}", *lines]) + "\n")
    with evidence(Request((str(folder),))) as data:
        yield World(data)


def said(text: str, world: World) -> dict[str, str]:
    return {c.text: c.verdict for c in check(text, world)}


def right_for(text: str, number: str, world: World) -> float | None:
    """What the data gives for a number that must be wrong."""
    (found,) = [c for c in check(text, world) if c.text == number and c.verdict == MISMATCH]
    return found.value


SEEDS = (
    "| gate | seeds | mean | 95% CI |\n|---|---|---|---|\n| headwise | 3 | 4.7039 | {} |\n| elementwise (n = 3) | 3 | 4.6339 | ±0.0569 |\n"
)
TESTS = "By Welch's t test:\n\n| gate | vs | Δ loss | p |\n|---|---|---|---|\n| headwise (n = 3) | elementwise | +0.0700 | {} |\n"
CURVES = (
    "## Mean curves\n\n| gate | @100 | @300 | @400 |\n|---|---|---|---|\n| headwise | 5.1568 | {} | 4.7039 |\n"
    "| elementwise | 5.0868 | 4.7382 | 4.6339 |\n"
)
# the right ones are from scipy: t.ppf(0.975, 2) * std / sqrt(3), and ttest_ind(..., equal_var=False)
GROUPS = [(SEEDS, "0.0569", "0.0769"), (TESTS, "0.020", "0.034"), (CURVES, "4.8082", "4.8182")]


@pytest.mark.parametrize(("text", "right", "wrong"), GROUPS, ids=["interval", "p-value", "mean curve"])
def test_groups_of_seeds(gates: World, text: str, right: str, wrong: str) -> None:
    assert set(said(text.format(right), gates).values()) == {MATCH}
    value = right_for(text.format(wrong), wrong, gates)
    assert value is not None and f"{value:.{len(right) - 2}f}" == right


@pytest.mark.parametrize("text", ["headwise is 0.0700 worse than elementwise by a t test (p = {}).", TESTS])
def test_a_p_value_by_the_method_of_the_report(gates: World, text: str) -> None:
    assert said(text.format("0.020"), gates)["0.020"] == MATCH
    assert right_for(text.format("0.030"), "0.030", gates) == pytest.approx(0.02005, abs=1e-5)


@pytest.mark.parametrize("text", ["headwise is 0.0700 worse than elementwise (p = {}).", TESTS.replace("By Welch's t test:", "")])
def test_a_p_value_of_which_nobody_says_by_what_test_is_never_wrong(gates: World, text: str) -> None:
    assert said(text.format("0.020"), gates)["0.020"] == MATCH
    assert said(text.format("0.030"), gates)["0.030"] == UNDECIDABLE


def test_a_curve_of_something_else_is_left_open(gates: World) -> None:
    other = CURVES.format("1.1").replace("5.1568", "2.1").replace("4.7039", "0.9").replace("5.0868", "2.0").replace("4.7382", "1.2")
    assert MISMATCH not in said(other.replace("4.6339", "0.8"), gates).values()


EQUAL = "At equal time ({}):\n\n| run | val loss | step |\n|---|---|---|\n| vanilla_25m | 4.5554 | 15000 |\n| no_radius | {} | 2552 |\n"


def test_loss_at_equal_time(sample: World) -> None:
    assert said(EQUAL.format("50m 34.7s", "5.5975"), sample)["5.5975"] == MATCH
    assert right_for(EQUAL.format("50m 34.7s", "5.6975"), "5.6975", sample) == pytest.approx(5.5975, abs=1e-4)
    assert said(EQUAL.format("20m 30.0s", "5.6975"), sample)["5.6975"] == UNDECIDABLE  # another time than the report's


TARGETS = (
    "| target | run | steps | time |\n|---|---|---|---|\n| {} | vanilla_25m | {} | 34m 1.5s |\n"
    "| 4.5554 | vanilla_25m | 13391 | 45m 11.6s |\n"
)


def test_time_to_a_target(sample: World) -> None:
    assert set(said(TARGETS.format("4.6635", 10075), sample).values()) == {MATCH}
    assert right_for(TARGETS.format("4.6635", 11075), "11075", sample) == pytest.approx(10075, abs=1)
    assert MISMATCH not in said(TARGETS.format("4.1", 77), sample).values()  # a target that the report does not have


def test_the_target_may_stand_above(sample: World) -> None:
    table = "## Time to reach 4.6635\n\n| run | steps | time |\n|---|---|---|\n| vanilla_25m | {} | 34m 1.5s |\n"
    assert said(table.format(10075), sample)["10075"] == MATCH
    assert said(table.format(15000), sample)["15000"] == UNDECIDABLE  # its total, not what it took; by which method is not said


SETTINGS = "| setting | {} |\n|---|---|\n| layers | {} |\n| learning rate | 3e-4 |\n"


def test_settings_that_all_runs_have(gates: World) -> None:
    assert said(SETTINGS.format("value", 6), gates)["6"] == MATCH
    assert right_for(SETTINGS.format("value", 8), "8", gates) == 6
    assert said(SETTINGS.format("the paper", 8), gates)["8"] == UNDECIDABLE
    assert said("## Next steps\n\n" + SETTINGS.format("value", 8), gates)["8"] == UNDECIDABLE


def test_one_time_is_no_time_taken(sample: World) -> None:
    assert said("vanilla_25m restarted 1 time.", sample)["1"] == UNDECIDABLE


def test_digits_of_a_hash_are_no_number(sample: World) -> None:
    assert "123456789012" not in said("| file | sha256 |\n|---|---|\n| `a.log` | `123456789012` |\n", sample)
