"""The first screen of Summary.md: what a colleague wants to know of a folder of runs that nobody described."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.readings import report, written


def log(loss: float, first: str = "", total: int = 400) -> str:
    lines = (f"step {s}/{total} val_loss={loss + 4 / s:.4f} elapsed={s / 5:.1f}s\n" for s in range(total // 4, total + 1, total // 4))
    return first + "".join(lines)


def summary(tmp_path: Path, files: dict[str, str]) -> str:
    made = report(written(tmp_path, {f"in/{name}": text for name, text in files.items()}) / "in", tmp_path / "out")
    assert made.summary
    return (tmp_path / "out" / "Summary.md").read_text(encoding="utf-8")


def sweep(keys: int = 2, rows: int = 12) -> str:
    settings = [{"lr": (i + 1) / 1000, **{f"knob_{k}": i % (k + 2) for k in range(keys - 1)}} for i in range(rows)]
    return "".join(
        json.dumps({"run_id": f"sw-{i}", **own, "steps": 400, "val_loss": 3.5 - i / 100}) + "\n" for i, own in enumerate(settings)
    )


def test_a_sweeps_headline_says_the_settings_of_its_best_run(tmp_path: Path) -> None:
    text = summary(tmp_path, {"sweep.jsonl": sweep()})
    assert "- Settings of that run, of those that vary: knob_0=1, learning_rate=0.012\n" in text.partition("## Before")[0]
    assert "| learning rate | 0.001 to 0.012, 12 values |" in text


@pytest.mark.parametrize(
    "files", [{"sweep.jsonl": sweep(9)}, {"a.log": log(3.0), "b.log": log(3.1), "c.log": log(3.2)}], ids=["many", "none"]
)
def test_too_many_settings_or_none_are_not_said(files: dict[str, str], tmp_path: Path) -> None:
    assert "Settings of that run" not in summary(tmp_path, files)


def test_with_a_baseline_the_comparison_says_what_varies(tmp_path: Path) -> None:
    text = summary(tmp_path, {f"{name}.log": log(3 + k / 10, f"lr={k}e-3\n") for k, name in enumerate(("baseline", "a", "b"), 1)})
    assert "Best variant" in text and "Settings of that run" not in text


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("rope_s1", "rope_s2", "plain_s1", "plain_s2"), "may be 2 groups of 2 runs that repeat each other: `--group-by name`"),
        (("rope_s1", "rope_s2", "rope_s3", "plain_s1", "plain_s2"), "may be 2 groups of 2 to 3 runs"),
        (("rope_s1", "rope_s2", "plain"), "If some repeat each other"),
        (("a", "b", "c"), "If some repeat each other"),
    ],
)
def test_repeats_are_guessed_from_names_only_where_every_run_is_in_a_group(names: tuple[str, ...], said: str, tmp_path: Path) -> None:
    assert said in summary(tmp_path, {f"{name}.log": log(3 + k / 10) for k, name in enumerate(names)}).partition("## Before")[0]


def test_advice_on_seeds_is_given_once_however_many_tables_there_are(tmp_path: Path) -> None:
    files = {f"{name}_{total}.log": log(3.0 + k / 9, total=total) for k, name in enumerate("xyz") for total in (400, 500, 600)}
    top = summary(tmp_path, files).partition("## Before")[0]
    assert top.count("No run records its seed") == 1 and top.count("\n- As above, no seed spread was measured") == 2


def test_a_name_that_says_the_settings_is_enough(tmp_path: Path) -> None:
    rows = [{"run_id": f"lr={k / 1000}", "lr": k / 1000, "steps": 400, "val_loss": 3 + k / 10} for k in (1, 2, 3)]
    text = summary(tmp_path, {"sweep.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})
    assert "Best overall" in text and "Settings of that run" not in text


def test_no_empty_table_is_left_where_there_are_no_numbers(tmp_path: Path) -> None:
    text = summary(tmp_path, {"a.log": "".join(f"step {s} loss {4 - s / 1000:.4f}\n" for s in range(10, 200, 10))})
    assert "| run | number |" not in text and "| file | format |" in text


def test_without_clocks_that_runs_share_the_report_says_why_there_is_no_rate(tmp_path: Path) -> None:
    rows = "".join(json.dumps({"run_id": r, "steps": 400, "val_loss": 3.1, "train_time_s": 80.0}) + "\n" for r in "abc")
    assert "The compared runs share no two evaluations with a clock" in summary(tmp_path, {"sweep.jsonl": rows})
