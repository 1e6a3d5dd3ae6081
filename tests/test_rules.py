"""Runs, segments, clocks and ends: what a log that was restarted, resumed, shared or killed says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.readings import Report, curve, read, report, written

Row = tuple[int, float, float]
ROWS: list[Row] = [(100, 5.0, 10), (200, 4.5, 20), (300, 4.2, 30), (400, 4.0, 40), (500, 3.9, 50)]


def log(rows: list[Row], total: int = 500) -> str:
    return "".join(f"step {s}/{total} train_loss={v + 0.1:.4f} val_loss={v:.4f} elapsed={e}s\n" for s, v, e in rows)


def built(tmp_path: Path, text: str, name: str = "a.log") -> Report:
    return report(written(tmp_path, {name: text}) / name, tmp_path / "out")


# -- restarts -----------------------------------------------------------------------------------------------------------
def test_a_restart_supersedes_what_it_does_again(tmp_path: Path) -> None:
    again: list[Row] = [(300, 4.35, 12), (400, 4.05, 22), (500, 3.95, 32)]
    made = built(tmp_path, log([*ROWS[:3], (400, 1.0, 40)]) + "Resuming from checkpoint step 250\n" + log(again))
    run = made.runs["a"]
    assert made.best() == made.last() == (3.95, 500)  # 1.0 at step 400 was superseded
    assert run["n_val_points"] == 5
    assert run["train_time_s"] == 20 + 32  # the clock started anew: it goes on from the last point that still counts
    assert run["throughput"]["steps_per_s"] == pytest.approx(400 / (52 - 10))
    assert "restarted" in made.kinds("info")


def test_a_clock_that_was_restored_with_the_checkpoint_gets_no_offset(tmp_path: Path) -> None:
    made = built(tmp_path, log(ROWS[:4]) + log([(300, 4.25, 31), (400, 4.05, 41), (500, 3.95, 51)]))
    assert made.runs["a"]["train_time_s"] == 51
    assert made.runs["a"]["throughput"]["steps_per_s"] == pytest.approx(400 / 41)


def test_a_clock_that_starts_again_alone_gets_an_offset(tmp_path: Path) -> None:
    made = built(tmp_path, log([*ROWS[:2], (300, 4.2, 5), (400, 4.0, 15), (500, 3.9, 25)]))
    run = made.runs["a"]
    assert run["n_val_points"] == 5 and made.last() == (3.9, 500)
    assert run["train_time_s"] == 20 + 25
    assert run["throughput"]["steps_per_s"] == pytest.approx(400 / (45 - 10))


def test_a_clock_that_falls_twice(tmp_path: Path) -> None:
    made = built(tmp_path, log([*ROWS[:2], (300, 4.2, 5), (400, 4.0, 2), (500, 3.9, 12)]))
    assert made.runs["a"]["train_time_s"] == 20 + 5 + 12


def test_a_step_that_returns_to_its_start_begins_a_run(tmp_path: Path) -> None:
    made = built(tmp_path, log(ROWS[:3]) + log(ROWS))
    assert {r: (made.best(r), made.runs[r]["status"]) for r in made.runs} == {
        "a#1": ((4.2, 300), "incomplete 300/500"), "a#2": ((3.9, 500), "finished"),
    }  # fmt: skip


def test_a_reset_before_the_first_evaluation_is_no_restart() -> None:
    _, reading = read(
        "step 0/20 val_loss=9.0 elapsed=0s\nstep 5/20 train_loss=8.0 elapsed=60s\nstep 10/20 train_loss=7.0 elapsed=1s\n"
        + "step 20/20 val_loss=6.0 elapsed=3s\n"
    )
    assert [(s.index, s.clock, s.reset_line) for s in reading.segments] == [(0, "start", 3)]
    assert curve(reading) == [(0, 9.0), (20, 6.0)]


@pytest.mark.parametrize("between", ["", "noise\n", "\n\n", "gpu memory 17.9GiB of 24.0GiB\n"])
def test_what_stands_between_the_lines_changes_no_rule(between: str) -> None:
    text = log(ROWS[:4]) + log([(300, 4.25, 12), (400, 4.05, 22)])
    _, plain = read(text)
    _, spread = read(text.replace("step", between + "step"))
    assert [(s.index, s.start_step, s.clock) for s in spread.segments] == [(s.index, s.start_step, s.clock) for s in plain.segments]
    assert curve(spread) == curve(plain)


# -- two sources in one file ----------------------------------------------------------------------------------------------
def test_two_writers_are_noticed(tmp_path: Path) -> None:
    one, two = log(ROWS * 1).splitlines(True), log([(s + 30, v, e) for s, v, e in ROWS]).splitlines(True)
    mixed = "".join(two[i] + one[i] for i in range(5))
    made = built(tmp_path, mixed)
    assert "two_writers" in made.kinds("error")


def test_one_restart_is_not_two_writers(tmp_path: Path) -> None:
    made = built(tmp_path, log(ROWS[:4]) + log(ROWS[2:]))
    assert "two_writers" not in made.kinds()


def test_equal_steps_with_other_values_are_a_contradiction_and_equal_lines_are_none(tmp_path: Path) -> None:
    same = built(tmp_path / "same", log(ROWS) + log(ROWS[-1:]))
    assert same.kinds("error") == set() and same.runs["a"]["n_val_points"] == 5
    other = built(tmp_path / "other", log(ROWS) + log([(500, 4.4, 51)]))
    assert "contradiction" in other.kinds("error")


# -- how a run ended --------------------------------------------------------------------------------------------------------
TRACE = 'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\n    main()\n'
CAUSES = {
    TRACE + "RuntimeError: boom\n": "RuntimeError: boom",
    TRACE + "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB\n": "OutOfMemoryError: CUDA out of memory",
    "[rank1]: Traceback (most recent call last):\n[rank1]: ValueError: bad\n": "ValueError: bad",
    "Killed\n": "Killed",
    "train.sh: line 3: 4242 Killed                  python train.py\n": "Killed",
    "Segmentation fault (core dumped)\n": "Segmentation fault",
    "OSError: [Errno 28] No space left on device\n": "No space left on device",
    "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=1.batch.\n": "oom-kill",
    "slurmstepd: error: *** JOB 12 ON node CANCELLED AT 2025-01-01T00:00:00 DUE TO TIME LIMIT ***\n": "DUE TO TIME LIMIT",
    "terminate called after throwing an instance of 'std::runtime_error'\n": "terminate called",
    "^C" + TRACE + "KeyboardInterrupt\n": "KeyboardInterrupt",
}  # fmt: skip


@pytest.mark.parametrize("end", CAUSES, ids=CAUSES.values())
def test_the_cause_of_a_crash_is_said(end: str, tmp_path: Path) -> None:
    made = built(tmp_path, log(ROWS[:3]) + end)
    status = made.runs["a"]["status"]
    assert status.startswith("crashed at 300/500: ") and CAUSES[end] in status
    assert "crashed" in made.kinds("warning")
    assert made.best() == (4.2, 300)


@pytest.mark.parametrize("end", [TRACE + "ValueError: at exit\n", "Killed\n"])
def test_what_happened_before_the_last_data_line_or_after_the_last_step_is_no_crash(end: str, tmp_path: Path) -> None:
    assert built(tmp_path / "before", log(ROWS[:2]) + end + log(ROWS[2:4])).runs["a"]["status"] == "incomplete 400/500"
    assert built(tmp_path / "after", log(ROWS) + end).runs["a"]["status"] == "finished"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (log(ROWS), "finished"),
        (log(ROWS[:3]), "incomplete 300/500"),
        (log(ROWS[:3]) + "Early stopping at step 300\n", "stopped early at 300/500"),
        (log(ROWS[:3]) + "Target loss reached\n", "stopped early at 300/500"),
        (log(ROWS[:3]) + "step 400/500 val_loss=nan elapsed=40s\nstep 500/500 val_loss=nan elapsed=50s\n", "diverged by step 500"),
        (log(ROWS[:2]) + "step 300/500 val_loss=inf elapsed=30s\n" + log(ROWS[3:]), "finished"),
        ("".join(f"step {s} val_loss={v}\n" for s, v, _ in ROWS), "no declared total"),
        ("".join(f"step {i}/5 val_loss={5 - i / 10}\n" for i in range(5)), "finished"),  # counted from 0
    ],
)
def test_how_a_run_ended(text: str, status: str, tmp_path: Path) -> None:
    assert built(tmp_path, text).runs["a"]["status"] == status


# -- continuations ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "line",
    [
        "Resuming from checkpoints/w_a.pt_last.pt (iter=300)", "resumed from out/w_a.pt at step 300",
        "Loaded checkpoint out/w_a.pt at step 300, going on", "restored checkpoint w_a.pt_last.pt, iteration: 300",
    ],
)  # fmt: skip
def test_a_later_log_that_goes_on_is_linked_to_its_parent(line: str, tmp_path: Path) -> None:
    later: list[Row] = [(600, 3.8, 10), (700, 3.7, 20)]
    top = written(
        tmp_path,
        {"in/w_a.log": log(ROWS), "in/w_b.log": log([(s, v + 1, e) for s, v, e in ROWS]), "in/w_a_more.log": f"{line}\n" + log(later, 700)},
    )
    made = report(top / "in", tmp_path / "out")
    run = made.runs["w_a_more"]
    assert run["parent"] == "w_a"
    assert made.runs["w_a"]["n_val_points"] == 5 and made.best("w_a") == (3.9, 500)
    assert made.summary["common_step"] == 500
    assert run["rank"] is None


@pytest.mark.parametrize("line", ["Loading tokenizer.pt", "loaded 300 steps of data", "resume=False", "Loaded checkpoint init.pt"])
def test_a_line_that_only_sounds_like_it_makes_no_continuation(line: str, tmp_path: Path) -> None:
    assert built(tmp_path, f"{line}\n" + log(ROWS)).runs["a"]["parent"] is None


DIED = """Traceback (most recent call last):
  File "train.py", line 3, in <module>
