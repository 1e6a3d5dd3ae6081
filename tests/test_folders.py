"""Whole folders as trainers leave them: which files are one run, what belongs to it, and what must not be ranked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ngt_report.files import run_folder
from tests.readings import Report, read, report, written
from tests.test_tfevents import HEAD, scalar

LOSSES = {100: 4.125, 200: 3.5625, 300: 3.25, 400: 3.125}


def state(upto: int, total: int = 400, more: float = 0.0, evaluated: bool = True, got: int | None = None) -> str:
    history = [{"step": s, "loss": v + 0.0625 + more, "epoch": s / 400} for s, v in LOSSES.items() if s <= upto]
    history += [{"step": s, "eval_loss": v + more, "epoch": s / 400} for s, v in LOSSES.items() if s <= upto and evaluated]
    return json.dumps({"global_step": got or upto, "max_steps": total, "log_history": history}, indent=1)


def scalars(tag: str, values: dict[int, float]) -> bytes:
    return HEAD + b"".join(scalar(step, tag, value) for step, value in values.items())


def built(tmp_path: Path, files: dict[str, str | bytes]) -> Report:
    return report(written(tmp_path, files) / "in", tmp_path / "out")


def curve(more: float = 0.0) -> str:
    return "".join(json.dumps({"step": s, "val_loss": v + more}) + "\n" for s, v in LOSSES.items())


# -- checkpoint folders -----------------------------------------------------------------------------------------------
def test_checkpoint_folders_of_one_training_are_one_run(tmp_path: Path) -> None:
    made = built(tmp_path, {f"in/gpt/checkpoint-{s}/trainer_state.json": state(s) for s in LOSSES})
    assert list(made.runs) == ["gpt"] and made.best() == (3.125, 400)
    assert made.runs["gpt"]["status"] == "finished"
    (text,) = made.texts("repeated")
    assert text.endswith("and 2 more are earlier states of run gpt, which is counted once")


def test_checkpoint_folders_of_several_trainings_stay_apart(tmp_path: Path) -> None:
    files = {f"in/gpt/checkpoint-{s}/trainer_state.json": state(s) for s in (100, 300)}
    made = built(tmp_path, files | {f"in/gpt/checkpoint-{s}/trainer_state.json": state(s, more=0.5) for s in (200, 400)})
    assert sorted(made.runs) == ["gpt/checkpoint-300", "gpt/checkpoint-400"]
    assert made.best("gpt/checkpoint-300") == (3.25, 300) and made.best("gpt/checkpoint-400") == (3.625, 400)


def test_checkpoints_of_runs_with_equal_numbers_are_not_mixed(tmp_path: Path) -> None:
    made = built(
        tmp_path, {f"in/{run}/checkpoint-{s}/trainer_state.json": state(s, more=m) for run, m in (("a", 0.0), ("b", 0.5)) for s in LOSSES}
    )
    assert sorted(made.runs) == ["a", "b"] and made.best("b") == (3.625, 400)


def test_a_state_beside_its_checkpoints_holds_them(tmp_path: Path) -> None:
    made = built(tmp_path, {"in/a/trainer_state.json": state(400), "in/a/checkpoint-200/trainer_state.json": state(200)})
    assert list(made.runs) == ["a"] and made.best() == (3.125, 400)


def test_a_state_at_its_last_step_is_finished_though_it_logged_less(tmp_path: Path) -> None:
    made = built(tmp_path, {"in/a/trainer_state.json": state(400, total=409, evaluated=False, got=409)})
    assert made.runs["a"]["status"] == "finished"
    assert built(tmp_path / "2", {"in/a/trainer_state.json": state(400, total=409, got=400)}).runs["a"]["status"].startswith("incomplete")


def card(more: float = 0.0, steps: tuple[int, ...] = tuple(LOSSES)) -> str:
    """A model card, as the Trainer writes it."""
    rows = "".join(f"| {LOSSES[s] + 0.0625:.4f} | {s / 400} | {s} | {LOSSES[s] + more:.4f} |\n" for s in steps)
    return f"# gpt\n\nA fine-tuned model.\n\n| Training Loss | Epoch | Step | Validation Loss |\n|:--|:--|:--|:--|\n{rows}"


@pytest.mark.parametrize("steps", [tuple(LOSSES), (400,)], ids=["all", "the last"])
def test_the_table_of_a_model_card_is_the_run_of_its_folder_and_hides_no_settings(steps: tuple[int, ...], tmp_path: Path) -> None:
    files = {f"in/{run}/trainer_state.json": state(400, more=m) for run, m in (("a", 0.25), ("b", 0.5))}
    files |= {f"in/{run}/README.md": card(m, steps) for run, m in (("a", 0.25), ("b", 0.5))}
    made = built(
        tmp_path,
        files | {"in/a/config.json": json.dumps({"model_type": "gpt2", "n_layer": 12, "n_embd": 768, "n_head": 12, "vocab_size": 50257})},
    )
    assert sorted(made.runs) == ["a", "b"] and made.best("a") == (3.375, 400)
    assert made.runs["a"]["model"] == "gpt2"


def test_a_model_card_with_other_figures_or_alone_is_a_run_of_its_own(tmp_path: Path) -> None:
    assert len(built(tmp_path, {"in/a/trainer_state.json": state(400), "in/a/README.md": card(0.5)}).runs) == 2
    assert len(built(tmp_path / "2", {"in/a/trainer_state.json": state(400), "in/b/README.md": card(0.25)}).runs) == 2


def test_closing_figures_join_the_state_of_their_folder_unless_they_contradict_it(tmp_path: Path) -> None:
    closing = {"epoch": 1.0, "eval_loss": 3.125, "eval_runtime": 2.5}
    made = built(tmp_path, {"in/a/trainer_state.json": state(400), "in/a/all_results.json": json.dumps(closing)})
    assert list(made.runs) == ["a"]
    made = built(tmp_path / "2", {"in/a/trainer_state.json": state(400), "in/a/all_results.json": json.dumps(closing | {"eval_loss": 2.5})})
    assert len(made.runs) == 2


def test_an_event_file_with_the_evaluations_of_a_state_is_of_its_run(tmp_path: Path) -> None:
    events = scalars("eval/loss", {**LOSSES, 500: 3.0625})
    made = built(
        tmp_path, {"in/out/checkpoint-400/trainer_state.json": state(400), "in/out/runs/May01_host/events.out.tfevents.1.host": events}
    )
    assert list(made.runs) == ["out"] and made.best() == (3.125, 400)
    (text,) = made.texts("repeated")
    assert text.endswith("counted once; what it has beyond step 400 is not used")
    other = scalars("eval/loss", {s: v + 0.25 for s, v in LOSSES.items()})
    files = {"in/out/checkpoint-400/trainer_state.json": state(400), "in/out/runs/May01_host/events.out.tfevents.1.host": other}
    assert len(built(tmp_path / "2", files).runs) == 2


def test_logs_whose_names_differ_in_a_prefix_are_one_run_if_all_evaluations_agree(tmp_path: Path) -> None:
    values = {0: 9.51234, 500: 4.12345}
    log = "".join(f"step {s}: train loss {v:.4f}, val loss {v:.4f}\n" for s, v in values.items())
    rows = "".join(json.dumps({"step": s, "val_loss": v}) + "\n" for s, v in values.items())
    made = built(tmp_path, {"in/train_wide_8.log": log, "in/metrics_wide_8.jsonl": rows})
    assert list(made.runs) == ["metrics_wide_8"] and len(made.runs["metrics_wide_8"]["sources"]) == 2
    made = built(tmp_path / "2", {"in/train_wide_8.log": log, "in/metrics_wide_8.jsonl": rows.replace("4.12345", "4.12365")})
    assert len(made.runs) == 2, "4.1235 is not 4.12365 rounded"
    assert len(built(tmp_path / "3", {"in/train_wide_8.log": log, "in/metrics_wide_9.jsonl": rows}).runs) == 2


# -- W&B ---------------------------------------------------------------------------------------------------------------
WANDB = {"train/loss": 3.25, "val/loss": 3.125, "train/global_step": 400, "_step": 40, "_runtime": 90.5, "_timestamp": 1700000001.25}
SAID = (
    '_wandb:\n    value:\n        t:\n            "1":\n                - 5\n        /odd: 1\n'
    "lr:\n    value: 0.003\noptim:\n    value:\n        weight_decay: 0.1\n"
)


def test_a_summary_of_wandb_is_a_row_with_the_settings_beside_it(tmp_path: Path) -> None:
    made = built(tmp_path, {"in/run-a/files/wandb-summary.json": json.dumps(WANDB), "in/run-a/files/config.yaml": SAID})
    assert list(made.runs) == ["run-a"] and made.best() == (3.125, 400), "the run's own step, not W&B's count"
    assert (made.runs["run-a"]["config"]["learning_rate"], made.runs["run-a"]["config"]["weight_decay"]) == (0.003, 0.1)


def test_a_best_of_wandb_is_only_what_it_says(tmp_path: Path) -> None:
    said = WANDB | {"val/loss": {"min": 3.0625, "last": 3.125}}
    made = built(tmp_path, {"in/run-a/files/wandb-summary.json": json.dumps(said)})
    assert made.best("run-a")[0] == 3.0625 and made.runs["run-a"]["last"]["val_loss"] == 3.125


def test_a_log_beside_a_summary_is_of_the_same_run_and_a_copy_is_none(tmp_path: Path) -> None:
    log = "".join(f"step {s}/400 val_loss={v}\n" for s, v in LOSSES.items())
    files = {f"in/{run}/files/wandb-summary.json": json.dumps(WANDB) for run in ("latest-run", "run-a")}
    made = built(tmp_path, files | {"in/run-a/files/output.log": log})
    (run,) = made.runs.values()
    assert run["best"]["step"] == 400 and {Path(s).name for s in run["sources"]} == {"output.log", "wandb-summary.json"}
    other = json.dumps(WANDB | {"val/loss": 2.5})
    made = built(tmp_path / "2", {"in/run-a/files/output.log": log, "in/run-a/files/wandb-summary.json": other})
    (run,) = made.runs.values()
    assert run["best"]["val_loss"] == 3.125 and any("other closing values" in t for t in made.texts("repeated"))


def test_closing_figures_beside_a_log_are_of_its_run_unless_they_contradict_it(tmp_path: Path) -> None:
    log = "iter,train_loss,val_loss\n" + "".join(f"{s},{v},{v}\n" for s, v in LOSSES.items())
    closing = {"best_val_loss": 3.125, "test_loss": 3.1875}
    made = built(tmp_path, {"in/a/log.csv": log, "in/a/final_metrics.json": json.dumps(closing, indent=1)})
    assert list(made.runs) == ["a"] and made.best() == (3.125, 400) and "| a | 3.1875 |" in made.text
    made = built(tmp_path / "2", {"in/a/log.csv": log, "in/a/final_metrics.json": json.dumps(closing | {"best_val_loss": 2.5}, indent=1)})
    assert list(made.runs) == ["a"] and made.best() == (3.125, 400) and "3.1875" not in made.text and len(made.texts("contradiction")) == 1
    made = built(tmp_path / "3", {"in/final_metrics.json": json.dumps(closing, indent=1)})
    assert not made.runs


def test_a_lone_state_is_called_by_the_given_folder(tmp_path: Path) -> None:
    assert list(built(tmp_path, {"in/trainer_state.json": state(400)}).runs) == ["in"]


# -- event files ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("below", ["logs", "train", "tensorboard", "logs/tb"])
def test_event_files_in_folders_of_equal_names_are_runs_of_their_own(below: str, tmp_path: Path) -> None:
    made = built(
        tmp_path,
        {
            f"in/{run}/{below}/events.out.tfevents.1.host": scalars("val/loss", {s: v + m for s, v in LOSSES.items()})
            for run, m in (("a", 0.0), ("b", 0.5), ("c", 1.0))
        },
    )
    assert sorted(r["best"]["val_loss"] for r in made.runs.values()) == [3.125, 3.625, 4.125]
    assert len({r["run"] for r in made.runs.values()}) == 3


def test_folders_that_only_hold_logs_name_no_run() -> None:
    assert [run_folder(f) for f in ("a/logs", "a/b/logs/tb", "logs", "a/lightning_logs/version_0", "")] == [
        "a",
        "a/b",
        "logs",
        "a/lightning_logs/version_0",
        "",
    ]


# -- settings ---------------------------------------------------------------------------------------------------------
SETTINGS = {
    "config.json": '{\n "lr": 0.003,\n "batch_size": 16,\n'
    ' "optim": {"weight_decay": 0.1, "beta1": 0.9},\n "out_dir": "runs/a", "max_iters": 900\n}\n',
    "hparams.yaml": "# of run a\nlr: 0.003\nbatch_size: 16\nweight_decay: 0.1\nbeta1: 0.9\nout_dir: runs/a\n",
    "config.yaml": "lr:\n  desc: null\n  value: 0.003\nbatch_size:\n  value: 16\nweight_decay:\n  value: 0.1\nbeta1:\n  value: 0.9\n",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_belong_to_the_only_run_of_their_folder(name: str, tmp_path: Path) -> None:
    made = built(tmp_path, {"in/a/metrics.jsonl": curve(), f"in/a/{name}": SETTINGS[name], "in/b/metrics.jsonl": curve(0.5)})
    assert sorted(made.runs) == ["a", "b"]
    config = made.runs["a"]["config"]
    assert (config["learning_rate"], config["batch_size"], config["weight_decay"], config["beta1"]) == (0.003, 16, 0.1, 0.9)
    assert "out_dir" not in config and "learning_rate" not in made.runs["b"]["config"]
    assert made.runs["a"]["total_steps"] is None


def test_settings_of_a_folder_with_several_runs_are_not_used_and_that_is_said(tmp_path: Path) -> None:
    made = built(tmp_path, {"in/g/a.jsonl": curve(), "in/g/b.jsonl": curve(0.5), "in/g/config.json": SETTINGS["config.json"]})
    assert all("learning_rate" not in r["config"] for r in made.runs.values())
    assert any("in/g/config.json" in t or "g/config.json" in t for t in made.texts("no_metrics"))


def test_what_a_log_says_counts_before_its_settings(tmp_path: Path) -> None:
    log = "learning_rate: 0.001\n" + "".join(f"step {s}/400 val_loss={v}\n" for s, v in LOSSES.items())
    made = built(tmp_path, {"in/a/train.log": log, "in/a/config.json": SETTINGS["config.json"]})
    assert made.runs["a"]["config"]["learning_rate"] == 0.001


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "a", "version": "1.0", "scripts": {"test": "x"}}',
        '{"lr": 0.1, "batch_size": 2, "seed": 1, "val_loss": 3.5}',
        "lr: 0.1\nbatch_size: 2\nseed: 1\nTraceback (most recent call last):\n",
        '{"lr": 0.1, "batch_size": 2, ',
        "lr: 0.1\nbatch_size: 2\n",
    ],
)
def test_other_documents_are_no_settings(text: str) -> None:
    assert read(text)[0] != "settings"


def test_what_was_measured_is_no_setting_though_it_never_changes(tmp_path: Path) -> None:
    head = "step,val_loss,act_mean,odd_warnings,max_time_s,cutoff,lr\n"
    made = built(tmp_path, {"in/a/metrics.csv": head + "".join(f"{s},{v},0.0,0,60,0.25,0.003\n" for s, v in LOSSES.items())})
    assert made.runs["a"]["config"] == {"cutoff": 0.25, "learning_rate": 0.003, "max_time_s": 60.0}
    event = json.dumps({"event": "built", "build_time_sec": 0.5, "batch_size": 8}) + "\n"
    assert built(tmp_path / "2", {"in/a.jsonl": event + curve()}).runs["a"]["config"].keys() & {"build_time_sec", "batch_size"} == {
        "batch_size"
    }


# -- what must not be ranked ------------------------------------------------------------------------------------------
def test_a_loss_summed_over_a_set_is_not_ranked(tmp_path: Path) -> None:
    sums = {
        name: "".join(json.dumps({"step": s, "val_loss": v * 9000 + m}) + "\n" for s, v in LOSSES.items())
        for name, m in (("a", 0), ("b", 5))
    }
    made = built(tmp_path, {f"in/{name}.jsonl": text for name, text in sums.items()})
    assert all("no mean in nats per token" in r["excluded"] for r in made.runs.values())
    assert "ppl" not in made.text.partition("## Findings")[0] and "losses above 50" in made.text


def test_a_run_that_was_only_evaluated_before_training_moves_no_step(tmp_path: Path) -> None:
    texts = {
        name: "".join(f"step {s}/400 val_loss={v + m}\n" for s, v in {0: 9.5, **LOSSES}.items()) for name, m in (("a", 0.0), ("b", 0.5))
    }
    only = "step 0/400 val_loss=9.25\n" + "".join(f"step {s}/400 train_loss={v}\n" for s, v in LOSSES.items())
    made = built(tmp_path, {f"in/{name}.log": text for name, text in {**texts, "c": only}.items()})
    assert made.runs["c"]["excluded"] == "evaluated before training only"
    assert made.summary["common_step"] == 400 and made.runs["a"]["rank"] == 1


TABLE = "commit\tval_bpb\tmemory_gb\tnum_steps\tfinal_loss\tstatus\n"


def test_rows_of_crashed_runs_with_zeros_measured_nothing(tmp_path: Path) -> None:
    rows = (
        "aa1\t1.25\t5.5\t100\t3.5\tkeep\nbb2\t0.0\t0.0\t0\t0.0\tcrash\n"
        "cc3\t0.0\t0.0\t0\t0.0\tdiscard\ndd4\t1.125\t5.5\t100\t3.25\tdiscard\n"
    )
    made = built(tmp_path, {"in/results.tsv": TABLE + rows})
    assert {r["run"].partition("#")[2] for r in made.runs.values()} == {"aa1", "bb2", "cc3", "dd4"}
    assert all(r["best"] is None for r in made.runs.values()), "a final_loss beside val_bpb is of who knows what"
    assert [r["status"] for r in made.runs.values() if r["run"].endswith("bb2")] == ["crashed"]
    assert "0.000" not in made.text.partition("## What ran")[0]


def test_a_loss_of_zero_beside_other_numbers_is_a_result(tmp_path: Path) -> None:
    made = built(tmp_path, {"in/results.csv": "name,steps,val_loss\na,100,0.0\nb,100,0.5\n"})
    assert made.best("results#a") == (0.0, 100)


def test_the_lowest_bits_are_said_with_run_and_step_and_never_beside_nats(tmp_path: Path) -> None:
    texts = {
        f"in/{name}.log": "".join(
            f"step {s}/400 train_loss=3.5 val_bpb={v + m:.4f}\n" for s, v in ((200, 1.25), (300, 1.125), (400, 1.1875))
        )
        for name, m in (("a", 0.5), ("b", 0.0), ("c", 0.25))
    }
    made = built(tmp_path, texts)
    assert "- Lowest bits per byte: b, 1.1250 at step 300, of 3 runs" in made.text
    table = made.text.partition("## Validated in bits")[2].partition("##")[0]
    assert table.index("| b |") < table.index("| c |") < table.index("| a |")
    nats = {
        f"in/{name}.log": "".join(f"step {s}/400 val_loss={v + m}\n" for s, v in LOSSES.items()) for name, m in (("x", 0.0), ("y", 0.5))
    }
    made = built(tmp_path / "2", texts | nats)
    assert "- Best overall: x, val loss 3.125" in made.text and "never ranked beside losses in nats" in made.text
    assert sorted(r["run"] for r in made.runs.values() if r["rank"]) == ["x", "y"]


def test_bits_of_other_datasets_or_units_have_a_lowest_each(tmp_path: Path) -> None:
    files = {
        f"in/{name}.log": f"dataset: {data}\n" + "".join(f"step {s}/2 train_loss=3.5 {key}={v}\n" for s in (1, 2))
        for name, key, v, data in (("a", "val_bpb", 1.5, "x"), ("b", "val_bpb", 1.25, "y"), ("c", "eval_bpc", 2.5, "x"))
    }
    made = built(tmp_path, files)
    for said in ("bits per byte of dataset x: a, 1.5", "bits per byte of dataset y: b, 1.25", "bits per character: c, 2.5"):
        assert f"- Lowest {said}" in made.text


def test_equal_commits_name_no_rows(tmp_path: Path) -> None:
    made = built(tmp_path, {"in/results.csv": "git_commit,seed,steps,val_loss\nabc,1,100,3.5\nabc,2,100,3.25\n"})
    assert sorted(made.runs) == ["results#row1", "results#row2"]


@pytest.mark.parametrize("word", ["validation_step", "val-epoch", "eval"])
def test_an_event_that_names_a_split_and_a_moment_is_of_the_split(word: str) -> None:
    lines = [json.dumps({"event": event, "step": s, "loss": v}) for s, v in LOSSES.items() for event in ("training_step", word)]
    form, reading = read("\n".join(lines) + "\n")
    assert form == "curve_jsonl" and len(reading.trials) == 1
    assert {name for block in reading.blocks for name in block.columns} == {"train/loss", "val/loss"}


def test_a_run_of_an_unknown_dataset_is_counted_to_none_of_several(tmp_path: Path) -> None:
    lines = {
        name: "".join(json.dumps({"step": s, "val_loss": v + m, **said}) + "\n" for s, v in LOSSES.items())
        for name, m, said in (("a", 1.0, {"dataset": "x"}), ("b", 2.0, {"dataset": "y"}), ("c", 0.0, {}))
    }
    made = built(tmp_path, {f"in/{name}.jsonl": text for name, text in lines.items()})
    assert "dataset not recorded" in made.text and "Best overall" not in made.text


def test_the_only_run_with_a_loss_is_not_called_the_only_run(tmp_path: Path) -> None:
    log = "".join(f"step {s}/400 val_loss={v}\n" for s, v in LOSSES.items())
    trained = {f"in/{n}.log": "".join(f"step {s}/400 train_loss={v}\n" for s, v in LOSSES.items()) for n in "bc"}
    assert "Of 3 runs only this one has a validation loss: nothing to rank." in built(tmp_path, {"in/a.log": log, **trained}).text
    short = "".join(log.splitlines(keepends=True)[:2])
    made = built(tmp_path / "2", {"in/a.log": log, "in/b.log": short})
    assert "No other of the 2 runs can be compared with it: nothing to rank." in made.text
    assert "One run: nothing to rank." in built(tmp_path / "3", {"in/a.log": log}).text


def test_an_unfinished_run_without_validation_has_its_last_training_loss(tmp_path: Path) -> None:
    made = built(tmp_path, {"in/a/checkpoint-200/trainer_state.json": state(200, evaluated=False)})
    table = made.text.partition("## Training loss of runs without validation")[2].partition("##")[0]
    assert "| a | 3.625 | 200 |" in table and made.runs["a"]["status"].startswith("incomplete")
    bits = "".join(f"step {s}/900 train_loss={v} val_bpb=1.5\n" for s, v in LOSSES.items())
    assert "## Training loss" not in built(tmp_path / "2", {"in/a.log": bits}).text


# -- text logs --------------------------------------------------------------------------------------------------------
def nanogpt(decayed: str, plain: str, accumulation: int, more: float) -> str:
    head = f"gradient accumulation steps: {accumulation}\nnum decayed parameter tensors: 10, with {decayed} parameters\n"
    head += f"num non-decayed parameter tensors: 5, with {plain} parameters\n  scaler = GradScaler(enabled=(dtype == 'float16'))\n"
    return head + "".join(f"step {s}: train loss {v + more:.4f}, val loss {v + more:.4f}\n" for s, v in LOSSES.items())


def test_parameters_are_the_sum_of_both_groups_of_tensors(tmp_path: Path) -> None:
    made = built(tmp_path, {"in/a.log": nanogpt("1,000,000", "2,500", 2, 0.0)})
    assert made.runs["a"]["config"]["params"] == 1002500
    assert "precision" not in made.runs["a"]["config"], "a comparison in code is no setting"


def test_a_rate_below_the_heading_of_an_epoch_is_no_setting(tmp_path: Path) -> None:
    epochs = "".join(
        f"Epoch: {n}/4\nTime Taken: 3.5s - LR: {0.001 / n:.6f}\nTrain Loss: {v + 0.1:.4f}\nValid Loss: {v:.4f}\n"
        for n, v in enumerate(LOSSES.values(), 1)
    )
    made = built(tmp_path, {"in/a.log": "lr: 0.002\nbatch_size: 8\n" + epochs})
    assert made.runs["a"]["config"]["learning_rate"] == 0.002 and not made.texts("changed") and made.best() == (3.125, 4)


def test_many_files_without_a_closing_newline_are_one_warning(tmp_path: Path) -> None:
    made = built(tmp_path, {f"in/{name}.log": "".join(f"step {s} val_loss={v}\n" for s, v in LOSSES.items())[:-1] for name in "abcde"})
    (found,) = [f for f in made.summary["findings"] if f["kind"] == "pending"]
    assert found["severity"] == "warning" and found["text"].startswith("5 files end without a newline")


def test_a_resume_without_a_path_is_read(tmp_path: Path) -> None:
    made = built(tmp_path, {"in/a.log": "restarted; resuming from\n" + "".join(f"step {s} val_loss={v}\n" for s, v in LOSSES.items())})
    assert made.best() == (3.125, 400)


def test_the_best_of_a_curve_that_a_closing_file_repeats_keeps_its_step(tmp_path: Path) -> None:
    history = [{"eval_loss": loss, "step": step, "epoch": step / 10} for step, loss in ((10, 3.0), (20, 2.5), (30, 2.75))]
    state = {"best_metric": 2.5, "global_step": 30, "max_steps": 30, "log_history": history}
    closing = {"epoch": 3.0, "eval_loss": 2.5, "train_loss": 2.9, "train_runtime": 812.3}  # of the best model, loaded at the end
    made = built(tmp_path, {"in/a/trainer_state.json": json.dumps(state), "in/a/all_results.json": json.dumps(closing)})
    assert (made.best("a"), made.last("a")) == ((2.5, 20), (2.75, 30))
    assert "best_metric" not in made.runs["a"]["config"]
