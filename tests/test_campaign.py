"""Campaigns: phases, effects of single settings against the right baseline, what is not comparable, and the final configuration."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from ngt_report.build import Request, build
from ngt_report.handing.recipe import to_toml
from ngt_train import config as trainer

Write = Callable[[str, str], Path]
Run = Callable[..., Result]
Row = dict[str, Any]


def rows(*found: Row) -> str:
    return "".join(json.dumps(r) + "\n" for r in found)


def row(loss: float, **settings: Any) -> Row:
    return {"alpha": 0.1, "lr": 0.001, "n_layer": 4, "n_embd": 64, "steps": 500, "val_loss": loss} | settings


@pytest.fixture
def folder(write: Write, tmp_path: Path) -> Path:
    """Two sweeps: alpha, with three repeats that measure the noise, then the learning rate; a third with another size."""
    write("in/a_20250101_1.jsonl", rows(row(6.0), row(6.002), row(6.004), row(5.5, alpha=0.2), row(6.001, alpha=0.3)))
    write("in/b_20250102_1.jsonl", rows(row(5.45, alpha=0.2, lr=0.002), row(5.0, alpha=0.2, lr=0.003)))
    write("in/c_20250103_1.jsonl", rows(row(4.0, alpha=0.2, n_embd=128), row(4.2, alpha=0.3, n_embd=128)))
    return build(Request((str(tmp_path / "in"),), out=str(tmp_path / "out"), dashboard=False)).folder


def campaign(folder: Path) -> Row:
    return dict(json.loads((folder / "summary.json").read_text())["campaign"])


def test_each_phase_has_its_best_with_its_settings_in_the_order_of_dates(folder: Path) -> None:
    found = campaign(folder)["phases"]
    assert [(p["phase"], p["runs"], p["loss"], p["steps"]) for p in found] == [
        ("a_20250101_1.jsonl", 5, 5.5, 500), ("b_20250102_1.jsonl", 2, 5.0, 500), ("c_20250103_1.jsonl", 2, 4.0, 500),
    ]  # fmt: skip
    assert "alpha=0.2" in found[0]["settings"] and "learning_rate=0.001" in found[0]["settings"]


def test_an_effect_is_held_against_the_runs_that_equal_it_in_everything_else(folder: Path) -> None:
    effects = {(e["key"], e["value"]): e for e in campaign(folder)["effects"] if e["phase"].startswith("a_")}
    assert effects["alpha", "0.2"]["delta"] == pytest.approx(5.5 - 6.002)
    assert (effects["alpha", "0.2"]["n_base"], effects["alpha", "0.2"]["word"]) == (3, "better")
    assert effects["alpha", "0.3"]["word"] == "not distinguishable with these runs"


def test_another_size_is_not_comparable_and_the_reason_is_said(folder: Path) -> None:
    moves = campaign(folder)["moves"]
    assert [m["word"] for m in moves] == ["better", "not comparable"]
    assert moves[0]["changed"] == ["learning_rate 0.001 -> 0.003"] and "hidden 128 against 64" in moves[1]["why"]
    text = (folder / "Summary.md").read_text()
    assert "not comparable: hidden 128 against 64" in text and text.index("## Campaign") < text.index("## What ran")


def test_phases_can_be_declared(write: Write, tmp_path: Path) -> None:
    write("in/x.jsonl", rows(row(6.0), row(5.9, alpha=0.2)))
    write("in/y.jsonl", rows(row(5.8, alpha=0.3), row(5.7, alpha=0.4)))
    write("in/ngtreport.toml", '[phases]\nsecond = "y.jsonl"\nfirst = "x*"\n')
    folder = build(Request((str(tmp_path / "in"),), out=str(tmp_path / "out"), dashboard=False)).folder
    assert [(p["phase"], p["runs"]) for p in campaign(folder)["phases"]] == [("second", 2), ("first", 2)]


def test_the_command_shows_it_and_prints_a_configuration_that_the_trainer_takes(folder: Path, run: Run, tmp_path: Path) -> None:
    assert "one setting at a time" in run("campaign", folder).stdout
    assert json.loads(run("campaign", folder, "--json").stdout) == campaign(folder)
    path = tmp_path / "final.toml"
    path.write_text(run("campaign", folder, "--toml").stdout)
    made = trainer.load(path)
    assert (made.optim.lr, made.train.steps, made.model.settings) == (0.001, 500, {"hidden": 128, "layers": 4})
    assert "# alpha = 0.2" in path.read_text()
    assert trainer.from_dict(tomllib.loads(run("campaign", folder, "--toml", "b_20250102_1#row2").stdout)).optim.lr == 0.003


def test_a_report_without_sweeps_has_no_campaign(run: Run) -> None:
    said = run("campaign")
    assert said.exit_code == 2 and "no campaign" in said.stderr


def test_settings_that_the_trainer_has_are_placed_and_odd_values_are_comments() -> None:
    text = to_toml(
        "a b", {"model": "ngpt-small", "logit_scale": 12, "lazy_proj_freq": 0, "precision": "bf16", "batch_size": 8.0, "x": "1\n2"}, 7, 90
    )
    made = trainer.from_dict(tomllib.loads(text))
    assert (made.name, made.seed, made.model.variant, made.model.settings) == ("a-b", 7, "ngpt", {"logit_scale": 12.0})
    assert (made.train.batch, made.train.precision, made.train.steps) == (8, "bfloat16", 90)
    assert "# lazy_proj_freq = 0" in text and "\n2" not in text