ModuleNotFoundError: No module named 'flash'
destroying the process group
"""


def test_a_crash_is_a_finding_with_the_last_lines(tmp_path: Path) -> None:
    log = "step 100/300 val_loss=5.1\n" + DIED
    made = report(written(tmp_path, {"a.log": log}) / "a.log", tmp_path / "out")
    (crash,) = [f for f in made.summary["findings"] if f["kind"] == "crashed"]
    assert crash["text"].endswith("line 3, in <module> / ModuleNotFoundError: No module named 'flash' / destroying the process group")


def test_the_last_lines_of_a_crash_are_not_those_of_a_run_that_went_on(tmp_path: Path) -> None:
    log = "step 100/300 val_loss=5.1\n" + DIED + "step 200/300 val_loss=5.0\nRuntimeError: out of luck\n"
    made = report(written(tmp_path, {"a.log": log}) / "a.log", tmp_path / "out")
    (crash,) = [f for f in made.summary["findings"] if f["kind"] == "crashed"]
    assert "its last lines: RuntimeError: out of luck" in crash["text"] and "flash" not in crash["text"]


def test_a_log_that_died_before_its_first_metric_says_why(tmp_path: Path) -> None:
    made = report(written(tmp_path, {"a.log": "loading the tokenizer\n" + DIED}) / "a.log", tmp_path / "out")
    assert not made.runs
    (found,) = made.summary["findings"]
    assert (found["kind"], found["source"], found["line"]) == ("no_run", "a.log", 4)
    assert "ended before its first metric: ModuleNotFoundError: No module named 'flash'" in found["text"]


def test_a_text_that_speaks_of_an_error_is_no_log_that_died(tmp_path: Path) -> None:
    made = report(written(tmp_path, {"a.txt": "We saw ValueError: bad token once\nand went on\n"}) / "a.txt", tmp_path / "out")
    assert [f["kind"] for f in made.summary["findings"]] == ["no_metrics"]
