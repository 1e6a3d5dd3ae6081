"""A run that was killed and resumed is, bit for bit, the run that was not; evaluations change nothing."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from ngt_train import checkpoint, config, train  # noqa: E402
from ngt_train.config import RunConfig  # noqa: E402
from ngt_train.errors import CheckpointError, ConfigError, TrainError  # noqa: E402
from ngt_train.session import Session  # noqa: E402
from tests import training  # noqa: E402

EXACT = ("model", "model_raw", "optimizer", "random", "loader", "scaler", "step", "tokens", "best_val", "best_step")
COMBINATIONS = [
    ("vanilla", ("optim.kind=adamw", "schedule.kind=cosine", "schedule.warmup=3")),
    ("vanilla", ("optim.kind=muon", "schedule.kind=linear", "loss.kind=mixed", "loss.alpha_ramp=6", "train.accumulation=2")),
    ("ngt", ("optim.kind=adamw", "schedule.kind=trapezoid", "schedule.warmdown=4", "model.mass_in_value=true")),
    ("ngt", ("optim.kind=muon", "schedule.kind=constant", "model.cutoff=soft")),
    ("ngpt", ("optim.kind=adamw", "schedule.kind=constant", "optim.vector_scale=0.3", "optim.weight_decay=0")),
    ("ngpt", ("optim.kind=muon", "schedule.kind=cosine")),
    ("gated", ("optim.kind=muon", "schedule.kind=trapezoid", "schedule.warmdown=4", "optim.matrix_scale=0.1")),
    ("gated", ("optim.kind=adamw", "schedule.kind=linear", "train.clip=0")),
    ("vanilla", ("train.precision=float16", "train.accumulation=2")),
    ("ngt", ("train.precision=bfloat16", "data.order=sequential", "log.interval=3")),
]


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training.corpus(tmp_path_factory.mktemp("corpus"))


def last(made: RunConfig) -> dict[str, Any]:
    return checkpoint.load(made.checkpoint_path("last"))


@pytest.mark.parametrize(("variant", "settings"), COMBINATIONS)
def test_kill_and_resume_is_bit_identical(
    variant: str, settings: tuple[str, ...], tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = training.tiny(tokens, tmp_path / "whole", *settings, variant=variant)
    train.run(whole)
    parts = training.tiny(tokens, tmp_path / "parts", *settings, "checkpoint.interval=4", variant=variant)
    training.killed_at(monkeypatch, parts, 7)
    assert last(parts)["step"] == 5
    ended = train.run(parts, resume=True)
    assert (ended.status, ended.step) == ("finished", 10)
    assert [key for key in EXACT if not training.same(last(whole)[key], last(parts)[key])] == []
    for kind, metric in (("train", "train/loss"), ("train", "grad_norm"), ("train", "lr"), ("eval", "val/loss")):
        assert training.curve(parts, kind, metric) == training.curve(whole, kind, metric)
    assert [event["segment"] for event in training.events(parts, "run_start")] == [0, 1]


def run_alone(made: RunConfig, resume: bool) -> None:
    torch.set_num_threads(1)
    train.run(made, resume=resume, overwrite=not resume)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")
def test_kill_9_at_random_moments_loses_nothing_but_torn_lines(tokens: Path, tmp_path: Path) -> None:
    """Killed again and again, in the middle of steps, evaluations, saves and lines, a run still comes to the same bits."""
    settings = ("train.steps=24", "checkpoint.interval=1", "eval.interval=6")
    whole = training.tiny(tokens, tmp_path / "whole", *settings, variant="ngt")
    train.run(whole)
    parts = training.tiny(tokens, tmp_path / "parts", *settings, variant="ngt")
    chance = random.Random(1)
    kills = 0
    while not parts.checkpoint_path("last").exists() or last(parts)["step"] < 18:
        resume = parts.checkpoint_path("last").exists()
        process = training.forks().Process(target=run_alone, args=(parts, resume))
        process.start()
        before = stamp(parts)
        while stamp(parts) == before and process.is_alive():
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.02))
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        kills += 1
        last(parts)
    assert kills > 1
    train.run(parts, resume=True)
    assert [key for key in EXACT if not training.same(last(whole)[key], last(parts)[key])] == []
    assert training.curve(parts, "train", "train/loss") == training.curve(whole, "train", "train/loss")
    lines, events = parts.events_path().read_bytes().splitlines(), training.events(parts)
    assert len(list(filter(None, lines))) - len(events) <= kills  # a kill tears one line at most
    assert events[-1]["seq"] + 1 - len(events) <= kills


def stamp(made: RunConfig) -> int:
    """When the last checkpoint was written."""
    path = made.checkpoint_path("last")
    return path.stat().st_mtime_ns if path.exists() else 0


@pytest.mark.parametrize("variant", ["ngpt", "ngt"])
def test_the_evaluation_interval_does_not_change_the_trajectory(variant: str, tokens: Path, tmp_path: Path) -> None:
    often = training.tiny(tokens, tmp_path / "often", "eval.interval=1", "eval.at_start=true", "checkpoint.keep=3", variant=variant)
    never = training.tiny(tokens, tmp_path / "never", "eval.interval=0", variant=variant)
    train.run(often)
    train.run(never)
    for key in ("model", "model_raw", "optimizer", "random", "loader"):
        assert training.same(last(often)[key], last(never)[key])
    assert training.curve(often, "train", "train/loss") == training.curve(never, "train", "train/loss")


def test_saved_weights_are_on_the_sphere_and_the_exact_ones_beside_them(tokens: Path, tmp_path: Path) -> None:
    made = training.tiny(tokens, tmp_path, variant="ngpt")
    train.run(made)
    state = last(made)
    changed = state["model_raw"]
    assert changed and all(not torch.equal(value, state["model"][name]) for name, value in changed.items())
    for name, value in state["model"].items():
        if name in changed:
            norms = {dim: (value.norm(dim=dim) - 1).abs().max().item() for dim in (0, 1)}
            assert min(norms.values()) < 1e-6, name


def test_best_stands_in_for_a_damaged_last(
    tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = training.tiny(tokens, tmp_path)
    training.killed_at(monkeypatch, made, 7)
    path = made.checkpoint_path("last")
    path.write_bytes(path.read_bytes()[:-50])
    assert train.run(made, resume=True).step == 10
    assert "another sha256" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("optim.lr=0.02", r"of another configuration: optim\.lr \(0\.01 there, 0\.02 here\)"),
        ("model.hidden=32", r"model\.hidden \(16 there, 32 here\)"),
        ("train.steps=20", r"train\.steps \(10 there, 20 here\)"),
        ("seed=1", r"seed \(42 there, 1 here\)"),
    ],
)
def test_another_configuration_is_refused_with_the_place(change: str, said: str, tokens: Path, tmp_path: Path) -> None:
    train.run(training.tiny(tokens, tmp_path, "train.steps=10"))
    lines = training.tiny(tokens, tmp_path).events_path().read_bytes()
    with pytest.raises(CheckpointError, match=said):
        train.run(training.tiny(tokens, tmp_path, change), resume=True)
    assert training.tiny(tokens, tmp_path).events_path().read_bytes() == lines


def test_a_run_goes_on_in_another_place(tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the same tokens lie elsewhere."""
    whole = training.tiny(tokens, tmp_path / "whole")
    train.run(whole)
    made = training.tiny(tokens, tmp_path / "parts")
    training.killed_at(monkeypatch, made, 7)
    moved = shutil.copytree(tokens, tmp_path / "moved")
    elsewhere = config.override(made, [f"data.folder={moved}", "train.threads=1", "train.timeout=30"])
    assert train.run(elsewhere, resume=True).status == "finished"
    assert training.same(last(whole)["model"], last(made)["model"])


