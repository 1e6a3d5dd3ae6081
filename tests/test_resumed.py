"""W&B runs that were resumed: several dated folders of one id are parts of one run, and no more runs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.readings import Report, report, written

FIRST, SECOND = "in/wandb/run-20250101_101010-abc12345/files", "in/wandb/run-20250102_101010-abc12345/files"
A, B = "wandb/run-20250101_101010-abc12345", "wandb/run-20250102_101010-abc12345"


def log(low: int, high: int, more: float = 0.0) -> str:
    steps = range(low, high + 1, 100)
    return "".join(f"step {s}: train loss {4 - s / 1000:.4f}, val loss {4.1 - s / 1000 + more:.4f}\n" for s in steps)


def summary(step: int, loss: float | None, written: float) -> str:
    own = {"_step": step, "_runtime": 61.5, "_timestamp": written, "_wandb": {"runtime": 61}, "train/loss": 3.0}
    return json.dumps(own | ({"val/loss": loss} if loss else {}))


def built(tmp_path: Path, files: dict[str, str]) -> Report:
    return report(written(tmp_path, files) / "in", tmp_path / "out")


def said(made: Report, kind: str) -> list[str]:
    return [f["text"] for f in made.summary["findings"] if f["kind"] == kind]


def test_summaries_of_one_id_are_one_run_with_the_last_values(tmp_path: Path) -> None:
    files = {f"{FIRST}/wandb-summary.json": summary(500, 3.5, 1.5), f"{SECOND}/wandb-summary.json": summary(1000, 3.2, 2.5)}
    made = built(tmp_path, files)
    assert list(made.runs) == [B] and made.best(B) == (3.2, 1000)
    (text,) = said(made, "repeated")
    assert f"{A}/files/wandb-summary.json is an earlier part of W&B's run abc12345" in text


def test_a_last_part_without_any_loss_does_not_hide_the_runs_loss(tmp_path: Path) -> None:
    files = {f"{FIRST}/wandb-summary.json": summary(500, 3.5, 1.5), f"{SECOND}/wandb-summary.json": summary(510, None, 2.5)}
    made = built(tmp_path, files)
    assert list(made.runs) == [A] and made.best(A) == (3.5, 500)


def test_equal_ids_in_different_folders_stay_two_runs(tmp_path: Path) -> None:
    other = SECOND.replace("in/wandb", "in/other/wandb")
    files = {f"{FIRST}/wandb-summary.json": summary(500, 3.5, 1.5), f"{other}/wandb-summary.json": summary(1000, 3.2, 2.5)}
    assert len(built(tmp_path, files).runs) == 2


def test_a_log_of_a_later_part_continues_the_earlier_one(tmp_path: Path) -> None:
    made = built(tmp_path, {f"{FIRST}/output.log": log(100, 500), f"{SECOND}/output.log": log(600, 1000)})
    assert made.runs[B]["parent"] == "run-20250101_101010-abc12345" and made.runs[A]["parent"] is None
    assert made.summary["common_step"] is None
    (text,) = said(made, "resumed")
    assert "which was resumed" in text and text.endswith("run run-20250102_101010-abc12345")


def test_a_later_part_that_begins_anew_is_said_to_be_counted_as_another_run(tmp_path: Path) -> None:
    made = built(tmp_path, {f"{FIRST}/output.log": log(100, 500), f"{SECOND}/output.log": log(100, 1000, 0.01)})
    assert [r["parent"] for r in made.runs.values()] == [None, None]
    (text,) = said(made, "resumed")
    assert "they are counted as two" in text


def test_a_summary_of_a_later_part_without_a_log_is_of_the_earlier_log(tmp_path: Path) -> None:
    files = {f"{FIRST}/output.log": log(100, 500), f"{FIRST}/wandb-summary.json": summary(500, 3.6, 1.5)}
    made = built(tmp_path, files | {f"{SECOND}/wandb-summary.json": summary(1000, 3.2, 2.5)})
    assert list(made.runs) == [A] and made.best(A) == (3.6, 500)
    (text,) = said(made, "beyond_log")
    assert "is at step 1000" in text and "ends at step 500" in text


def test_each_log_keeps_the_summary_beside_it(tmp_path: Path) -> None:
    first = {f"{FIRST}/output.log": log(100, 500), f"{FIRST}/wandb-summary.json": summary(500, 3.6, 1.5)}
    second = {f"{SECOND}/output.log": log(600, 1000), f"{SECOND}/wandb-summary.json": summary(1000, 3.1, 2.5)}
    made = built(tmp_path, first | second)
    assert [len(made.runs[run]["sources"]) for run in (A, B)] == [2, 2]
