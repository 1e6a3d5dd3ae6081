"""Sweeps: what a file asks for, what is run and with what, rows and ranking, and what a kill leaves. A stand-in plays the trainer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ngt_train import config, experiments, outcomes, presets, runlog
from ngt_train.commands import main
from ngt_train.errors import ConfigError, TrainError
from ngt_train.sweep import Sweep, _cuda_devices

TOP = Path(__file__).parents[1]
# Reads its settings, writes an event log whose loss depends on them, and leaves what it was given for the test to see.
STAND_IN = """
import json, os, sys, time, tomllib
from pathlib import Path
from ngt_train import runlog
_, command, _, path, _, *flags = sys.argv
c = tomllib.loads(Path(path).read_text())
with open(f"calls_{c['name']}.jsonl", "a") as f:
    f.write(json.dumps({"flags": flags, "device": os.environ.get("CUDA_VISIBLE_DEVICES"), "lr": os.environ.get("LR")}) + "\\n")
if c["optim"]["lr"] > 1:
    sys.exit("a traceback\\nError: optim.lr is too large")
Path("data/stdlib_bpe_8192").mkdir(parents=True, exist_ok=True)
Path("data/stdlib_bpe_8192/manifest.json").touch()
log_path = Path(f"logs/{c['group']}/{c['name']}.jsonl")
if "--overwrite" in flags:
    log_path.unlink(missing_ok=True)
log = runlog.init(log_path, seed=c["seed"], total_steps=c["train"]["steps"], params=1000)
checkpoint = Path(f"checkpoints/{c['group']}/{c['name']}.pt_last.pt")
checkpoint.parent.mkdir(parents=True, exist_ok=True)
checkpoint.touch()
if c["name"] == "slow" and "--resume" not in flags:
    log.train({"train/loss": 5.0}, 1, 10, 1.0)
    Path("slow_began").touch()
    time.sleep(60)