def test_other_validation_tokens_are_refused(tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = training.tiny(tokens, tmp_path)
    training.killed_at(monkeypatch, made, 7)
    state = last(made)
    checkpoint.save(made.checkpoint_path("last"), {**state, "validation": "sha256:" + "0" * 64}, {})
    with pytest.raises(CheckpointError, match="was validated on other tokens than"):
        train.run(made, resume=True)


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """All that lies in it, and when it was written."""
    return {str(p.relative_to(folder)): (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("settings", [("loss.kind=mixed", "eval.test=true"), ("train.target_loss=100", "train.steps=20")])
def test_a_run_that_came_to_its_end_resumes_to_nothing(settings: tuple[str, ...], tokens: Path, tmp_path: Path) -> None:
    made = training.tiny(tokens, tmp_path, "checkpoint.best=false", *settings)
    ended = train.run(made)
    before = files(tmp_path)
    again = train.run(made, resume=True)
    assert again.already and not ended.already
    assert (again.status, again.reason, again.step, again.val_loss) == (ended.status, ended.reason, ended.step, ended.val_loss)
    assert files(tmp_path) == before


def row(made: RunConfig) -> dict[str, str]:
    with open(Path(made.log.results) / made.group / "results.csv", newline="") as f:
        (found,) = csv.DictReader(f)
    return found


def test_a_resume_that_stops_before_its_next_evaluation_keeps_the_last_one(
    tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = training.tiny(tokens, tmp_path, "checkpoint.interval=1")
    training.killed_at(monkeypatch, made, 6)
    real = Session.step

    def stopped(self: Session, stop: bool) -> bool:
        signal.raise_signal(signal.SIGTERM)
        return real(self, stop)

    with monkeypatch.context() as patched:
        patched.setattr(Session, "step", stopped)
        assert train.run(made, resume=True).step == 8
    at = training.curve(made, "eval", "val/loss")
    assert set(at) == {5} and row(made)["final_val_loss"] == row(made)["best_val_loss"] == str(at[5])


def test_a_run_that_was_killed_after_its_last_checkpoint_keeps_its_figures(
    tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = training.tiny(tokens, tmp_path, "loss.kind=mixed")

    def die(self: object) -> None:
        raise training.Killed

    with monkeypatch.context() as patched:
        patched.setattr("ngt_train.train._Run._close", die)
        patched.setattr("ngt_train.journal.Journal.finish", lambda self, *_: self.close())
        with pytest.raises(training.Killed):
            train.run(made)
    assert not train.run(made, resume=True).already
    document = json.loads((tmp_path / "results" / "g" / "run" / "metrics.json").read_text())
    at = training.curve(made, "eval", "val/loss")
    assert (row(made)["final_val_loss"], document["eval"]["eval_ce_loss"]) == (str(at[10]), at[10])
    assert {"eval_loss", "eval_perplexity", "eval_token_acc", "eval_runtime", "epoch"} <= document["eval"].keys()


def test_a_checkpoint_of_old_that_lacks_the_last_values_loads(tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = training.tiny(tokens, tmp_path)
    training.killed_at(monkeypatch, made, 7)
    state = last(made)
    checkpoint.save(made.checkpoint_path("last"), {key: value for key, value in state.items() if key != "latest"}, {})
    assert train.run(made, resume=True).step == 10


def test_nothing_to_resume_from_is_said(tokens: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"there is no checkpoint to resume from: .*run\.pt_last\.pt does not exist"):
        train.run(training.tiny(tokens, tmp_path), resume=True)


def test_a_run_that_is_going_on_is_neither_resumed_nor_overwritten(tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = training.tiny(tokens, tmp_path)
    train.run(made)
    before = files(tmp_path)
    code = f"from ngt_train import runlog; runlog.reopen({str(made.events_path())!r}); print('open', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"open\n"
        for how in ({"resume": True}, {"overwrite": True}, {}):
            with pytest.raises(TrainError, match="is being written by another process"):
                train.run(made, **how)
        other.kill()
    assert files(tmp_path) == before


def test_overwriting_leaves_nothing_of_the_earlier_run(tokens: Path, tmp_path: Path) -> None:
    made = training.tiny(tokens, tmp_path, "eval.test=true", f"log.tensorboard={tmp_path / 'runs'}", "checkpoint.keep=5")
    train.run(made)
    shorter = config.override(made, ["train.steps=3", "eval.test=false", "checkpoint.keep=0"])
    train.run(shorter, overwrite=True)
    assert not (tmp_path / "results" / "g" / "run" / "metrics.json").exists()
    assert not made.checkpoint_path("step_5").exists()
    assert len(list((tmp_path / "runs").rglob("*tfevents*"))) == 1


def test_a_run_that_is_there_is_not_overwritten_unasked(tokens: Path, tmp_path: Path) -> None:
    made = training.tiny(tokens, tmp_path)
    train.run(made)
    with pytest.raises(ConfigError, match=r"run\.jsonl is there already; go on with --resume, start anew with --overwrite"):
        train.run(made)
    train.run(made, overwrite=True)
    assert len(training.events(made, "run_start")) == 1
