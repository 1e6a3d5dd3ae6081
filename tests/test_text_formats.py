"""Each family of text logs: what a person would read from it is what is read; numbers that are no steps are none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from ngt_report.commands import cli
from ngt_report.text import loglines
from ngt_report.text import tokens as textlog
from tests.readings import accounted, clock, curve, points, read, report, written
from tests.text_samples import RULER, SAMPLES, SPEEDRUN, Sample

RULES = {"no metrics", "blank", "pasted program"}


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_a_family_is_read_as_a_person_would(sample: Sample) -> None:
    form, reading = read(sample.text)
    assert form == sample.form
    assert len(reading.trials) == len(sample.val)
    for trial, (val, train) in enumerate(zip(sample.val, sample.train, strict=True)):
        assert curve(reading, "val/loss", trial) == val
        assert curve(reading, "train/loss", trial) == train
    for trial, seconds in enumerate(sample.clock):
        assert clock(reading, trial) == seconds
    for metric, values in sample.other.items():
        assert curve(reading, metric) == values
    assert accounted(reading) and not reading.bad and not reading.pending
    assert set(reading.ignored) <= RULES
    assert reading.ignored.get("pasted program", 0) == sample.pasted


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
@pytest.mark.parametrize("change", ["crlf", "bom", "utf-16", "coloured", "logged"])
def test_how_a_log_was_saved_changes_nothing(sample: Sample, change: str) -> None:
    data = sample.text.encode()
    if change == "crlf":
        data = data.replace(b"\n", b"\r\n")
    elif change == "bom":
        data = b"\xef\xbb\xbf" + data
    elif change == "utf-16":
        data = sample.text.encode("utf-16")
    elif change == "coloured":
        data = b"\n".join(b"\x1b[32m" + line + b"\x1b[0m" if line else line for line in data.split(b"\n"))
    elif (
        sample.form in ("build_nanogpt", "hf_stdout", "console", "megatron")
        or sample.pasted
        or "Epoch" in sample.text
        or "\n  " in sample.text
        or "\r" in sample.text
    ):
        pytest.skip("a logger's prefix on these lines makes another format")
    else:
        data = b"".join(b"2025-02-03 04:05:06,789 INFO " + line for line in data.splitlines(keepends=True))
    form, reading = read(data)
    assert form == sample.form
    assert [curve(reading, "val/loss", t) for t in range(len(reading.trials))] == sample.val
    assert accounted(reading)


def test_numbers_after_an_early_stop_and_quantisation_are_no_steps(tmp_path: Path) -> None:
    made = report(written(tmp_path, {"golf.log": SAMPLES["parameter-golf"].text}) / "golf.log", tmp_path / "out")
    assert made.best() == made.last() == (2.0606, 13780)
    assert made.runs["golf"]["status"] == "stopped early at 13,780/20,000"
    assert "| final/loss | val/bpb |" in made.text and "| 2.072699 | 1.2172 |" in made.text  # the closing evaluation is shown


def test_a_closing_validation_loss_is_no_step(tmp_path: Path) -> None:
    made = report(written(tmp_path, {"sweep.log": SAMPLES["console sweep"].text}) / "sweep.log", tmp_path / "out")
    assert {r: (made.best(r), made.last(r)) for r in made.runs} == {
        "sweep#A1": ((6.362, 100), (6.362, 100)), "sweep#A2": ((6.262, 100), (6.262, 100)),
    }  # fmt: skip
    assert [made.runs[r]["train_time_s"] for r in sorted(made.runs)] == [12.3, 12.1]


def test_a_closing_validation_loss_counts_when_it_is_all_there_is(tmp_path: Path) -> None:
    text = "step 100/200 train_loss=4.2\nstep 200/200 train_loss=4.1\nValidation loss: 4.05\n"
    made = report(written(tmp_path, {"a.log": text}) / "a.log", tmp_path / "out")
    assert made.best() == made.last() == (4.05, 200)


TRAINED = "step 1/2 loss 3.9\nstep 2/2 loss 3.5\n"


@pytest.mark.parametrize("said", ["Final loss: 3.1", "final_loss = 3.1"])
def test_a_final_loss_that_may_be_of_the_training_is_not_read(said: str) -> None:
    _, reading = read(f"{TRAINED}{said}\n")
    assert curve(reading, "final/loss") == []
    assert [f.kind for f in reading.findings] == ["unnamed_loss"]
    _, named = read(f"{TRAINED}{said.replace('loss', 'val loss')}\n")
    assert curve(named, "final/loss") == [(2, 3.1)]
    _, validated = read(f"step 1/2 loss 3.9\nstep 1/2 val loss 3.8\nstep 2/2 loss 3.5\n{said}\n")
    assert curve(validated, "final/loss") == [(2, 3.1)]


@pytest.mark.parametrize("heading", ["Best trial: #2", "Best config:", "=== Best run: wide_2 ===", "best_trial"])
def test_what_stands_below_the_best_of_all_is_not_of_the_last(heading: str) -> None:
    _, reading = read(f"{TRAINED}step 2/2 val loss 3.6\n{heading}\n  Final val loss: 3.1\n  Best val loss: 3.0\n  Training time: 5s\n")
    assert curve(reading, "final/loss") == []
    assert {f.key for f in reading.facts} & {"stated.best_val_loss", "train_time_s"} == set()
    assert len(reading.trials) == 1


def test_the_clock_is_reset_after_the_warm_up(tmp_path: Path) -> None:
    made = report(written(tmp_path, {"a.txt": SPEEDRUN}) / "a.txt", tmp_path / "out")
    run = made.runs["a"]
    assert run["train_time_s"] == 3.72
    assert run["throughput"] == run["throughput"] | {"from_step": 20, "to_step": 40}
    assert run["throughput"]["steps_per_s"] == pytest.approx(20 / 2.48)


def test_an_evaluation_between_printed_step_times_has_the_clock_of_the_steps_before_it(tmp_path: Path) -> None:
    lines = [f"iter {s}: loss 3.{9 - s // 100}000, time {2200.0 if s % 50 == 0 else 200.0:.2f}ms, mfu 3.10%" for s in range(0, 210, 10)]
    for step in (200, 150, 100, 50):
        lines.insert(step // 10, f"step {step}: train loss 3.9000, val loss {4 - step / 1000:.4f}")
    _, reading = read("\n".join(lines) + "\n")
    evaluated = {
        s: round(e, 6) for b in reading.blocks if "val/loss" in b.columns and b.elapsed for s, e in zip(b.step, b.elapsed, strict=True) if e
    }
    assert evaluated == {50: 2.2 + 9.8, 100: 24.0, 150: 36.0, 200: 48.0}  # 50 steps of 0.2 s and an evaluation of 2 s, one after another
    made = report(written(tmp_path, {"a.log": "\n".join(lines) + "\n"}) / "a.log", tmp_path / "out")
    assert made.runs["a"]["throughput"]["steps_per_s"] == pytest.approx(150 / 36)
    told = CliRunner().invoke(cli, ["trace", "a:steps_per_s", "--dir", str(tmp_path / "out")]).output
    assert "(200 - 50) / (48 s - 12 s)" in told and told.count("no line prints it") == 2


@pytest.mark.parametrize(
    ("time", "clocks"),
    [("dt: 500.00ms", {100: 50.0, 200: 100.0, 300: 150.0}), ("elapsed: {}.0s", {100: 99.0, 200: 199.0, 300: 299.0})],
)
def test_an_evaluation_without_a_step_has_the_clock_before_it(time: str, clocks: dict[int, float]) -> None:
    text = ""
    for step in range(301):
        text += f"validation loss: {4 - step / 1000:.4f}\n" if step % 100 == 0 else ""
        text += f"step {step} | loss: 3.{999 - step} | {time.format(step)}\n"
    _, reading = read(text)
    found = [(b.step[0], b.elapsed[0]) for b in reading.blocks if "val/loss" in b.columns and b.elapsed]
    assert dict(found) == clocks


def test_an_evaluation_has_the_clock_of_the_mean_times_before_it() -> None:
    line = " iteration {:8d}/     400 | consumed samples: 2560 | elapsed time per iteration (ms): 100.0 | lm loss: 3.5E+00 |\n"
    evaluation = " validation loss at iteration {} | lm loss value: 3.1E+00 | lm loss PPL: 2.2E+01 |\n"
    _, reading = read(line.format(100) + line.format(200) + evaluation.format(200) + evaluation.format(250) + line.format(300))
    assert [(list(b.step), list(b.elapsed or [])) for b in reading.blocks if "val/loss" in b.columns] == [([200, 250], [20.0, None])]


def test_programs_are_pasted_above_every_trial() -> None:
    text = SAMPLES["modded, program"].text
    _, reading = read(text + "\n" + text)
    assert [curve(reading, "val/loss", t) for t in range(len(reading.trials))] == SAMPLES["modded, program"].val * 2
    assert reading.ignored["pasted program"] == 2 * SAMPLES["modded, program"].pasted


@pytest.mark.parametrize("line", ["import wandb", "from here import nothing", '"""', "import torch\nimport os", "class weights: none"])
def test_a_line_that_looks_like_code_hides_no_data(line: str) -> None:
    start, end = "step 100/300 val_loss=4.1\n", "step 200/300 val_loss=4.0\nstep 300/300 val_loss=3.9\n"
    _, reading = read(f"{start}{line}\n{end}")
    found = curve(reading)
    assert found[0] == (100, 4.1)
    if "\n" not in line:
        assert found == [(100, 4.1), (200, 4.0), (300, 3.9)]


