"""compare: at the right step, with what may mislead said first."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import exp

import pytest
from click.testing import Result

Run = Callable[..., Result]


def test_runs_are_compared_at_the_largest_common_step(run: Run) -> None:
    found = json.loads(run("compare", "vanilla", "ngt_default", "--json").stdout)
    a, b = found["runs"]
    assert (a["run"], a["step"], a["logged"], b["step"], b["logged"]) == ("screen_vanilla_25m", 15000, "4.5554", 15000, "4.7915")
    assert found["delta_loss"] == pytest.approx(4.7915 - 4.5554)
    assert found["delta_ppl"] == pytest.approx(exp(4.7915 - 4.5554) - 1)
    assert (a["throughput"]["from_step"], a["throughput"]["to_step"]) == (500, 15000)
    assert a["throughput"]["steps_per_s"] == pytest.approx(4.964, abs=5e-4)
    assert found["warnings"] == []
    assert a["source"].endswith("vanilla_25m.log")


def test_a_step_of_one_run_holds_for_both(run: Run) -> None:
    found = json.loads(run("compare", "vanilla", "ngt_default@1,000", "--json").stdout)
    assert [r["step"] for r in found["runs"]] == [1000, 1000]
    assert found["same_step"]


def test_different_steps_and_continuations_are_said_first(run: Run) -> None:
    text = run("compare", "vanilla@15000", "final_ngt@20000").stdout
    assert text.startswith("careful: different steps: screen_vanilla_25m at 15000, final_ngt_mass_in_value_resume_50k at 20000\n")
    assert "careful: final_ngt_mass_in_value_resume_50k continues screen_ngt_mass_in_value" in text
    assert "careful: step budget differs: 15,000 against 50,000 steps" in text
    none = run("compare", "vanilla", "final_ngt")
    assert none.exit_code == 2
    assert "share no evaluated step" in none.stderr


def test_a_step_without_an_evaluation_names_the_nearest(run: Run) -> None:
    result = run("compare", "vanilla@1234", "ngt_default")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no evaluation at step 1234; the nearest are 1000 and 1500" in result.stderr


def test_names_may_be_any_unique_part_and_a_typo_gets_the_nearest(run: Run) -> None:
    assert "did you mean 'screen_vanilla_25m'" in run("compare", "vanila", "ngt_default").stderr
    assert "may be any of 6 runs" in run("compare", "ngt", "vanilla").stderr


def test_diff_only_hides_equal_settings(run: Run) -> None:
    every = json.loads(run("compare", "vanilla", "ngt_default", "--json").stdout)["config"]
    differing = json.loads(run("compare", "vanilla", "ngt_default", "--json", "--diff-only").stdout)["config"]
    assert [c for c in every if not c["equal"]] == differing
    assert {"key": "model", "values": ["vanilla", "ngt"], "equal": False} in differing
    assert {"key": "seed", "values": [42, 42], "equal": True} in every
    assert "\nseed " not in run("compare", "vanilla", "ngt_default", "--diff-only").stdout
