"""Names in ngtreport.toml that no run has are findings, and names that a run has are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ngt_report.build import Request, build

Write = Callable[[str, str], Path]
RESULTS = "run_id,final_val_loss\nvan,4.0\nscreen_gated,4.1\n"


def said(write: Write, tmp_path: Path, table: str) -> list[tuple[str, str]]:
    """Severities and texts of the findings about names."""
    for name, loss in (("screen_vanilla", 4.0), ("screen_gated", 4.1)):
        write(f"in/{name}.log", f"step 1/2 val_loss=4.5\nstep 2/2 val_loss={loss}\n")
    write("in/results.csv", RESULTS)
    write("in/ngtreport.toml", table)
    build(Request((str(tmp_path / "in"),), out=str(tmp_path / "out")))
    found = json.loads((tmp_path / "out" / "summary.json").read_text())["findings"]
    return [(f["severity"], f["text"]) for f in found if f["kind"] == "misnamed"]


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ('[labels]\nscreen_vanila = "A"', "screen_vanila"),
        ("[declared.screen_vanila]\nseed = 1", "screen_vanila"),
        ('[aliases]\nvan = "screen_vanila"', "screen_vanila"),
        ('[labels]\nvanilla = "A"', "vanilla"),
    ],
)
def test_a_typo_is_a_warning_with_the_nearest_run(table: str, name: str, write: Write, tmp_path: Path) -> None:
    place = table.partition("]")[0].partition(".")[0] + "]"
    text = f"{place} of ngtreport.toml names '{name}', which is the name of no run; did you mean 'screen_vanilla'?"
    assert said(write, tmp_path, table) == [("warning", text)]


def test_a_name_that_is_near_to_none_is_a_remark(write: Write, tmp_path: Path) -> None:
    found = said(write, tmp_path, '[labels]\nzzz = "A"\n[aliases]\nqqq = "screen_vanilla"')
    assert [severity for severity, _ in found] == ["info", "info"]
    assert "names 'zzz', which is the name of no run; it has no effect here" in found[1][1]


def test_names_that_mean_something_are_no_findings(write: Write, tmp_path: Path) -> None:
    table = '[labels]\nscreen_vanilla = "A"\n[aliases]\nvan = "screen_vanilla"\n'
    table += '[declared]\nhardware = "x"\n[declared.screen_gated]\nseed = 1\n'
    assert said(write, tmp_path, table) == []
