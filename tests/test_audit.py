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
