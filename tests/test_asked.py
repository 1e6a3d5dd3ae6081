"""Steps and targets that are asked for, on the command line or in ngtreport.toml: refused in a sentence where they cannot be meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ngt_report.build import Request, build
from ngt_report.commands import cli

Write = Callable[[str, str], Path]


def log(last: int, every: int, worse: float = 0.0) -> str:
    return "".join(f"step {step}/{last} val_loss={9 - step / last + worse}\n" for step in range(every, last + 1, every))


@pytest.fixture
def logs(write: Write) -> str:
    write("in/a.log", log(1000, 50))
    return str(write("in/b.log", log(1000, 100, 0.1)).parent)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("command", ["build", "stat"])
def test_a_target_is_a_finite_number_wherever_it_is_given(value: str, command: str, logs: str, tmp_path: Path, write: Write) -> None:
    out = ("-o", str(tmp_path / "out")) if command == "build" else ()
    given = call(command, logs, *out, "--target", value)
    write("in/ngtreport.toml", f"target = {value}\n")
    told = call(command, logs, *out)
    assert (given.exit_code, told.exit_code, given.stdout, told.stdout) == (2, 2, "", "")
    assert given.stderr == f"Error: --target is {value}, which is no loss; give a finite number, such as 3.28\n"
    assert told.stderr == f"Error: ngtreport.toml: target is {value}, which is no loss; give a finite number, such as 3.28\n"


def test_a_report_is_not_tested_against_a_target_that_is_none(logs: str, tmp_path: Path) -> None:
    assert call("build", logs, "-o", str(tmp_path / "out")).exit_code == 0
    assert call("stat", str(tmp_path / "out"), "--target", "nan", "--rule", "modded-track1").exit_code == 2


@pytest.mark.parametrize("step", [-5, 2**80])
def test_a_step_is_one_that_runs_can_reach(step: int, logs: str, tmp_path: Path, write: Write) -> None:
    write("in/ngtreport.toml", f"step = {step}\n")
    told = call("build", logs, "-o", str(tmp_path / "out"))
    assert (told.exit_code, told.stderr.startswith(f"Error: ngtreport.toml: step is {step}, which no run can reach")) == (2, True)


@pytest.mark.parametrize(("step", "said"), [(777, "steps are 700 and 800"), (50_000, "step is 1000"), (0, "step is 100")])
def test_a_step_at_which_no_run_was_evaluated_is_answered_with_the_nearest_common_ones(
    step: int, said: str, logs: str, tmp_path: Path, write: Write
) -> None:
    out = ("-o", str(tmp_path / "out"))
    assert call("build", logs, *out).exit_code == 0
    before = (tmp_path / "out" / "Summary.md").read_bytes()
    write("in/ngtreport.toml", f"step = {step}\n")
    for done in (call("build", logs, *out), call("build", logs, *out, "--step", str(step)), call("stat", logs, "--step", str(step))):
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr == (
            f"Error: no compared run was evaluated at step {step}, which --step or ngtreport.toml asks for; the nearest common {said}\n"
        )
    assert (tmp_path / "out" / "Summary.md").read_bytes() == before


def test_a_step_that_suits_some_sets_is_said_in_the_others(logs: str, tmp_path: Path, write: Write) -> None:
    write("in/c.log", log(300, 60))
    write("in/d.log", log(300, 60, 0.2))
    done = call("build", logs, "-o", str(tmp_path / "out"), "--step", "500")
    assert done.exit_code == 0, done.stderr
    headline = (tmp_path / "out" / "Summary.md").read_text().partition("## Headline")[2].partition("\n## ")[0]
    assert "compared at step 500" in headline
    assert "**300 steps** (2 runs): No run has a validation loss at step 500." in headline
    assert "No run has a validation loss at step 500." in (tmp_path / "out" / "dashboard.html").read_text()


def test_a_single_run_is_compared_with_none_and_takes_any_step(tmp_path: Path, write: Write) -> None:
    one = write("one/a.log", log(1000, 50))
    assert call("build", str(one), "-o", str(tmp_path / "out"), "--step", "777").exit_code == 0


def test_runs_that_lack_the_step_that_was_asked_for_are_named(tmp_path: Path) -> None:
    """Some of a set were evaluated there: the headline counts those, and the others are named in Summary.md, summary.json and the page."""
    (tmp_path / "in").mkdir()
    for place, (name, every) in enumerate((("a", 100), ("b", 100), ("c", 200), ("d", 300))):
        rows = [(s, 4.1 + place / 10 - s / 1000) for s in range(every, 1201, every)]
        text = "".join(f"step {s}/1200: train loss {v - 0.1:.4f}, val loss {v:.4f}\n" for s, v in rows)
        (tmp_path / "in" / f"{name}.log").write_text(text)
    folder = build(Request((str(tmp_path / "in"),), out=str(tmp_path / "out"), step=100)).folder
    text = (folder / "Summary.md").read_text(encoding="utf-8")
    assert "2 of 4 runs compared at step 100." in text
    assert "2 of the 4 runs were not evaluated at this step and are not in the table: c, d.\n" in text
    assert json.loads((folder / "summary.json").read_text(encoding="utf-8"))["comparisons"][0]["not_at_step"] == ["c", "d"]
    assert "Not evaluated at that step" in (folder / "dashboard.html").read_text(encoding="utf-8")
    whole = build(Request((str(tmp_path / "in"),), out=str(tmp_path / "all"), dashboard=False)).folder
    assert "not evaluated at this step" not in (whole / "Summary.md").read_text(encoding="utf-8")
    assert "not_at_step" not in (whole / "summary.json").read_text(encoding="utf-8")
