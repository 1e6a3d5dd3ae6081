"""The ways in which a run ends: finished, stopped by a signal, by its target, diverged, crashed; and what it says on the way."""

from __future__ import annotations

import io
import json
import math
import os
import signal
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from ngt_train import checkpoint, config, session, train  # noqa: E402
from ngt_train.config import RunConfig  # noqa: E402
from ngt_train.errors import CheckpointError, DataError, Diverged, TrainError  # noqa: E402
from ngt_train.progress import Bar, clock, short  # noqa: E402
from ngt_train.session import Session  # noqa: E402
from tests import training  # noqa: E402


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training.corpus(tmp_path_factory.mktemp("corpus"))


def before_step(monkeypatch: pytest.MonkeyPatch, step: int, act: Any) -> None:
    """Do something before the step with this number, counted from 1."""
    real = Session.step

    def acting(self: Session, stop: bool) -> bool:
        if self.progress.step == step - 1:
            act(self)
        return real(self, stop)

    monkeypatch.setattr(Session, "step", acting)


def end(made: RunConfig) -> tuple[str, str | None]:
    (event,) = training.events(made, "run_end")
    return event["status"], event["reason"]


def test_a_finished_run_says_so(tokens: Path, tmp_path: Path) -> None:
    made = training.tiny(tokens, tmp_path, "eval.test=true", "eval.samples=1", "eval.prompt=the moon", "eval.at_start=true")
    ended = train.run(made)
    losses = training.curve(made, "eval", "val/loss")
    assert list(losses) == [0, 5, 10] and losses[0] > losses[10] > 0
    assert (ended.status, ended.step, ended.val_loss, ended.best_val) == ("finished", 10, losses[10], min(losses.values()))
    assert end(made) == ("finished", None)
    assert list(training.curve(made, "eval", "test/loss")) == [10]
    (note,) = training.events(made, "note")
    assert note["text"].startswith("sample 1: the moon")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_saves_and_ends_cleanly(name: str, tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = training.tiny(tokens, tmp_path)
    before_step(monkeypatch, 7, lambda session: os.kill(os.getpid(), getattr(signal, name)))
    handlers = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    ended = train.run(made)
    assert (ended.status, ended.step) == ("stopped early", 8)
    assert end(made) == ("stopped early", f"{name} at step 8; --resume goes on")
    assert checkpoint.load(made.checkpoint_path("last"))["step"] == 8
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == handlers
    assert train.run(made, resume=True).step == 10


def test_a_signal_that_is_ignored_stays_ignored(tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As nohup and a shell's background want it."""
    made = training.tiny(tokens, tmp_path)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        before_step(monkeypatch, 3, lambda session: os.kill(os.getpid(), signal.SIGHUP))
        assert train.run(made).status == "finished"
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def in_evaluation(monkeypatch: pytest.MonkeyPatch, step: int, split: str = "val") -> None:
    """Send SIGTERM with the second batch of the evaluation of a split at this step, once."""
    real_measure, real_evaluate, seen = Session._measure, Session.evaluate, []

    def evaluate(self: Session, name: str, *rest: Any) -> dict[str, float]:
        seen[:] = [0] if (self.progress.step, name) == (step, split) and seen != ["sent"] else seen
        return real_evaluate(self, name, *rest)

    def measure(self: Session, *batch: Any) -> Any:
        if seen and seen != ["sent"]:
            seen[0] += 1
            if seen[0] == 2:
                os.kill(os.getpid(), signal.SIGTERM)
                seen[:] = ["sent"]
        return real_measure(self, *batch)

    monkeypatch.setattr(Session, "evaluate", evaluate)
    monkeypatch.setattr(Session, "_measure", measure)


@pytest.mark.parametrize(("step", "split", "evaluated"), [(0, "val", []), (5, "val", [0]), (10, "val", [0, 5]), (10, "test", [0, 5, 10])])
@pytest.mark.parametrize("variant", ["vanilla", "ngpt"])
def test_a_signal_cuts_an_evaluation_short_and_a_resume_makes_up_for_it(
    variant: str, step: int, split: str, evaluated: list[int], tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ("eval.at_start=true", "eval.test=true")
    whole, made = (training.tiny(tokens, tmp_path / name, *settings, variant=variant) for name in ("whole", "cut"))
    train.run(whole)
    with monkeypatch.context() as patched:
        in_evaluation(patched, step, split)
        ended = train.run(made)
    assert (ended.status, ended.step) == ("stopped early", step)
    assert end(made) == ("stopped early", f"SIGTERM at step {step}; --resume goes on")
    assert list(training.curve(made, "eval", "val/loss")) == evaluated
    assert train.run(made, resume=True).status == "finished"
    states = [checkpoint.load(run.checkpoint_path("last")) for run in (whole, made)]
    for key in ("model", "model_raw", "optimizer", "random", "loader", "tokens", "best_val", "best_step", "evaluated", "sums"):
        assert training.same(states[0][key], states[1][key]), key
    for kind, metric in (("eval", "val/loss"), ("eval", "test/loss"), ("train", "train/loss")):
        assert training.curve(made, kind, metric) == training.curve(whole, kind, metric)


def test_a_target_is_reached_in_the_evaluation_that_a_signal_put_off(tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = training.tiny(tokens, tmp_path, "train.target_loss=100")
    with monkeypatch.context() as patched:
        in_evaluation(patched, 5)
        train.run(made)
    ended = train.run(made, resume=True)
    assert (ended.status, ended.step) == ("stopped early", 5) and "reached train.target_loss" in (ended.reason or "")


def test_another_ranks_wish_voids_an_evaluation_here() -> None:
    from contextlib import nullcontext

    from ngt_train import evaluate
    from ngt_train.distributed import World

    class Peers(World):
        def total(self, *values: float) -> list[float]:
            return [*values[:-1], values[-1] + 1]

    batch = torch.zeros(1, 2, dtype=torch.long)
    told: Any = (torch.ones(()),) * 5
    assert evaluate.evaluate(lambda x, y: told, [(batch, batch)], World(), nullcontext())["val/loss"] == 1
    with pytest.raises(evaluate.Abandoned):
        evaluate.evaluate(lambda x, y: told, [(batch, batch)], Peers(), nullcontext())


def test_a_checkpoint_that_knows_nothing_of_cut_evaluations_goes_on(tokens: Path, tmp_path: Path) -> None:
    made = training.tiny(tokens, tmp_path)
    train.run(made)
    state = checkpoint.load(made.checkpoint_path("last"))
    del state["evaluated"], state["config"]["eval"]["semantic"]
    checkpoint.save(made.checkpoint_path("last"), state, {})
    assert train.run(made, resume=True).status == "finished"
    assert list(training.curve(made, "eval", "val/loss")) == [5, 10] and len(training.events(made, "eval")) == 2


def test_the_target_loss_ends_the_run_at_an_evaluation(tokens: Path, tmp_path: Path) -> None:
    whole = training.tiny(tokens, tmp_path / "whole", "eval.interval=1")
    train.run(whole)
    curve = training.curve(whole, "eval", "val/loss")
    made = training.tiny(tokens, tmp_path / "to", "eval.interval=1", f"train.target_loss={curve[4]}")
    ended = train.run(made)
    assert (ended.status, ended.step) == ("stopped early", min(step for step, loss in curve.items() if loss <= curve[4]))
    assert "reached train.target_loss" in (end(made)[1] or "")
    assert checkpoint.load(made.checkpoint_path("last"))["step"] == ended.step


def poison(session: Session) -> None:
    with torch.no_grad():
        session.model.embedding[:] = math.nan


def test_a_diverged_run_names_the_step(tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = training.tiny(tokens, tmp_path)
    before_step(monkeypatch, 7, poison)
    with pytest.raises(Diverged, match="train/loss is NaN at step 7"):
        train.run(made)
    assert end(made) == ("diverged", "train/loss is NaN at step 7")
    assert checkpoint.load(made.checkpoint_path("last"))["step"] == 5


def test_an_infinite_gradient_is_a_divergence_even_between_log_lines(tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = training.tiny(tokens, tmp_path, "log.interval=100")

    def explode(session: Session) -> None:
        session.model.embedding.register_hook(lambda gradient: gradient * math.inf)

    before_step(monkeypatch, 4, explode)
    with pytest.raises(Diverged, match=r"the gradient's norm is (NaN|infinite) at step 4"):
        train.run(made)
    assert end(made)[0] == "diverged"


def test_a_rate_that_is_far_too_high_diverges_by_itself(tokens: Path, tmp_path: Path) -> None:
    made = training.tiny(tokens, tmp_path, "optim.lr=1e30", "train.clip=0", "train.steps=50", "schedule.kind=constant")
    with pytest.raises(Diverged, match=r"(NaN|infinite) at step \d+"):
        train.run(made)
    assert end(made)[0] == "diverged"


def test_an_unforeseen_error_ends_the_log_as_crashed(tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = training.tiny(tokens, tmp_path)

    def fail(session: Session) -> None:
        raise RuntimeError("the bus left")

    before_step(monkeypatch, 3, fail)
    with pytest.raises(RuntimeError):
        train.run(made)
    assert end(made) == ("crashed", "RuntimeError: the bus left")


def test_a_full_disk_ends_the_run_and_keeps_the_last_checkpoint(tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = training.tiny(tokens, tmp_path)

    def fill(session: Session) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(torch, "save", full)

    before_step(monkeypatch, 7, fill)
    with pytest.raises(CheckpointError, match=r"run\.pt_best\.pt cannot be written: no space left on device; free the disk"):
        train.run(made)
    assert end(made)[0] == "crashed"
    assert checkpoint.load(made.checkpoint_path("last"))["step"] == 5


@pytest.mark.parametrize("kind", ["best", "step_10", "last"])
def test_a_kill_between_two_files_of_a_save_leaves_none_stale(
    kind: str, tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = training.tiny(tokens, tmp_path, "checkpoint.keep=5")
    train.run(made)
    whole = {name: checkpoint.load(made.checkpoint_path(name)) for name in ("last", "best", "step_5", "step_10")}
    real = checkpoint._publish

    def publish(temporary: Path, path: Path, facts: Any) -> None:
        real(temporary, path, facts)
        if path == made.checkpoint_path(kind) and made.checkpoint_path("last").exists():
            raise training.Killed

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "_publish", publish)
        with pytest.raises(training.Killed):
            train.run(made, overwrite=True)
    train.run(made, resume=True)
    for name, state in whole.items():
        again = checkpoint.load(made.checkpoint_path(name))
        assert training.same(state["model"], again["model"]) and state["step"] == again["step"], name


@pytest.mark.parametrize(("act", "told"), [("diverge", "diverged"), ("stop", "crashed"), ("", "crashed")])
def test_a_table_that_is_in_the_way_leaves_a_log_with_an_end(
    act: str, told: str, tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = training.tiny(tokens, tmp_path)
    table = tmp_path / "results" / "g" / "results.csv"
    table.parent.mkdir(parents=True)
    table.write_text("another,table\n")
    acts = {"diverge": poison, "stop": lambda session: os.kill(os.getpid(), signal.SIGTERM)}
    before_step(monkeypatch, 4, acts.get(act, lambda session: None))
    with pytest.raises(TrainError, match="train/loss is NaN" if act == "diverge" else "has other columns"):
        train.run(made)
    assert end(made)[0] == told
    assert "has other columns" in training.events(made, "note")[-1]["text"]


def test_the_last_step_is_told_whatever_the_interval(tokens: Path, tmp_path: Path) -> None:
    made = training.tiny(tokens, tmp_path, "log.interval=4")
    train.run(made)
    assert list(training.curve(made, "train", "train/loss")) == [4, 8, 10]


def test_a_tensorboard_folder_that_cannot_be_is_said_before_the_log_begins(tokens: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    made = training.tiny(tokens, tmp_path, f"log.tensorboard={tmp_path / 'taken'}")
    with pytest.raises(TrainError, match=r"taken/g cannot be made or written to; .* or set log\.tensorboard"):
        train.run(made)
    assert not made.events_path().exists()


def test_a_model_larger_than_the_memory_is_no_defect() -> None:
    from ngt_train.commands import sentence

    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 55)
    assert sentence(caught.value).startswith("there is not enough memory; lower train.batch")


def test_the_training_clock_leaves_out_evaluation_and_saving(tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    from ngt_train import evaluate

    real = evaluate.evaluate

    def slow(*given: Any) -> dict[str, float]:
        time.sleep(0.5)
        return real(*given)

    monkeypatch.setattr(evaluate, "evaluate", slow)
    made = training.tiny(tokens, tmp_path, "train.steps=4", "eval.interval=1")
    train.run(made)
    state = checkpoint.load(made.checkpoint_path("last"))
    assert state["wall_s"] - state["elapsed_s"] > 1.9
    assert training.events(made, "run_end")[0]["elapsed_s"] < 1.9


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("variant", ["vanilla", "ngt", "ngpt", "gated"])
def test_half_precisions_learn(precision: str, variant: str, tokens: Path, tmp_path: Path) -> None:
    made = training.tiny(tokens, tmp_path, f"train.precision={precision}", "eval.at_start=true", variant=variant)
    train.run(made)
    losses = training.curve(made, "eval", "val/loss")
    assert losses[10] < losses[0]
    weights = checkpoint.load(made.checkpoint_path("last"))["model"]
    assert {value.dtype for value in weights.values() if value.is_floating_point()} == {torch.float32}


def test_a_hugging_face_model_is_fine_tuned_and_resumed(tokens: Path, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    shape = {"vocab_size": 257, "n_positions": 16, "n_embd": 16, "n_layer": 1, "n_head": 2, "bos_token_id": 256, "eos_token_id": 256}
    transformers.GPT2LMHeadModel(transformers.GPT2Config(**shape)).save_pretrained(tmp_path / "gpt2")
    settings = ("loss.kind=mixed", "eval.at_start=true", "eval.test=true", "model.variant=hf")
    tree = config.to_dict(training.tiny(tokens, tmp_path, *settings))
    made = config.from_dict({**tree, "model": {"variant": f"hf:{tmp_path / 'gpt2'}"}})
    train.run(made)
    losses, objectives = (training.curve(made, "eval", f"val/{name}") for name in ("loss", "objective"))
    assert losses[10] < losses[0] and 0 < objectives[10] < losses[10]
    assert checkpoint.load(made.checkpoint_path("last"))["step"] == 10
    document = json.loads((tmp_path / "results" / "g" / "run" / "metrics.json").read_text())
    assert {"eval", "test", "train"} <= document.keys()


def test_determinism_on_a_gpu_has_the_workspace_that_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it torch refuses every matrix product there."""
    monkeypatch.setattr(os, "environ", {key: value for key, value in os.environ.items() if key != "CUBLAS_WORKSPACE_CONFIG"})
    for assignment, told in (("train.deterministic=false", None), ("train.deterministic=true", ":4096:8")):
        with session.torch_settings(training.tiny(tmp_path, tmp_path, assignment)):
            assert os.environ.get("CUBLAS_WORKSPACE_CONFIG") == told
            assert torch.are_deterministic_algorithms_enabled() == (told is not None)
    assert not torch.are_deterministic_algorithms_enabled()


def test_no_test_split_is_said_before_the_first_step(tmp_path: Path) -> None:
    from ngt_train import prepare

    folder = training.corpus(tmp_path / "a").parent
    prepare.prepare(out=tmp_path / "no_test", dataset="text", path=str(folder / "text"), tokenizer="byte", val=0.1)
    made = training.tiny(tmp_path / "no_test", tmp_path, "eval.test=true")
    with pytest.raises(DataError, match="has no 'test' split"):
        train.run(made)
    assert not made.events_path().exists()


# -- the progress bar ----------------------------------------------------------------------------------------------------
class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_has_step_loss_speed_and_eta(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setenv("COLUMNS", "200")
    bar = Bar("ngt", 1000)
    bar.fact(loss=5.12345)
    assert bar.line(250, 5.0, 1024) == "ngt  250/1000  █████░░░░░░░░░░░░░░░  loss 5.1235  5.12k tok/s  ETA 0:02:30"


def test_a_pipe_has_no_bar(tokens: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    train.run(training.tiny(tokens, tmp_path))
    said = capfd.readouterr()
    assert said.out == "" and "\r" not in said.err and said.err.count("\n") == 2


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999, "999"), (1000, "1.00k"), (12345, "12.3k"), (999_600, "1.00M"), (5e13, "50.0T")]
)
def test_numbers_are_short(number: float, text: str) -> None:
    assert short(number) == text


def test_clocks_have_hours_without_a_bound() -> None:
    assert [clock(s) for s in (0, 61, 3600 * 30 + 5)] == ["0:00:00", "0:01:01", "30:00:05"]
