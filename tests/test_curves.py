"""Sources with many records a run: CSV and JSONL curves, one or several runs a file, resumed, interleaved or sparse."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngt_report.files import InputFile
from ngt_report.sources import curve_csv, curve_jsonl, hf_json, results_csv, summary_json, sweep_jsonl
from ngt_report.waist import Reading

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
MODULES = (hf_json, summary_json, curve_jsonl, sweep_jsonl, curve_csv, results_csv)
Point = tuple[int, int | None, float]  # segment, step, value


def input_file(path: Path, complete: bool = False) -> InputFile:
    stat = path.stat()
    return InputFile(path=str(path), rel=path.name, size=stat.st_size, mtime_ns=stat.st_mtime_ns, complete=complete)


def read(folder: Path, text: str, module: ModuleType = curve_csv, complete: bool = False) -> Reading:
    """Read with the only module that claims the text; every line must be accounted for."""
    path = folder / "x"
    path.write_text(text, encoding="utf-8", newline="")
    assert [m.FORMAT.name for m in MODULES if m.sniff(input_file(path))] == [module.FORMAT.name]
    reading: Reading = module.read(input_file(path, complete))
    assert reading.lines_read == reading.lines_used + sum(reading.ignored.values()) + len(reading.bad) + reading.pending
    return reading


def points(reading: Reading, metric: str, trial: int = 0) -> list[Point]:
    found = [b for b in reading.blocks if b.trial == trial and metric in b.columns]
    return [(b.segment, s, v) for b in found for s, v in zip(b.step, b.columns[metric].values, strict=True)]


def facts(reading: Reading, trial: int = 0) -> dict[str, object]:
    return {f.key: f.value for f in reading.facts if f.trial == trial}


def trials(reading: Reading) -> list[tuple[str | None, bool]]:
    assert {t.kind for t in reading.trials} <= {"curve"}
    return [(t.name, t.shared) for t in reading.trials]


def test_interleaved_runs_are_told_apart_by_their_id(tmp_path: Path) -> None:
    text = (
        "run_id,step,total,val_loss,train_time_ms,gate,learning_rate\n"
        "a,0,20,9.5,150,none,0.01\nb,0,20,9.25,160,head,0.02\nrun_id,step,total,val_loss,train_time_ms,gate,learning_rate\n"
        "a,10,20,8.1234,1150,none,0.01\nb,10,20,nan,1200,head,0.02\na,20,20,7"
    )
    reading = read(tmp_path, text)
    assert trials(reading) == [("a", True), ("b", True)]
    assert points(reading, "val/loss") == [(0, 0, 9.5), (0, 10, 8.1234)]
    assert [b.elapsed for b in reading.blocks] == [[0.15, 1.15], [0.16, 1.2]]
    assert reading.blocks[0].columns["val/loss"].decimals == [1, 4] and list(reading.blocks[0].line or ()) == [2, 5]
    assert facts(reading) == {"total_steps": 20, "config.gate": "none", "learning_rate": 0.01}
    assert facts(reading, 1) == {"total_steps": 20, "config.gate": "head", "learning_rate": 0.02}
    assert (reading.ignored, reading.pending) == ({"header": 1, "repeated header": 1}, 1)
    assert len(read(tmp_path, text, complete=True).bad) == 1


def test_one_unnamed_run_whose_rate_varies(tmp_path: Path) -> None:
    reading = read(tmp_path, "iter\ttrain_loss\tval_loss\tlr\tdropout\n0\t10\t10.5\t0.1\t0\n100\t5\t5.5\t0.2\t0\n")
    assert trials(reading) == [(None, False)]
    assert points(reading, "lr") == [(0, 0, 0.1), (0, 100, 0.2)] and facts(reading) == {"dropout": 0}


def test_sparse_rows_make_a_block_for_each_set_of_metrics(tmp_path: Path) -> None:
    text = "epoch,lr-Adam,step,train_loss,val_loss\n0,,49,3.5,\n0,0.1,50,,\n0,,99,3.25,\n0,,99,,3.2\n1,0.2,150,,\n1,,149,3,\n1,,199,,3.0\n"
    reading = read(tmp_path, text)
    assert points(reading, "train/loss") == [(0, 49, 3.5), (0, 99, 3.25), (0, 149, 3.0)]
    assert points(reading, "val/loss") == [(0, 99, 3.2), (0, 199, 3.0)] and points(reading, "lr_adam") == [(0, 50, 0.1), (0, 150, 0.2)]
    assert len(reading.trials) == 1 and reading.segments == []


@pytest.mark.parametrize("module", [curve_csv, curve_jsonl])
def test_a_fall_of_the_step_is_a_restart_and_a_return_is_another_run(tmp_path: Path, module: ModuleType) -> None:
    rows = [(0, 9.0, 0), (10, 8.0, 5), (20, 7.0, 10), (10, 7.5, 2), (20, 6.0, 7), (0, 9.0, 0), (10, 5.0, 5)]
    as_csv = "step,val_loss,elapsed\n" + "".join(f"{s},{v},{e}\n" for s, v, e in rows)
    as_jsonl = "".join(json.dumps({"step": s, "val": {"loss": v}, "elapsed": e}) + "\n" for s, v, e in rows)
    reading = read(tmp_path, as_csv if module is curve_csv else as_jsonl, module)
    assert trials(reading) == [(None, False), (None, False)]
    assert points(reading, "val/loss") == [(0, 0, 9.0), (0, 10, 8.0), (0, 20, 7.0), (1, 10, 7.5), (1, 20, 6.0)]
    assert points(reading, "val/loss", 1) == [(0, 0, 9.0), (0, 10, 5.0)]
    assert [(s.trial, s.index, s.start_step, s.clock) for s in reading.segments] == [(0, 1, 10, "restarts")]


def test_a_clock_that_falls_is_a_reset_before_and_a_restart_after_the_first_evaluation(tmp_path: Path) -> None:
    text = "step,train_loss,val_loss,elapsed\n1,9,,60\n2,8,,2\n10,7,7.5,10\n20,6,6.5,20\n30,5,5.5,5\n40,4,4.5,15\n"
    reading = read(tmp_path, text)
    segments = [(s.index, s.start_step, s.clock, s.reset_line) for s in reading.segments]
    assert segments == [(0, None, "start", 3), (1, None, "restarts", None)]
    assert points(reading, "val/loss") == [(0, 10, 7.5), (0, 20, 6.5), (1, 30, 5.5), (1, 40, 4.5)]


def test_a_named_run_that_restarts_stays_one_run(tmp_path: Path) -> None:
    reading = read(tmp_path, "run,step,loss\na,0,9\na,10,8\na,0,9\na,10,7\nb,0,9\nb,10,8\n")
    assert trials(reading) == [("a", True), ("b", True)] and [s.trial for s in reading.segments] == [0]


@pytest.mark.parametrize(
    ("label", "names"), [("model", ["vanilla", "ngt"]), ("seed", ["seed=1", "seed=2"]), ("variant", ["full", "half"])]
)  # fmt: skip
def test_runs_told_apart_by_configuration(tmp_path: Path, label: str, names: Sequence[str]) -> None:
    a, b = (n.partition("=")[2] or n for n in names)
    for text in (f"{a},0,9\n{a},10,8\n{b},0,9\n{b},10,8\n", f"{a},0,9\n{b},0,9\n{a},10,8\n{b},10,8\n"):
        reading = read(tmp_path, f"{label},step,val_loss\n{text}")
        assert [n for n, _ in trials(reading)] == names and points(reading, "val/loss", 1) == [(0, 0, 9.0), (0, 10, 8.0)]


def test_a_batch_size_that_grows_is_a_schedule(tmp_path: Path) -> None:
    reading = read(tmp_path, "step,batch_size,loss\n0,8,9\n10,8,8\n20,16,7\n30,16,6\n")
    assert trials(reading) == [(None, False)] and points(reading, "batch_size")[-1] == (0, 30, 16.0)


def test_a_split_column_says_which_loss(tmp_path: Path) -> None:
    reading = read(tmp_path, "step,split,loss\n0,train,9\n0,val,9.5\n10,train,8\n10,val,8.5\n")
    assert points(reading, "train/loss") == [(0, 0, 9.0), (0, 10, 8.0)] and points(reading, "val/loss") == [(0, 0, 9.5), (0, 10, 8.5)]


def test_epochs_stand_for_steps_and_a_finding_says_so(tmp_path: Path) -> None:
    reading = read(tmp_path, "epoch,val_loss,val_acc\n1,2,0.5\n2,1.5,0.75\n")
    assert points(reading, "val/accuracy") == [(0, 1, 0.5), (0, 2, 0.75)] and [f.kind for f in reading.findings] == ["epochs_as_steps"]
    assert points(read(tmp_path, "epoch,val_loss\n0.5,2\n1.0,1.5\n"), "val/loss") == [(0, None, 2.0), (0, None, 1.5)]


def test_other_counters_that_only_grow(tmp_path: Path) -> None:
    assert points(read(tmp_path, "steps,val_loss\n10,3\n20,2\n30,1\n"), "val/loss") == [(0, 10, 3.0), (0, 20, 2.0), (0, 30, 1.0)]
    reading = read(tmp_path, "tokens_seen,val_loss\n1000,3\n2000,2\n3000,1\n")
    assert [b.tokens for b in reading.blocks] == [[1000, 2000, 3000]] and points(reading, "val/loss")[0] == (0, None, 3.0)


def test_a_header_that_changes_on_the_way(tmp_path: Path) -> None:
    reading = read(tmp_path, "step,train_loss\n0,9\n10,8\nstep,train_loss,val_loss\n20,7,7.5\n")
    assert points(reading, "train/loss") == [(0, 0, 9.0), (0, 10, 8.0), (0, 20, 7.0)] and reading.ignored == {"header": 2}


def test_columns_without_names_are_not_guessed(tmp_path: Path) -> None:
    reading = read(tmp_path, "0,9.5,9.25\n100,5.5,5.25\n200,4.5,4.25\n")
    assert (reading.trials, reading.status, reading.ignored) == ([], "no metrics", {"unlabelled columns": 3})
    assert [(f.severity, f.kind) for f in reading.findings] == [("warning", "unlabelled_columns")]
    reading = read(tmp_path, ",step,val_loss,\n0,10,9.5,1\n1,20,8.5,2\n")
    assert len(reading.trials) == 1 and [f.text for f in reading.findings] == ["Columns 4 have no name in the header and are not read."]


def test_rows_that_hold_no_point(tmp_path: Path) -> None:
    reading = read(tmp_path, "Loading ...\n# by us\nstep,val_loss\n0,9.5\n10,\nx,8.5\n20,oom\n30,8.5\n40,8.25\n50,8\n60,7\n")
    assert reading.ignored == {"before the header": 2, "header": 1, "no values": 2} and [b[0] for b in reading.bad] == [6]
    assert [f.kind for f in reading.findings] == ["unreadable_value"] and len(points(reading, "val/loss")) == 5


def test_json_lines_of_a_trainer(tmp_path: Path) -> None:
    first = {"current_steps": 10, "total_steps": 100, "loss": 2.5, "lr": 5e-05, "elapsed_time": "0:00:10", "remaining_time": "0:01:30"}
    second = first | {"current_steps": 20, "loss": 2.25, "lr": 4e-05, "elapsed_time": "1 day, 0:00:20", "remaining_time": "0:01:20"}
    text = f"{json.dumps(first)}\n{json.dumps(second)}\n"
    reading = read(tmp_path, text, curve_jsonl)
    assert points(reading, "train/loss") == [(0, 10, 2.5), (0, 20, 2.25)] and reading.blocks[0].elapsed == [10.0, 86420.0]
    assert facts(reading) == {"total_steps": 100}


def test_json_lines_with_configuration_above_and_events_between(tmp_path: Path) -> None:
    text = (
        '{"event": "config", "config": {"seed": 1, "lr": 0.1, "max_steps": 9}}\n{"event": "train", "step": "1", "loss": "5.25"}\n'
        '{"event": "eval", "step": 1, "loss": 4.5}\n\n{"event": "train", "step": 2, "loss": NaN}\n{"event": "d\n{"event": "done"}\n{"event"'
    )
    reading = read(tmp_path, text, curve_jsonl)
    assert points(reading, "val/loss") == [(0, 1, 4.5)] and points(reading, "train/loss")[0] == (0, 1, 5.25)
    assert str(points(reading, "train/loss")[1][2]) == "nan"
    assert facts(reading) == {"seed": 1, "learning_rate": 0.1, "total_steps": 9}
    assert (reading.ignored, reading.bad, reading.pending) == ({"blank": 1, "no values": 1}, [(6, "not a JSON object")], 1)


def test_json_lines_of_several_runs(tmp_path: Path) -> None:
    text = "".join(json.dumps({"run": r, "step": s, "metrics": {"train/loss": 9 - s, "note": "x"}}) + "\n" for s in range(3) for r in "ab")
    reading = read(tmp_path, text, curve_jsonl)
    assert trials(reading) == [("a", True), ("b", True)] and points(reading, "train/loss", 1) == [(0, 0, 9.0), (0, 1, 8.0), (0, 2, 7.0)]


LOSSES = st.lists(st.floats(0, 20).map(lambda x: round(x, 3)), min_size=3, max_size=12)


@given(LOSSES, LOSSES, st.randoms(use_true_random=False))
def test_any_interleaving_gives_the_curves(tmp_path_factory: pytest.TempPathFactory, a: list[float], b: list[float], mix: Random) -> None:
    queues = {"a": list(enumerate(a)), "b": list(enumerate(b))}
    lines = ["run,step,val_loss"]
    while any(queues.values()):
        name = mix.choice([n for n, q in queues.items() if q])
        step, value = queues[name].pop(0)
        lines.append(f"{name},{step},{value}")
    reading = read(tmp_path_factory.mktemp("curve"), "\n".join(lines) + "\n")
    order = [t.name for t in reading.trials]
    for name, losses in (("a", a), ("b", b)):
        assert points(reading, "val/loss", order.index(name)) == [(0, i, v) for i, v in enumerate(losses)]


@given(st.text(st.sampled_from('{}":,x123 \n\r[]eE.-ns'), max_size=100))
def test_every_line_of_any_jsonl_is_accounted_for(tmp_path_factory: pytest.TempPathFactory, body: str) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "x"
    path.write_text('{"step": 1, "loss": 2}\n{"step": 2, "loss": 2}\n{"step": 3, "loss": 2}\n' * 40 + body, newline="")
    for complete in (False, True):
        assert curve_jsonl.sniff(input_file(path))
        reading = curve_jsonl.read(input_file(path, complete))
        assert reading.lines_read == reading.lines_used + sum(reading.ignored.values()) + len(reading.bad) + reading.pending


def test_corpus_curves_agree_with_the_logs() -> None:
    if not CORPUS.exists():
        pytest.skip("no corpus beside the checkout")
    with open(CORPUS / "answers.csv", encoding="utf-8") as f:
        answers = {r["run"]: r for r in csv.DictReader(f) if r["file"].startswith("ese_gate/logs")}
    checked = 0
    for path in sorted((CORPUS / "ese_gate" / "experiments").glob("*curves*.csv")):
        reading = curve_csv.read(input_file(path))
        for trial in reading.trials:
            found = points(reading, "val/loss", trial.index)
            answer = answers[trial.name or ""]
            assert min((v, s) for _, s, v in found) == (float(answer["best_val_loss"]), int(answer["best_step"])), (path, trial)
            assert len(found) == int(answer["n_val_points"])
            checked += 1
    assert checked == 36
