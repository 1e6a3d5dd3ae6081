"""compare: at the right step, with what may mislead said first."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import exp

import pytest
from click.testing import Result

from ngt_report.compare import beside

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


LONG = ("gpt_medium_lr0.0006_wd0.1_warmup2000_cosine_" + "x" * 70 + end for end in ("_exp1", "_exp2"))
ROWS = [("step", "4000", "4000", ""), ("val loss", "3.2949", "3.3160", "+0.0211"), ("steps/s 200-4000", "4.963", "5.013", "1.01x")]


@pytest.mark.parametrize("names", [("a", "b"), tuple(LONG)], ids=["short names", "long names"])
@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_a_comparison_fits_its_terminal_and_keeps_every_value(names: tuple[str, str], width: int) -> None:
    lines = beside(("", *names, "difference"), ROWS, "lrrr", width)
    assert max(map(len, lines)) <= width
    said = " ".join(" ".join(lines).split())
    assert all(cell in said for row in ROWS for cell in row)
    assert names[0][-5:] in said.replace(" ", "") and names[1][-5:] in said.replace(" ", "")
    assert all(".." in line or "exp" not in line for line in lines[:1]) or width in (20, 40)


def test_a_comparison_in_a_pipe_is_not_shortened() -> None:
    (head, *_) = beside(("", "a" * 120, "b" * 120, "difference"), ROWS, "lrrr", None)
    assert "a" * 120 in head and "b" * 120 in head


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