def test_configuration_below_the_program_is_read_and_the_programs_is_not() -> None:
    program = "import os\nimport sys\nclass Hyperparameters:\n    seed: int = 7\n"
    _, reading = read(RULER + program + RULER + "seed: 1337\n" + RULER + SPEEDRUN)
    assert [f.value for f in reading.facts if f.key == "seed"] == [1337]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("4,7748", None), ("4.7748,", 4.7748), ("4.77.48", None), ("4_7", None), ("0x1F", None), ("--4", None), ("4.7e", None),
        ("4.7748)", 4.7748), ("4.", 4.0), (".5", 0.5), ("+4.5", 4.5), ("-4.5", -4.5), ("4.5e-1", 0.45), ("1,234.5", 1234.5),
        ("n/a", None), ("None", None), ("", None), ("٤.٥", None), ("４.5", None), ("4.5x", None), ("1e999", float("inf")),
    ],
)  # fmt: skip
def test_a_number_is_read_whole_or_not_at_all(line: str, value: float | None) -> None:
    _, reading = read(f"step 100/200 train_loss=9 val_loss={line}\nstep 200/200 train_loss=8 val_loss=4.4444\n")
    expected = [] if value is None else [(100, value)]
    assert curve(reading) == [*expected, (200, 4.4444)]


