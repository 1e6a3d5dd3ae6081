"""Real logs with known answers: every run of the corpus that has a best value is reproduced when its file is built alone."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from ngt_report.build import Request, build

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
ANSWERS = CORPUS / "answers.csv"


def answers() -> dict[str, list[dict[str, str]]]:
    by_file: dict[str, list[dict[str, str]]] = defaultdict(list)
    if ANSWERS.is_file():
        for row in csv.DictReader(ANSWERS.read_text().splitlines()):
            by_file[row["file"]].append(row)
    return dict(by_file)


def summary_of(path: Path, out: Path) -> dict[str, Any]:
    folder = build(Request((str(path),), out=str(out), dashboard=False)).folder
    found: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return found


def step(text: str) -> int | None:
    return int(float(text)) if text else None


@pytest.mark.parametrize("file", sorted(answers()) or ["absent"])
def test_a_file_built_alone_gives_its_answers(file: str, tmp_path: Path) -> None:
    if not ANSWERS.is_file():
        pytest.skip("the corpus is not beside this checkout")
    rows = answers()[file]
    runs = summary_of(CORPUS / file, tmp_path)["runs"]
    by_name = {r["id"].split("#")[-1]: r for r in runs}
    wanted = [r for r in rows if r["best_val_loss"]]
    assert len([r for r in runs if r["best"]]) == len(wanted)
    for row in wanted:
        run = runs[0] if len(rows) == 1 else by_name[row["run"]]
        assert run["best"]["val_loss"] == pytest.approx(float(row["best_val_loss"]), abs=1e-9)
        assert run["last"]["val_loss"] == pytest.approx(float(row["last_val_loss"]), abs=1e-9)
        assert (run["best"]["step"], run["last"]["step"]) == (step(row["best_step"]), step(row["last_step"]))
        assert (run["n_val_points"], run["n_train_points"]) == (int(row["n_val_points"]), int(row["n_train_points"] or 0))
        if row["train_time_s"]:
            assert run["train_time_s"] == pytest.approx(float(row["train_time_s"]), abs=6e-4)
        if row["steps_per_sec"]:
            assert run["throughput"]["from_step"] == step(row["sps_from_step"])
            assert run["throughput"]["steps_per_s"] == pytest.approx(float(row["steps_per_sec"]), abs=1e-6)


def test_files_without_metrics_give_no_run_and_a_finding(tmp_path: Path) -> None:
    silent = [f for f, rows in answers().items() if len(rows) == 1 and not rows[0]["metrics_found"]]
    if not silent:
        pytest.skip("the corpus is not beside this checkout")
    for number, file in enumerate(silent):
        summary = summary_of(CORPUS / file, tmp_path / str(number))
        assert summary["runs"] == []
        assert [f["kind"] for f in summary["findings"]] == ["no_metrics"]


def test_63_files_of_one_study_are_46_runs_with_several_sources(tmp_path: Path) -> None:
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not beside this checkout")
    runs = summary_of(CORPUS / "ese_gate", tmp_path)["runs"]
    assert len(runs) == 46
    assert sum(len(r["sources"]) > 1 for r in runs) >= 37
    groups = summary_of(CORPUS / "ese_gate", tmp_path)["seed_groups"]
    wanted = list(csv.DictReader((CORPUS / "expected_ese_stage_tables.csv").read_text().splitlines()))
    means = {round(g["mean_loss"], 9) for g in groups}
    assert {round(float(w["csv_mean_final_loss"]), 9) for w in wanted} <= means
