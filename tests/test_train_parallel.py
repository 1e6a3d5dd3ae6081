"""Accumulated micro-batches, and two processes, are one large batch; a rank that dies ends the run, in words."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from ngt_train import checkpoint, train  # noqa: E402
from ngt_train.config import RunConfig  # noqa: E402
from ngt_train.errors import CheckpointError, TrainError  # noqa: E402
from ngt_train.session import Session  # noqa: E402
from tests import training  # noqa: E402

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="starts forked processes")
MIXED = ("loss.kind=mixed", "loss.alpha=0.4", "loss.temperature=0.7", "loss.topk=20", "loss.detach=false")
NO_DROPOUT = {"vanilla": ("model.dropout=0",), "ngt": ("model.dropout=0",), "ngpt": (), "gated": ()}
CASES = [("vanilla", ()), ("vanilla", MIXED), ("ngt", ()), ("ngpt", ()), ("gated", ())]


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training.corpus(tmp_path_factory.mktemp("corpus"))


def state(made: RunConfig) -> dict[str, Any]:
    return checkpoint.load(made.checkpoint_path("last"))


def assert_close(one: RunConfig, other: RunConfig) -> None:
    """Losses and weights of two runs agree to 1e-6, of losses above 1 that part: their last digits hang on the processor."""
    for kind, metric in (("train", "train/loss"), ("train", "grad_norm"), ("eval", "val/loss")):
        assert training.curve(one, kind, metric) == pytest.approx(training.curve(other, kind, metric), rel=1e-6, abs=1e-6)
    a, b = state(one), state(other)
    assert a["tokens"] == b["tokens"]
    for name, value in a["model"].items():
        torch.testing.assert_close(value, b["model"][name], rtol=0, atol=1e-6)


SMOOTH = ("optim.eps=1e-3", "train.steps=5", "eval.interval=5")  # Adam divides by the gradient's size: rounding must not decide a sign


@pytest.mark.parametrize(("variant", "loss"), CASES)
def test_accumulation_is_a_larger_batch(variant: str, loss: tuple[str, ...], tokens: Path, tmp_path: Path) -> None:
    settings = (*SMOOTH, *NO_DROPOUT[variant], *loss)
    whole = training.tiny(tokens, tmp_path / "whole", *settings, "train.batch=8", variant=variant)
    parts = training.tiny(tokens, tmp_path / "parts", *settings, "train.batch=2", "train.accumulation=4", variant=variant)
    train.run(whole)
    train.run(parts)
    assert_close(whole, parts)


def test_targets_that_do_not_count_weigh_nothing(tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Micro-batches with different numbers of tokens: the mean is over tokens, not over batches."""
    from ngt_train.data import Batch, Batches

    real = Batches.__next__

    def ragged(self: Batches) -> Batch:
        inputs, targets = real(self)
        lengths = inputs.sum(1) % 15  # each sequence ends elsewhere
        return Batch(inputs, targets.masked_fill(torch.arange(targets.size(1)) > lengths[:, None], -100))

    monkeypatch.setattr(Batches, "__next__", ragged)
    test_accumulation_is_a_larger_batch("vanilla", MIXED, tokens, tmp_path)


# -- two processes -----------------------------------------------------------------------------------------------------
def rank(number: int, size: int, port: int, made: RunConfig, resume: bool, signal_at: int, said: Any) -> None:
    """One process as torchrun starts it; the last one gets SIGTERM before step `signal_at`."""
    os.environ |= {
        "RANK": str(number),
        "LOCAL_RANK": str(number),
        "WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    torch.set_num_threads(1)
    real = Session.step

    def step(self: Session, stop: bool) -> bool:
        if number == size - 1 and self.progress.step + 1 == signal_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(self, stop)

    Session.step = step  # type: ignore[method-assign]
    try:
        said.put((number, train.run(made, resume=resume).status))
    except TrainError as e:
        said.put((number, f"{type(e).__name__}: {e}"))


class Ranks:
    """Processes that train together."""

    def __init__(self, made: RunConfig, size: int = 2, resume: bool = False, signal_at: int = 0) -> None:
        context = training.forks()
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.said = context.Queue()
        self.processes = [context.Process(target=rank, args=(n, size, port, made, resume, signal_at, self.said)) for n in range(size)]
        for process in self.processes:
            process.start()

    def wait_for(self, made: RunConfig) -> None:
        """Until the first checkpoint is there."""
        while not made.checkpoint_path("last").exists():
            time.sleep(0.005)
            assert all(process.is_alive() for process in self.processes)

    def join(self) -> dict[int, str]:
        """What each rank said at its end; a killed one says nothing."""
        for process in self.processes:
            process.join(60)
            assert process.exitcode is not None, "a rank hangs"
        found = {}
        while not self.said.empty():
            number, text = self.said.get()
            found[number] = text
        return found


@pytest.mark.parametrize(("variant", "loss"), CASES)
def test_two_processes_are_one(variant: str, loss: tuple[str, ...], tokens: Path, tmp_path: Path) -> None:
    settings = (*SMOOTH, *NO_DROPOUT[variant], *loss, "eval.tokens=480")  # an odd number of validation batches
    one = training.tiny(tokens, tmp_path / "one", *settings, "train.batch=4", "train.accumulation=2", variant=variant)
    two = training.tiny(tokens, tmp_path / "two", *settings, "train.batch=2", "train.accumulation=2", variant=variant)
    train.run(one)
    assert Ranks(two).join() == {0: "finished", 1: "finished"}
    assert_close(one, two)
    assert len(training.events(two, "run_start")) == len(training.events(two, "run_end")) == 1


def test_two_ranks_resume_exactly_and_one_may_not(tokens: Path, tmp_path: Path) -> None:
    """A signal to one rank stops both after the same step; with dropout, each has a random state of its own."""
    whole = training.tiny(tokens, tmp_path / "whole")
    parts = training.tiny(tokens, tmp_path / "parts")
    Ranks(whole).join()
    assert Ranks(parts, signal_at=7).join() == {0: "stopped early", 1: "stopped early"}
    assert state(parts)["step"] in (7, 8)
    assert Ranks(parts, resume=True).join() == {0: "finished", 1: "finished"}
    for key in ("model", "optimizer", "random"):
        assert training.same(state(whole)[key], state(parts)[key])
    with pytest.raises(CheckpointError, match="was written by 2 ranks, not 1; resume with as many"):
        train.run(parts, resume=True)


def test_a_dead_rank_ends_the_run_with_a_clear_error(tokens: Path, tmp_path: Path) -> None:
    made = training.tiny(tokens, tmp_path, "train.steps=100000", "eval.interval=0", "checkpoint.interval=5", "train.timeout=30")
    ranks = Ranks(made)
    ranks.wait_for(made)
    os.kill(ranks.processes[1].pid or 0, signal.SIGKILL)
    began = time.monotonic()
    said = ranks.join()
    assert time.monotonic() - began < 60
    assert said.keys() == {0}
    assert re.fullmatch(r"TrainError: rank 0 of 2 lost another rank, which died or hung \(.*\); see its output, .*--resume", said[0])
    assert "third_party" not in said[0]
    (end,) = training.events(made, "run_end")
    assert end["status"] == "crashed" and "lost another rank" in end["reason"]
    assert state(made)["step"] % 5 == 0