loss = 4 + abs(c["optim"]["lr"] - 0.002) * 100 + abs(c["train"]["batch"] - 8) / 100 - c["train"]["steps"] / 1e6
log.train({"train/loss": 5.0}, 1, 10, 1.0)
log.train({"train/loss": loss - 0.1}, 2, 20, 2.0)
log.eval({"val/loss": loss + 0.1}, 1, 10, 1.0)
log.eval({"val/loss": loss}, c["train"]["steps"], 20, 2.0)
log.finish()
"""


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    return tmp_path


def plan(text: str, name: str = "s.toml", **changes: Any) -> experiments.Plan:
    Path(name).write_text(text)
    return experiments.read(name, **changes)


def carried_out(text: str) -> tuple[dict[str, Any], list[str]]:
    said: list[str] = []
    rows = Sweep(plan(text), said.append, program=(sys.executable, "stand_in.py")).run()
    return {row["name"]: row for row in rows}, said


def calls(name: str) -> list[dict[str, Any]]:
    path = Path(f"calls_{name}.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


# -- what a file asks for ---------------------------------------------------------------------------------------------
def test_a_grid_is_every_combination(inside: Path) -> None:
    made = plan(
        "[base]\ntrain.steps = 50\n[grid]\noptim.lr = [1e-3, 2e-3]\nseed = [1, 2]\n[grid.model]\nvariant = ['vanilla']\n"
    ).experiments
    assert [e.name for e in made] == [f"lr={lr}_seed={s}_variant=vanilla" for lr in (0.001, 0.002) for s in (1, 2)]
    assert [(e.run.optim.lr, e.run.seed, e.run.train.steps, e.run.group) for e in made[1:3]] == [(0.001, 2, 50, "s"), (0.002, 1, 50, "s")]


def test_one_variable_at_a_time_runs_the_base_and_each_value_alone(inside: Path) -> None:
    made = plan('preset = "w3_25m/ngt_default"\n[one_at_a_time]\noptim.lr = [1e-3]\nmodel.cutoff = ["soft", "none"]\n').experiments
    assert [(e.name, e.variable, e.value) for e in made] == [
        ("base", None, None), ("lr=0.001", "optim.lr", 0.001),
        ("cutoff=soft", "model.cutoff", "soft"), ("cutoff=none", "model.cutoff", "none"),
    ]  # fmt: skip
    assert made[2].run.model.settings["cutoff"] == "soft" and made[2].run.optim.lr == 3e-4


def test_lists_of_presets_and_of_runs(inside: Path) -> None:
    made = plan('group = "mine"\nscale = "tiny"\npresets = ["gated_stage2_5/*", "w3_25m/vanilla_25m"]\n[runs.own]\nseed = 7\n').experiments
    assert [e.name for e in made] == ["none_s1337", "none_s2337", "elementwise_s1337", "elementwise_s2337", "vanilla_25m", "own"]
    assert {e.run.group for e in made} == {"mine"}
    shrunk = presets.scaled(presets.load("gated_stage2_5/none_s1337"), "tiny")
    assert made[0].run == replace(shrunk, group="mine")


def test_the_base_may_be_a_file_beside_the_sweep_and_settings_come_in_order(inside: Path) -> None:
    Path("base.toml").write_text("seed = 5\n[optim]\nlr = 0.1\n")
    text = 'config = "base.toml"\n[base]\noptim.lr = 0.2\ntrain.batch = 2\n[runs.a]\n[runs.b]\noptim.lr = 0.4\n'
    made = plan(text, assignments=("optim.lr=0.3",)).experiments
    assert [(e.run.optim.lr, e.run.train.batch, e.run.seed) for e in made] == [(0.3, 2, 5), (0.4, 2, 5)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jobs = 2\n", "s.toml has nothing to run; give presets, [grid], [one_at_a_time] or [runs]"),
        ("job = 2\n", "unknown setting 'job'; did you mean 'jobs'?"),
        ("jobs = 0\n[runs.a]\n", "jobs must be at least 1, not 0"),
        ("[grid]\noptim.lr = 0.1\n", "optim.lr = 0.1 is no list of values to try; write optim.lr = [0.1]"),
        ("[grid]\noptim.eqs = [0.1]\n", "unknown setting 'optim.eqs'; did you mean 'eps'?"),
        ('preset = "w3_25m/nope"\n[runs.a]\n', "there is no preset 'w3_25m/nope'"),
        ('presets = ["w3_52m/*"]\n', "there is no preset 'w3_52m/*'"),
        ('preset = "a/b"\nconfig = "c"\n[runs.a]\n', "preset and config are both given; keep one"),
        ("[grid]\nseed = [1, 1]\n", "has two runs called 'seed=1'; give one of them a table of its own in [runs]"),
        ("[runs.a]\n[auto]\ncombine = true\n", "auto.combine combines the winners of [one_at_a_time], which is not given"),
        ("[runs.a]\n[auto]\nextend = 0.5\n", "auto.extend is how many times the steps are run, above 1, not 0.5"),
        ('[runs."a b"]\n', "name 'a b' must be letters, digits"),
        ("[runs.a\n", "s.toml is not TOML"),
        ("[grid]\nseed = [" + ",".join(map(str, range(10_001))) + "]\n", "asks for 10,001 runs, more than 10,000"),
        ("[grid]\n" + "".join(f"optim.{k} = {list(range(1, 100))}\n" for k in ("lr", "eps", "beta1", "beta2")), "asks for 96,059,601 runs"),
    ],
)
def test_what_cannot_be_meant_is_refused(inside: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        plan(text)
    assert said in str(raised.value)


# -- carrying it out -------------------------------------------------------------------------------------------------
AUTO = (
    "[base]\ntrain.steps = 100\n[one_at_a_time]\noptim.lr = [1e-3, 2e-3, 5.0]\ntrain.batch = [8, 32]\n[auto]\ncombine = true\nextend = 3\n"
)


def test_a_sweep_leaves_a_row_each_and_a_ranking_and_combines_the_winners(inside: Path) -> None:
    rows, said = carried_out(AUTO)
    assert list(rows) == ["base", "lr=0.001", "lr=0.002", "lr=5.0", "batch=8", "batch=32", "combined", "extended_300"]
    assert {name: row["status"] for name, row in rows.items() if row["status"] != "finished"} == {"lr=5.0": "failed"}
    assert (rows["lr=5.0"]["reason"], rows["lr=5.0"]["val_loss"]) == ("optim.lr is too large (exit 1)", None)
    assert (rows["combined"]["lr"], rows["combined"]["batch_size"], rows["extended_300"]["steps"]) == (0.002, 8, 300)
    assert [json.loads(line) for line in Path("sweeps/s/results.jsonl").read_text().splitlines()] == list(rows.values())
    summary = json.loads(Path("sweeps/s/summary.json").read_text())
    assert [row["name"] for row in summary["all_results_ranked"][:3]] == ["extended_300", "combined", "lr=0.002"]
    assert (summary["best_result"]["name"], summary["without_result"]) == ("extended_300", ["lr=5.0"])
    assert summary["winners"] == {"optim.lr": 0.002, "train.batch": 8}
    assert said[3].endswith("lr=5.0: failed: optim.lr is too large (exit 1), no val/loss") and len(said) == 8


def test_a_row_has_all_flags_under_the_names_of_the_published_sweeps(inside: Path) -> None:
    rows, _ = carried_out('preset = "ngpt_alpha/alpha_0.28"\nscale = "tiny"\n[runs.a]\n')
    row = rows["a"]
    published = "alpha logit_scale n_layer n_embd lr steps batch_size n_params final_train_loss val_loss train_loss_reduction time_seconds"
    assert {*published.split(), "tokens_per_sec", "name", "model", "alpha_shape", "project_every"} <= row.keys()
    assert (row["alpha"], row["n_embd"], row["model"], row["n_params"]) == (0.28, 32, "ngpt", 1000)
    assert (row["time_seconds"], row["tokens_per_sec"], row["best_step"]) == (2.0, 10.0, 22)
    assert row["train_loss_reduction"] == pytest.approx((5.0 - row["final_train_loss"]) / 5.0 * 100)


def test_a_restarted_sweep_runs_only_what_failed_or_was_changed(inside: Path) -> None:
    carried_out(AUTO)
    _, said = carried_out(AUTO)
    assert {name: len(calls(name)) for name in ("base", "lr=0.001", "lr=5.0", "combined", "extended_300")} == {
        "base": 1, "lr=0.001": 1, "lr=5.0": 2, "combined": 1, "extended_300": 1,
    }  # fmt: skip
    assert "[1/6] base: was done before, val/loss 4.2499" in said
    carried_out(AUTO.replace("= 100", "= 200"))
    assert [call["flags"] for call in calls("base")] == [[], ["--overwrite"]]


def test_settings_that_came_with_a_later_version_repeat_no_run(inside: Path) -> None:
    carried_out("[runs.a]\n")
    path = Path("sweeps/s/a.toml")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(("topk", "semantic", "timeout"))))  # as if before those
    _, said = carried_out("[runs.a]\n")
    assert len(calls("a")) == 1 and said[0].startswith("[1/1] a: was done before")


def test_epochs_are_extended_as_epochs(inside: Path) -> None:
    made = plan("[base.train]\nepochs = 2.0\n[runs.a]\n[auto]\nextend = 1.5\n")
    longer = experiments.extended(made, made.experiments[0].run)
    assert (longer.name, longer.run.train.epochs) == ("extended_3_epochs", 3.0)


def test_runs_share_devices_and_get_no_setting_from_outside(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LR", "0.5")
    carried_out('jobs = 2\ndevices = ["0", "3"]\n[grid]\nseed = [1, 2, 3, 4]\n')
    seen = [call for seed in range(1, 5) for call in calls(f"seed={seed}")]
    assert {call["device"] for call in seen} == {"0", "3"} and {call["lr"] for call in seen} == {None}


def test_the_environment_says_which_devices_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5")
    assert _cuda_devices() == ("2", "5")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert _cuda_devices() == ()


def test_a_killed_sweep_leaves_nothing_half_written_and_goes_on(inside: Path) -> None:
    Path("s.toml").write_text("jobs = 2\n[runs.quick]\n[runs.slow]\n[runs.after]\n")
    code = "import sys\nfrom ngt_train import experiments\nfrom ngt_train.sweep import Sweep\n"
    code += "Sweep(experiments.read('s.toml'), print, program=(sys.executable, 'stand_in.py')).run()"
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while not (Path("slow_began").exists() and len(_rows()) == 2) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
    assert [row["name"] for row in _rows()] == ["quick", "after"]
    assert json.loads(Path("sweeps/s/summary.json").read_text())["total_experiments"] in (1, 2)
    rows, _ = carried_out(Path("s.toml").read_text())
    assert {name: row["status"] for name, row in rows.items()} == dict.fromkeys(("quick", "slow", "after"), "finished")
    assert [call["flags"] for call in calls("slow")] == [[], ["--resume"]] and len(calls("quick")) == len(calls("after")) == 1
    assert sorted(path.name for path in Path("sweeps/s").iterdir() if path.suffix == ".tmp") == []


def _rows() -> list[dict[str, Any]]:
    path = Path("sweeps/s/results.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_terminated_sweep_ends_its_runs(inside: Path) -> None:
    Path("s.toml").write_text("[runs.slow]\n")
    code = "import sys\nfrom ngt_train import experiments\nfrom ngt_train.sweep import Sweep\n"
    code += "Sweep(experiments.read('s.toml'), print, program=(sys.executable, 'stand_in.py')).run()"
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(TOP)}, stderr=subprocess.PIPE)
    while not Path("slow_began").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    assert process.returncode != 0 and told.rstrip().endswith(b"KeyboardInterrupt")
    carried_out("[runs.slow]\n")  # at once: nobody holds the sweep's lock any more


def test_a_second_process_is_refused(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr("ngt_train.sweep.PATIENCE", 0.2)
    Path("sweeps/s").mkdir(parents=True)
    with open("sweeps/s/.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(TrainError, match="the sweep s is running in another process; wait until that has ended"):
            carried_out("[runs.a]\n")


# -- rows from logs ------------------------------------------------------------------------------------------------------
def test_superseded_events_and_torn_lines_count_for_nothing(inside: Path) -> None:
    experiment = plan("[runs.a]\n").experiments[0]
    path = experiment.run.events_path()
    path.parent.mkdir(parents=True)
    events = [
        {"kind": "run_start", "step": 0, "params": 10}, {"kind": "eval", "step": 10, "val/loss": 3.0, "elapsed_s": 1.0, "tokens": 10},
        {"kind": "eval", "step": 20, "val/loss": 2.0, "elapsed_s": 2.0, "tokens": 20}, {"kind": "run_start", "step": 10},
        {"kind": "eval", "step": 30, "val/loss": None, "elapsed_s": 3.0, "tokens": 30},
        {"kind": "run_end", "step": 30, "status": "diverged", "reason": "val/loss is NaN", "elapsed_s": 3.0, "tokens": 30},
    ]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, events[:3])) + '\n{"kind":"tra\n' + "\n".join(map(json.dumps, events[3:])))
    row = outcomes.row(experiment, 1)
    assert (row["best_val_loss"], row["best_step"], row["val_loss"], row["status"]) == (3.0, 10, None, "diverged")
    assert outcomes.is_done(experiment.run)


def test_coordinates_of_an_earlier_checkpoint_are_not_the_end(inside: Path) -> None:
    rows, _ = carried_out("[runs.a]\n")
    log = runlog.reopen(Path("logs/s/a.jsonl"))
    log.coords(0, ["a"], [0], [1.0], [[0.0]], step=1, tokens=10, elapsed_s=1.0)
    log.close()
    again, _ = carried_out("[runs.a]\n")
    assert again == rows and rows["a"]["time_seconds"] == 2.0


def test_a_variable_wins_only_by_being_better_than_the_base() -> None:
    made = [experiments.Experiment(config.from_dict({"name": "base"}))]
    made += [experiments.Experiment(config.from_dict({"name": f"lr={lr}"}), "optim.lr", lr) for lr in (0.1, 0.2, 0.3)]
    for losses, winner in (
        ((2.0, 2.0, 2.5, 3.0), {}),
        ((2.0, 1.5, 1.0, 1.0), {"optim.lr": 0.2}),
        ((2.0, None, 1.9, 1.95), {"optim.lr": 0.2}),
    ):
        rows = {e.name: {"val_loss": loss} for e, loss in zip(made, losses, strict=True)}
        assert outcomes.winners(made, rows) == winner


def test_a_run_that_a_signal_stopped_is_not_done(inside: Path) -> None:
    experiment = plan("[runs.a]\n").experiments[0]
    path = experiment.run.events_path()
    path.parent.mkdir(parents=True)
    for reason, done in (("SIGTERM at step 5; --resume goes on", False), ("val/loss 3.1 reached train.target_loss 3.2", True)):
        path.write_text(json.dumps({"kind": "run_end", "step": 5, "status": "stopped early", "reason": reason}))
        assert outcomes.is_done(experiment.run) is done


def test_a_target_is_told_with_its_time(inside: Path) -> None:
    experiment = plan("[runs.a]\ntrain.target_loss = 3.0\n").experiments[0]
    path = experiment.run.events_path()
    path.parent.mkdir(parents=True)
    losses = [{"kind": "eval", "step": s, "val/loss": v, "elapsed_s": s / 2, "tokens": s} for s, v in ((10, 3.5), (20, 2.9), (30, 2.8))]
    path.write_text("\n".join(map(json.dumps, losses)))
    row = outcomes.row(experiment, 1)
    assert (row["target_loss"], row["reached_target"], row["time_to_target"]) == (3.0, True, 10.0)


# -- the command ----------------------------------------------------------------------------------------------------------
def ran(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["sweep", *arguments])


def test_a_dry_run_lists_the_runs(inside: Path) -> None:
    Path("s.toml").write_text('presets = ["gated_stage2_5/none*"]\n')
    assert ran("s.toml", "--dry-run").stdout == "s/none_s1337\ns/none_s2337\n"
    assert not Path("sweeps").exists()


def test_the_command_prints_the_ranking(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ngt_train.sweep.PROGRAM", (sys.executable, "stand_in.py"))
    Path("s.toml").write_text("[grid]\noptim.lr = [1e-3, 2e-3, 7.0]\n")
    done = ran("s.toml", "--set", "train.batch=8", "--jobs", "3")
    assert done.stdout == "  1     3.9990  lr=0.002\n  2     4.0990  lr=0.001\n  3          -  lr=7.0  failed\n"
    assert done.stderr.endswith("rows and ranking are in sweeps/s; `ngtreport build logs/s` makes the report\n") and done.exit_code == 0
    Path("t.toml").write_text("[grid]\noptim.lr = [7.0]\n")
    failed = ran("t.toml")
    assert (failed.exit_code, failed.stderr.splitlines()[-1]) == (
        3, "Error: no run of the sweep has a result; sweeps/t/results.jsonl has the reasons",
    )  # fmt: skip


def test_every_key_is_in_the_docs_and_its_example_is_a_sweep(inside: Path) -> None:
    page = (TOP / "docs/training.md").read_text(encoding="utf-8")
    assert [name for name in experiments.SweepFile.__dataclass_fields__ if f"`{name}`" not in page.partition("## Sweeps")[2]] == []
    example = page.partition("## Sweeps")[2].partition("```toml\n")[2].partition("```")[0]
    assert [e.name for e in plan(example).experiments] == ["base", "lr=0.0005", "lr=0.002", "batch=2", "batch=8"]
