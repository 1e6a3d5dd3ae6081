"""Reports in Python, and what changed between two builds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import ngt_report
from ngt_report.build import Request, build
from ngt_report.errors import UsageError
from ngt_report.notebook import LoadedReport
from tests.conftest import LOGS
from tests.test_seeds import log, seeded

Write = Callable[[str, str], Path]
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def loaded() -> Iterator[LoadedReport]:
    with ngt_report.load(str(LOGS)) as report:
        yield report


def test_runs_points_groups_and_findings_are_data_frames(loaded: LoadedReport) -> None:
    best = loaded.runs.set_index("name").loc["screen_vanilla_25m"]
    assert (best["best_loss"], best["best_step"], best["place"], best["line"]) == (4.552418, 13500, 1, 48)
    vanilla = loaded.points.query("name == 'screen_vanilla_25m' and metric == 'val/loss' and step == 13500")
    assert 4.5524 in set(vanilla["value"]) and list(loaded.groups["n"]) == [1] * 6
    assert set(loaded.findings["severity"]) == {"warning", "info"}


def test_sql_is_one_select_with_bound_values(loaded: LoadedReport) -> None:
    assert list(loaded.sql("SELECT place FROM ranking WHERE run LIKE ?", ["%vanilla%"])["place"]) == [1]
    for text in ("DROP TABLE runs", "SELECT 1; SELECT 2", "COPY runs TO 'x.csv'"):
        with pytest.raises(UsageError, match="one SELECT"):
            loaded.sql(text)


def test_a_comparison_prints_as_the_command_does_and_shows_itself(loaded: LoadedReport) -> None:
    found = loaded.compare("vanilla", "ngt_default@1000")
    assert found["same_step"] and "1000" in str(found) and "<table>" in found._repr_html_()
    assert repr(loaded) == "<report of w3_25m: 7 runs, 3 findings>"
    assert "<table" in loaded._repr_html_() and "screen_vanilla_25m" in loaded._repr_html_()


def test_a_comparison_in_a_notebook_shows_tables_and_no_markup_of_names(tmp_path: Path) -> None:
    for name in ("a<b>", "net"):
        (tmp_path / f"{name}.log").write_text(f"model: {name}\nstep 1/2 val_loss=4.5\nstep 2/2 val_loss=4.1\n")
    with ngt_report.load(str(tmp_path)) as report:
        html = report.compare("a<b>", "net")._repr_html_()
    assert "<th>a&lt;b&gt;</th><th>net</th>" in html
    assert "<td>val loss</td><td>4.1</td><td>4.1</td><td>+0.0000</td>" in html
    assert "<td>model</td>" in html
    assert "<b>a" not in html


def test_a_report_that_was_built_is_opened_and_takes_no_options(built: Path) -> None:
    with ngt_report.load(str(built)) as report:
        assert len(report.runs) == 7
    with pytest.raises(UsageError, match="give the logs"):
        ngt_report.load(str(built), step=500)
    with pytest.raises(UsageError, match="needs a path"):
        ngt_report.load()


def test_options_are_those_of_a_build(write: Write, tmp_path: Path) -> None:
    seeded(write, "x", {1: 4.0, 2: 4.1}, more="model: plain\n")
    with ngt_report.load(str(tmp_path / "logs"), group_by="model") as report:
        assert list(report.groups["n"]) == [2]


# -- diff ---------------------------------------------------------------------------------------------------------------
def report(tmp_path: Path, name: str) -> str:
    return str(build(Request((str(tmp_path / "logs"),), out=str(tmp_path / name))).folder)


def test_what_changed_between_two_builds_is_said(write: Write, tmp_path: Path, run: Run) -> None:
    seeded(write, "a", {1: 4.0, 2: 4.2})
    log(write, "gone", [5.0, 4.5, 4.4], "dataset: w\n")
    old = report(tmp_path, "old")
    (tmp_path / "logs" / "gone.log").unlink()
    log(write, "a_s1", [5.0, 3.99, 3.9], "seed: 1\ndataset: w\nlr: 0.001\n")
    log(write, "came", [5.0, 4.0, 3.8], "dataset: w\n")
    new = report(tmp_path, "new")
    text = run("diff", old, new).stdout
    assert "+ run came\n- run gone\n" in text
    assert "best 3.99 -> 3.9 (-0.0900)" in text and "last 4 -> 3.9 (-0.1000)" in text
    assert "group a: n 2 -> 2, mean 4.1000 -> 4.0500" in text
    assert "300 steps: the best run was a_s1, is came" in text
    found: dict[str, Any] = json.loads(run("diff", old, new, "--json").stdout)
    assert (found["added"], found["removed"], list(found["changed"])) == (["came"], ["gone"], ["a_s1", "a_s2"])
    assert run("diff", new, new).stdout == "nothing changed\n"


def test_a_report_that_is_not_there_is_an_error(run: Run) -> None:
    assert run("diff", "nowhere", "nothing").exit_code == 2