@pytest.mark.parametrize("step", ["-5", "1.5", "1e3", "5k", "50%", "1_000", "٣٠٠", "9" * 19, "9" * 400, "12:30", "", "x", "5.", "0x5"])
def test_a_step_that_is_no_count_is_none(step: str) -> None:
    _, reading = read(f"step {step} val_loss=9.9\nstep 200/200 val_loss=4.4444\n")
    assert curve(reading) == [(200, 4.4444)]
    assert accounted(reading)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("[RUN] w3_a", "w3_a"), ("Experiment: A1", "A1"), ("=== Experiment 3/48: lr_0.01 ===", "lr_0.01"), ("Trial 2: b", "b"),
        ("Run name: x-1", "x-1"), ("Starting run: logs/a.log", "a"), ("### Variant: gated ###", "gated"),
    ],
)  # fmt: skip
def test_a_marker_names_the_run_below_it(line: str, name: str) -> None:
    _, reading = read(f"Experiment: first\nstep 5 val_loss=3\nstep 10 val_loss=2\n{line}\nstep 5 val_loss=3.5\nstep 10 val_loss=2.5\n")
    assert [t.name for t in reading.trials] == ["first", name]
    assert curve(reading, trial=1) == [(5, 3.5), (10, 2.5)]


@pytest.mark.parametrize(("text", "known"), [("step 5\n  val_loss: 3.1\n", False), ("step 5\n  val_loss: 3.1\nstep 6 loss 3\n", True)])
def test_a_record_that_may_go_on_is_read_again_when_the_file_grows(text: str, known: bool) -> None:
    _, reading = read(text)
    assert curve(reading) == [(5, 3.1)]
    assert (reading.state is not None) == known


def test_values_below_a_line_with_values_are_no_record() -> None:
    _, reading = read("step 5 val_loss=3.1\n  memory: 17.5\n  loss: 9.9\nstep 10 val_loss=3.0\n")
    assert curve(reading) == [(5, 3.1), (10, 3.0)] and not curve(reading, "train/loss")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "Model,Seed,Best Val Loss,Best Step,Final Val Loss\nvanilla,1,4.1,900,4.15\ngated,1,4.05,1000,4.05\n"),
        (
            "t.jsonl",
            '{"run": "vanilla", "config": {"lr": 1}, "metrics": {"best": {"val_loss": 4.1, "step": 900}, "final": {"val_loss": 4.15}}}\n'
            '{"run": "gated", "config": {"lr": 3}, "metrics": {"best": {"val_loss": 4.05, "step": 1000}, "final": {"val_loss": 4.05}}}\n',
        ),
    ],
)
def test_a_table_that_tells_best_and_last_gives_both(tmp_path: Path, name: str, text: str) -> None:
    made = report(written(tmp_path, {name: text}) / name, tmp_path / "out")
    assert sorted(made.best(run) for run in made.runs) == [(4.05, 1000), (4.1, 900)]
    assert sorted(made.last(run) for run in made.runs) == [(4.05, None), (4.15, None)]


