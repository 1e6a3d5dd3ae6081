"""Runs small enough for a test: a byte corpus made once, models of a few thousand weights, a few steps."""

from __future__ import annotations

import json
import multiprocessing
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
import torch

from ngt_train import config, prepare, train
from ngt_train.config import RunConfig
from ngt_train.session import Session

SIZES: dict[str, dict[str, Any]] = {
    "vanilla": {"layers": 2, "heads": 2, "hidden": 16, "mlp": 32, "dropout": 0.2},
    "ngt": {
        "layers": 2,
        "heads": 2,
        "hidden": 16,
        "mlp": 32,
        "dropout": 0.2,
        "coordinates": 8,
        "head_coordinates": 4,
        "repulsion_interval": 2,
    },
    "ngpt": {"layers": 2, "heads": 2, "hidden": 16, "mlp": 32, "project_every": 3},
    "gated": {"layers": 2, "heads": 2, "hidden": 16, "mlp": 32, "gate": "elementwise"},
}
WORDS = "the moon pulls the sea and the sea pulls the moon while nobody looks at either of them".split()


def corpus(folder: Path) -> Path:
    """Prepared byte tokens of three splits; some 20,000 of them to train on."""
    text = folder / "text"
    text.mkdir(parents=True, exist_ok=True)
    for number in range(40):
        words = [WORDS[(number * 7 + i * i) % len(WORDS)] for i in range(120)]
        (text / f"{number:02d}.txt").write_text(" ".join(words), encoding="utf-8")
    out = folder / "tokens"
    prepare.prepare(out=out, dataset="text", path=str(text), tokenizer="byte", val=0.1, test=0.1)
    return out


def tiny(tokens: Path, out: Path, *assignments: str, variant: str = "vanilla") -> RunConfig:
    """Ten steps on that corpus, all files under `out`."""
    tree = {
        "name": "run",
        "group": "g",
        "model": {"variant": variant, **SIZES[variant]},
        "data": {"dataset": "text", "tokenizer": "byte", "folder": str(tokens), "block": 16},
        "train": {"steps": 10, "batch": 4, "device": "cpu"},
        "optim": {"lr": 1e-2},
        "eval": {"interval": 5, "tokens": 512, "batch": 4},
        "log": {"interval": 1, "folder": str(out / "logs"), "results": str(out / "results")},
        "checkpoint": {"folder": str(out / "checkpoints")},
    }
    return config.override(config.from_dict(tree), assignments)


def events(made: RunConfig, kind: str = "") -> list[dict[str, Any]]:
    """The run's events, or those of a kind; lines that a kill tore are left out."""
    found = map(parsed, made.events_path().read_text(encoding="utf-8").splitlines())
    return [event for event in found if event and (not kind or event["kind"] == kind)]


def parsed(line: str) -> dict[str, Any] | None:
    """The event of a line; None for a torn one."""
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return found


def curve(made: RunConfig, kind: str, metric: str) -> dict[int, float]:
    """The metric at each step, later segments winning."""
    return {event["step"]: event[metric] for event in events(made, kind) if metric in event}


def same(a: Any, b: Any) -> bool:
    """Whether nested containers hold the same bits."""
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return bool(a == b) or (a != a and b != b)


def forks() -> ForkServerContext:
    """Starts processes that have torch loaded: to be killed, or to train together."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch._dynamo", "tests.training", "tests.savers", "ngt_train.train"])
    return context


class Killed(BaseException):
    """Stands for a process that is no more."""


def killed_at(monkeypatch: pytest.MonkeyPatch, made: RunConfig, step: int) -> None:
    """Run until before this step, then vanish; only files remain."""
    real = Session.step

    def dying(self: Session, stop: bool) -> bool:
        if self.progress.step == step:
            raise Killed
        return real(self, stop)

    with monkeypatch.context() as patched:
        patched.setattr(Session, "step", dying)
        with pytest.raises(Killed):
            train.run(made)
