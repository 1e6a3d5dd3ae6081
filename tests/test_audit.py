"""The audit: a healthy project has nothing to say, and each of the planted faults is found."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ngt_report.build import Request, build
from tests.faults import FAULTS, healthy

Row = dict[str, Any]


def findings(logs: Path, out: Path) -> list[Row]:
    folder = build(Request((str(logs),), out=str(out), dashboard=False)).folder
    found: list[Row] = json.loads((folder / "summary.json").read_text())["findings"]
    return found


def planted(name: str, tmp_path: Path, dice: Random) -> list[Row]:
    """The findings of a project with this fault in one run."""
    project = healthy(dice)
    FAULTS[name][1](project, dice.choice(project.curves), dice)
    return findings(project.write(tmp_path / "in"), tmp_path / "out")


@pytest.mark.parametrize("seed", range(2))
def test_a_healthy_project_has_no_error_and_no_warning(seed: int, tmp_path: Path) -> None:
    found = findings(healthy(Random(seed)).write(tmp_path / "in"), tmp_path / "out")
    assert [f["text"] for f in found if f["severity"] != "info"] == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, tmp_path: Path) -> None:
    found = planted(name, tmp_path, Random(name))
    assert {f["kind"] for f in found} & set(FAULTS[name][0]), [f["text"] for f in found]


@pytest.mark.parametrize("runs", [6, 7])
def test_many_runs_that_slow_down_at_one_step_are_one_finding(runs: int, tmp_path: Path) -> None:
    """A program that changes its batch or window at a step does so in each of its runs."""
    for run in range(runs):
        clock = [float(s if s <= 20 else 20 + (s - 20) * 3) for s in range(1, 41)]
        lines = [f"step {100 * s}/4000 val_loss={5 - s / 10 + run / 100:.4f} train_time={clock[s - 1]}s\n" for s in range(1, 41)]
        (tmp_path / f"run_{run}.log").write_text("".join(lines), encoding="utf-8")
    found = [f for f in findings(tmp_path, tmp_path / "out") if f["kind"] == "throughput_drop"]
    if runs == 6:
        assert [f["run"] for f in found] == [f"run_{run}" for run in range(6)]
    else:
        assert [(f["text"], f["source"], f["line"]) for f in found] == [
            (
                "7 runs slow down after step 2000, of which much takes far longer a step than their fast part: run_0, run_1, run_2 ...",
                "run_0.log",
                21,
            )
        ]