@pytest.mark.parametrize(
    "line",
    [
        "2021-03-01 10:02:00 | INFO | valid | epoch 001 | valid on 'valid' subset | loss 10.5 | ppl 1448.15 | num_updates 1000",
        "| epoch 002 | valid on 'valid' subset | valid_loss 7.11425 | valid_nll_loss 5.8834 | valid_ppl 59.03 | num_updates 1200",
    ],
)
def test_fairseqs_losses_are_in_bits_and_no_validation_losses(line: str) -> None:
    form, reading = read(f"{line}\n{line}\n")
    assert form is None and not reading.blocks


PAIR = st.tuples(
    st.sampled_from(["loss", "'step'", '"lr"', "a.b/c", "x-y", "s"]), st.sampled_from(["=", ": ", " = ", "\t:"]),
    st.sampled_from(["3.5", "1e-4", "-2", "nan", "Inf", ".5", "+1,000", "word", ""]), st.sampled_from(["", "ms", "%", " s"]),
).map("".join)  # fmt: skip
LINES = st.tuples(
    st.sampled_from(["", "INFO ", "[x] ", "12:30:01 ", "2026-01-02 03:04: ", "{", "(", "note: ", "(w, pid=3) "]),
    st.tuples(st.lists(PAIR, max_size=4), st.sampled_from([", ", "; ", " | ", " ", "\t"])).map(lambda x: x[1].join(x[0])),
    st.sampled_from(["", "}", ")", " ", " end"]),
).map("".join)


@given(LINES)
@example("{'loss': 3.25, 'lr': 1e-4, 'step': 100}")
@example("[12:30:01] loss=3.2 lr: 1e-4 step=100")
def test_the_cheap_look_at_a_line_of_pairs_misses_none(line: str) -> None:
    assert textlog._paired(line) or not textlog.PAIRS.match(line)


@pytest.mark.parametrize("kind", loglines.KINDS, ids=lambda k: k.name)
@given(st.data())
def test_a_line_of_a_kind_has_one_of_its_words(kind: loglines.Kind, data: st.DataObject) -> None:
    pattern = re.compile(kind.pattern.pattern, kind.pattern.flags)
    line = data.draw(st.from_regex(pattern, alphabet=st.characters(codec="ascii"))).encode().lower()
    assert any(word in line for word in kind.words)
    assert loglines._ANY.search(line)


DICTS = {
    "{'loss': 5.1, 'epoch': 0.1}{'eval_loss': 5.2, 'epoch': 0.1}\n": [1, 1],
    "{'loss': 5.1,\n 'lr': 0.1,\n 'epoch': 0.1}\n\n{'eval_loss': 5.2, 'epoch'\n: 0.1}\n": [1, 5],
    "{'loss': 5.1, 'epoch': 0.1\n{'eval_loss': 5.2, 'epoch': 0.1}\n": [2],
    "{'loss': 5.1, 'epoch': 0.1}\n{'loss': 4.1, 'epoch': 0.2\n" + 60 * "text\n" + "}\n": [1],
    "{'loss': 5.1, 'epoch': 0.1}\r{'loss': 5.1, 'epoch': 0.1}\n": [1],
    "settings {'loss_scale': 1,\n 'x': 2}\n{'loss': 5.1, 'epoch': 0.1}\n{'loss': 4.1,\n 'ep": [3],
}


@pytest.mark.parametrize("text", DICTS)
def test_dicts_stand_where_they_begin_and_every_line_is_accounted_for(text: str) -> None:
    form, reading = read(text)
    assert form == "hf_stdout"
    assert accounted(reading)
    assert [p[5] for p in points(reading) if p[3] in ("train/loss", "val/loss")] == DICTS[text]
    assert all(0 < line <= reading.lines_read for line, _ in reading.bad)


def test_what_a_dict_prints_is_measured_also_when_it_stays_the_same() -> None:
    _, reading = read("{'loss': 0.5, 'rewards/chosen': -0.5, 'learning_rate': 0.001, 'epoch': 0.5, 'step': 5}\n")
    assert {f.key for f in reading.facts} == {"learning_rate"}
    assert {(p[2], p[3]) for p in points(reading)} >= {(5, "train/loss"), (5, "rewards_chosen")}
