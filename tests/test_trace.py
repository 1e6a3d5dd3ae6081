"""trace: every number leads to the line that it stands on."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from math import exp
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ngt_report.commands import cli
from tests.conftest import LOGS

Run = Callable[..., Result]
ROOT = LOGS.parents[1]
LINE = re.compile(r"^step (\d+)/\d+ train_loss=([\d.]+) val_loss=([\d.]+) .*elapsed=([\d.]+)s$")


def traced(run: Run, asked: str) -> dict[str, Any]:
    result = run("trace", asked, "--json")
    assert result.exit_code == 0, result.stderr
    number: dict[str, Any] = json.loads(result.stdout)["numbers"][0]
    return number


def leaves(number: dict[str, Any]) -> list[dict[str, Any]]:
    return [leaf for n in number["inputs"] for leaf in leaves(n)] if "inputs" in number else [number]


def test_every_value_of_a_log_is_traced_to_the_line_that_grep_finds(run: Run) -> None:
    path = LOGS / "w3_25m_screen_ngt_default.log"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if (match := LINE.match(line)) and int(match[1]) % 5000 == 0:
            for metric, value in (("train/loss", match[2]), ("val/loss", match[3])):
                found = traced(run, f"ngt_default:{metric}@{match[1]}")
                assert (found["shown"], found["path"], found["line"], found["text"]) == (value, f"logs/w3_25m/{path.name}", number, line)


@pytest.mark.parametrize("what", ["best", "last", "ppl", "delta", "delta_ppl", "rank", "steps_per_s", "s_per_step", "train_time"])
def test_derived_numbers_have_a_formula_and_their_inputs_a_place(run: Run, what: str) -> None:
    found = traced(run, f"ngt_default:{what}")
    assert found["formula"]
    for leaf in leaves(found):
        assert (ROOT / leaf["path"]).is_file()
        if "line" in leaf and "text" in leaf:
            assert (ROOT / leaf["path"]).read_text(encoding="utf-8").splitlines()[leaf["line"] - 1] == leaf["text"]
            assert leaf["shown"].removesuffix(" s") in leaf["text"]
        else:
            assert leaf["pointer"] == "best_val"


def test_derived_numbers_follow_from_their_inputs(run: Run) -> None:
    ppl = traced(run, "ngt_repulsion_interval_8:ppl")
    assert ppl["value"] == pytest.approx(exp(leaves(ppl)[0]["value"]), rel=1e-12)
    assert ppl["shown"].startswith("118.48")  # from the checkpoint's full precision, as published
    rate = traced(run, "vanilla:steps_per_s")
    start, end = (leaf["value"] for leaf in rate["inputs"])
    assert rate["value"] == pytest.approx((15000 - 500) / (end - start), rel=1e-12)
    delta = traced(run, "ngt_default:delta")
    assert delta["value"] == pytest.approx(delta["inputs"][0]["value"] - delta["inputs"][1]["value"], rel=1e-12)


def test_a_curve_without_a_step_gives_best_and_last(run: Run) -> None:
    numbers = json.loads(run("trace", "vanilla:val/loss", "--json").stdout)["numbers"]
    assert [(n["what"], n["shown"]) for n in numbers] == [("best val/loss @13500", "4.5524"), ("last val/loss @15000", "4.5554")]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("vanilla", "give RUN:METRIC"),
        ("vanilla:val/los", "did you mean 'val/loss'"),
        ("vanilla:bset", "did you mean 'best'"),
        ("vanila:best", "did you mean 'screen_vanilla_25m'"),
        ("vanilla:val/loss@501", "the nearest are 500 and 1000"),
        ("final_ngt:delta", "compared with no baseline"),
    ],
)
def test_what_cannot_be_traced_is_said(run: Run, asked: str, said: str) -> None:
    result = run("trace", asked)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_a_line_that_was_not_kept_is_read_only_from_the_same_file(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    shutil.copytree(LOGS, logs)
    out = str(tmp_path / "out")
    assert CliRunner().invoke(cli, ["build", str(logs), "-o", out]).exit_code == 0
    log = logs / "w3_25m_screen_vanilla_25m.log"

    def ask() -> str:
        return CliRunner().invoke(cli, ["trace", "vanilla:train/loss@2000", "--dir", out]).stdout

    line = next(text for text in log.read_text(encoding="utf-8").splitlines() if text.startswith("step 2000/"))
    assert line in ask()
    with log.open("a", encoding="utf-8") as f:
        f.write("one more line\n")
    assert line in ask()  # it only grew
    log.write_text(log.read_text(encoding="utf-8").replace("step 500/", "step 501/"), encoding="utf-8", newline="")
    assert line not in ask()
    assert "the file has changed since the build" in ask()
    log.unlink()
    assert "was not kept, and the file is not here" in ask()
    kept = CliRunner().invoke(cli, ["trace", "vanilla:best", "--dir", out]).stdout
    assert "val_loss=4.5524" in kept  # what Summary.md cites needs no file
