"""Files that hold two models: their values are told apart, or it is said that they are not."""

from __future__ import annotations

from pathlib import Path

from tests.readings import Report, report, written

STEPS = range(10, 81, 10)


def first(step: int) -> float:
    return 10.5 - step / 100


def second(step: int) -> float:
    return 9.4 - step / 40


def built(tmp_path: Path, text: str) -> Report:
    return report(written(tmp_path, {"a.log": text}) / "a.log", tmp_path / "out")


def contradictions(made: Report) -> list[str]:
    return [f["text"] for f in made.summary["findings"] if f["kind"] == "contradiction"]


def test_models_under_headings_of_their_own_are_two_runs(tmp_path: Path) -> None:
    said = "**{}**:\n- Step 10: Val Loss: {}, Val Acc: 0.0157\n- Final: Val Loss: {}, Val Acc: 0.02\n\n"
    made = built(tmp_path, said.format("Plain (LR=0.01)", 10.5, 9.5) + said.format("Tuned (LR=0.06)", 9.25, 7.25))
    assert [r["best"]["val_loss"] for r in made.runs.values()] == [10.5, 9.25]
    assert not contradictions(made)


def test_lines_of_two_models_in_turn_are_an_error_that_says_so(tmp_path: Path) -> None:
    lines = "".join(f"[plain] step {s}: val loss {first(s):.4f}\n[tuned] step {s}: val loss {second(s):.4f}\n" for s in STEPS)
    (text,) = contradictions(built(tmp_path, lines))
    assert "step 10" in text and "7 more steps" in text and "two models side by side" in text


def test_one_step_said_twice_is_no_second_model(tmp_path: Path) -> None:
    lines = "".join(f"step {s}: val loss {first(s):.4f}\n" for s in STEPS) + "step 80: val loss 9.1234\n"
    (text,) = contradictions(built(tmp_path, lines))
    assert "step 80" in text and "two models" not in text


def test_two_closing_losses_are_a_warning_with_both(tmp_path: Path) -> None:
    curve = "".join(f"step {s}: val loss {first(s):.4f}\n" for s in STEPS)
    (text,) = contradictions(built(tmp_path, curve + "Final val loss: 9.5662\nFinal val loss: 7.3791\n"))
    assert "9.5662 (a.log:9)" in text and "7.3791 (a.log:10)" in text and text.endswith("the later is shown")


def test_one_closing_loss_with_other_decimals_is_no_second_one(tmp_path: Path) -> None:
    curve = "".join(f"step {s}: val loss {first(s):.4f}\n" for s in STEPS)
    assert not contradictions(built(tmp_path, curve + "Final val loss: 9.5662\nFinal val loss: 9.566\n"))
