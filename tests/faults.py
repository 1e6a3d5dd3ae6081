"""Projects with one planted fault each: what the audit must find. A healthy project is made first; a fault changes one thing of it."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests import torch_zip

TOTAL, EVERY, BATCH, LENGTH = 4000, 100, 16, 128
NAMES = ("vanilla", "alpha", "beta", "gamma")


@dataclass
class Curve:
    """One run: its head, the columns of its log, and what the other files say of it."""

    name: str
    seed: int
    head: dict[str, Any]
    step: list[int]
    train: list[float]
    val: list[float]
    clock: list[float]
    tokens: list[int]
    tail: list[str] = field(default_factory=list)
    row: dict[str, Any] = field(default_factory=dict)
    best: dict[str, Any] = field(default_factory=dict)
    windows: list[int] = field(default_factory=list)  # validation tokens, where the log prints them

    def line(self, i: int) -> str:
        rate = self.tokens[i] / self.clock[i] if self.clock[i] > 0 else 0
        return (
            f"step {self.step[i]}/{self.head['total']} train_loss={self.train[i]:.4f} val_loss={self.val[i]:.4f} "
            + (f"val_tokens={self.windows[i]} " if self.windows else "")
            + f"tokens={self.tokens[i]} tok/s={self.head.get('rate', rate):.1f} elapsed={self.clock[i]:.1f}s"
        )

    def text(self) -> str:
        head = [f"{k}: {v}" for k, v in self.head.items() if k not in ("total", "rate")]
        body = [self.line(i) for i in range(len(self.step))]
        return "\n".join([*head, *body, *self.tail]) + "\n"


@dataclass
class Project:
    """Runs and files that are written below a folder."""

    curves: list[Curve]
    files: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def write(self, folder: Path) -> Path:
        for curve in self.curves:
            put(folder / f"logs/g/{curve.name}.log", curve.text())
            path = folder / f"checkpoints/g/{curve.name}_best.pt"
            path.parent.mkdir(parents=True, exist_ok=True)
            torch_zip.save(path, curve.best)
        table = io.StringIO()
        rows = [c.row for c in self.curves if c.row] + self.rows
        writer = csv.DictWriter(table, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        put(folder / "results/g/results.csv", table.getvalue())
        put(folder / "results/g/summary.json", json.dumps(self.summary()))
        for name, text in self.files.items():
            put(folder / name, text)
        return folder / "logs" / "g"

    def summary(self) -> dict[str, Any]:
        listed = [{"run": c.name, "seed": c.seed, "val_loss": min(c.val)} for c in self.curves]
        return {"best_val_loss": min(r["val_loss"] for r in listed), "all_results": listed}


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def healthy(dice: Random) -> Project:
    """Four finished runs whose files agree, with noise on the curves and the clock."""
    return Project([_curve(name, dice) for name in NAMES])


def _curve(name: str, dice: Random) -> Curve:
    end, seconds = dice.uniform(3.2, 4.2), dice.uniform(5, 20)
    n = TOTAL // EVERY
    step = [EVERY * i for i in range(1, n + 1)]
    val = [round(end + 3 * math.exp(-4 * i / n) - 3 * math.exp(-4) + dice.gauss(0, 0.003), 4) for i in range(1, n + 1)]
    train = [round(v - 0.1 + dice.gauss(0, 0.02), 4) for v in val]
    clock, at = [], 0.0
    for _ in step:
        at += seconds * dice.uniform(0.97, 1.03)
        clock.append(round(at, 1))
    seed = dice.randrange(1, 10**6)
    head = {
        "total": TOTAL,
        "seed": seed,
        "model": name,
        "dataset": "wikitext103",
        "batch_size": BATCH,
        "seq_len": LENGTH,
        "val_tokens": 204800,
    }
    curve = Curve(name, seed, head, step, train, val, clock, [s * BATCH * LENGTH for s in step])
    best = min(range(n), key=lambda i: val[i])
    curve.row = {
        "run": name, "seed": seed, "best_val_loss": val[best], "final_val_loss": val[-1], "total_steps": TOTAL, "train_time_s": clock[-1],
        "batch_size": BATCH,
    }  # fmt: skip
    curve.best = {"step": step[best], "best_val": val[best], "config": {"seed": seed}}
    return curve


# -- the faults: kind(s) of finding that must appear, and how it is planted --------------------------------------------
Plant = Callable[[Project, Curve, Random], None]
FAULTS: dict[str, tuple[tuple[str, ...], Plant]] = {}


def fault(*kinds: str) -> Callable[[Plant], Plant]:
    def register(plant: Plant) -> Plant:
        FAULTS[plant.__name__] = (kinds, plant)
        return plant

    return register


@fault("contradiction")
def best_in_the_table(project: Project, curve: Curve, dice: Random) -> None:
    curve.row["best_val_loss"] = round(curve.row["best_val_loss"] - dice.uniform(0.01, 0.3), 4)


@fault("contradiction")
def last_in_the_table(project: Project, curve: Curve, dice: Random) -> None:
    curve.row["final_val_loss"] = round(curve.row["final_val_loss"] + dice.uniform(0.01, 0.3), 4)


@fault("contradiction")
def best_in_the_checkpoint(project: Project, curve: Curve, dice: Random) -> None:
    curve.best["best_val"] = round(curve.best["best_val"] - dice.uniform(0.01, 0.3), 4)


@fault("contradiction")
def step_in_the_checkpoint(project: Project, curve: Curve, dice: Random) -> None:
    curve.best["step"] = EVERY * dice.randrange(3, 10)


@fault("beyond_log", "contradiction")
def checkpoint_beyond_the_log(project: Project, curve: Curve, dice: Random) -> None:
    curve.best |= {"step": TOTAL + EVERY * dice.randrange(1, 9), "best_val": curve.best["best_val"] - 0.1}


@fault("contradiction")
def seed_in_the_table(project: Project, curve: Curve, dice: Random) -> None:
    curve.row["seed"] = curve.seed + dice.randrange(1, 50)


@fault("contradiction")
def seed_in_the_checkpoint(project: Project, curve: Curve, dice: Random) -> None:
    curve.best["config"] = {"seed": curve.seed + dice.randrange(1, 50)}


@fault("contradiction")
def total_in_the_table(project: Project, curve: Curve, dice: Random) -> None:
    curve.row["total_steps"] = TOTAL - EVERY * dice.randrange(1, 9)


@fault("contradiction")
def setting_in_the_table(project: Project, curve: Curve, dice: Random) -> None:
    curve.row["batch_size"] = BATCH * dice.choice((2, 4, 8))


@fault("contradiction")
def time_in_the_table(project: Project, curve: Curve, dice: Random) -> None:
    curve.row["train_time_s"] = round(curve.row["train_time_s"] * dice.uniform(0.3, 0.9), 1)


@fault("contradiction")
def best_that_the_log_states(project: Project, curve: Curve, dice: Random) -> None:
    curve.tail.append(f"best_val_loss: {min(curve.val) - dice.uniform(0.01, 0.3):.4f}")


@fault("contradiction")
def best_of_the_summary(project: Project, curve: Curve, dice: Random) -> None:
    found = project.summary()
    project.files["results/g/summary.json"] = json.dumps(found | {"best_val_loss": found["best_val_loss"] - dice.uniform(0.01, 0.2)})


@fault("contradiction")
def curve_in_a_table(project: Project, curve: Curve, dice: Random) -> None:
    rows = [f"{curve.name},{s},{v:.4f}" for s, v in zip(curve.step, curve.val, strict=True)]
    i = dice.randrange(5, len(rows))
    rows[i] = f"{curve.name},{curve.step[i]},{curve.val[i] + dice.uniform(0.01, 0.2):.4f}"
    project.files["results/g/curves.csv"] = "\n".join(["run,step,val_loss", *rows]) + "\n"


@fault("missing_row")
def run_in_no_table(project: Project, curve: Curve, dice: Random) -> None:
    curve.row = {}


@fault("missing_log")
def row_without_a_log(project: Project, curve: Curve, dice: Random) -> None:
    project.rows.append(curve.row | {"run": "delta", "seed": curve.seed + 1, "best_val_loss": 3.0, "final_val_loss": 3.0})


@fault("duplicate_name", "contradiction", "duplicate_row")
def row_twice(project: Project, curve: Curve, dice: Random) -> None:
    project.rows.append(dict(curve.row))


@fault("repeated", "same_curve")
def log_under_two_names(project: Project, curve: Curve, dice: Random) -> None:
    project.files["logs/g/epsilon.log"] = curve.text().replace(f"seed: {curve.seed}", f"seed: {curve.seed + 7}")


@fault("changed")
def validation_window_that_changes(project: Project, curve: Curve, dice: Random) -> None:
    curve.windows = [204800] * len(curve.step)
    i = dice.randrange(10, 30)
    curve.windows[i:] = [204800 // dice.choice((2, 4, 10))] * (len(curve.step) - i)


@fault("clock")
def clock_that_falls(project: Project, curve: Curve, dice: Random) -> None:
    i = dice.randrange(10, 30)
    back = (curve.clock[i] - curve.clock[i - 1]) + dice.uniform(0.1, 0.5) * curve.clock[i]
    curve.clock[i:] = [round(c - back, 1) for c in curve.clock[i:]]


@fault("clock")
def clock_that_stands_still(project: Project, curve: Curve, dice: Random) -> None:
    i = dice.randrange(10, 25)
    curve.clock[i : i + 6] = [curve.clock[i]] * 6


@fault("clock", "throughput_drop")
def clock_that_leaps(project: Project, curve: Curve, dice: Random) -> None:
    i = dice.randrange(10, 30)
    pause = curve.clock[-1] * dice.uniform(0.5, 3)
    curve.clock[i:] = [round(c + pause, 1) for c in curve.clock[i:]]
    curve.row["train_time_s"] = curve.clock[-1]


@fault("throughput_drop")
def throughput_that_drops(project: Project, curve: Curve, dice: Random) -> None:
    i, factor = dice.randrange(10, 30), dice.uniform(1.6, 4)
    base = curve.clock[i]
    curve.clock[i:] = [round(base + (c - base) * factor, 1) for c in curve.clock[i:]]
    curve.row["train_time_s"] = curve.clock[-1]


@fault("tokens")
def tokens_beyond_throughput(project: Project, curve: Curve, dice: Random) -> None:
    factor = dice.uniform(2, 20)
    curve.head["rate"] = curve.tokens[-1] / curve.clock[-1] / factor


@fault("tokens")
def tokens_beyond_the_batches(project: Project, curve: Curve, dice: Random) -> None:
    factor = dice.choice((2, 4, 8, 100))
    curve.tokens = [t * factor for t in curve.tokens]


@fault("incomplete")
def run_that_is_shorter_than_declared(project: Project, curve: Curve, dice: Random) -> None:
    n = dice.randrange(10, 35)
    for column in (curve.step, curve.train, curve.val, curve.clock, curve.tokens):
        del column[n:]
    curve.row = {}


@fault("beyond_total", "contradiction")
def run_that_goes_on_beyond_its_total(project: Project, curve: Curve, dice: Random) -> None:
    curve.head["total"] = TOTAL - EVERY * dice.randrange(3, 9)
    curve.row["total_steps"] = curve.head["total"]


@fault("spike")
def spike_in_validation(project: Project, curve: Curve, dice: Random) -> None:
    i = dice.randrange(8, 38)
    curve.val[i] = round(curve.val[i] + dice.uniform(0.3, 3), 4)


@fault("spike")
def spike_in_training(project: Project, curve: Curve, dice: Random) -> None:
    i = dice.randrange(8, 38)
    curve.train[i] = round(curve.train[i] + dice.uniform(0.5, 4), 4)


@fault("plateau")
def plateau(project: Project, curve: Curve, dice: Random) -> None:
    n = dice.randrange(12, 20)
    curve.val[n:] = [round(curve.val[n] + abs(dice.gauss(0, 0.002)), 4) for _ in curve.val[n:]]
    _agree(curve)


@fault("diverged", "not_finite")
def divergence(project: Project, curve: Curve, dice: Random) -> None:
    n = dice.randrange(20, 30)
    curve.val[n:] = [round(curve.val[n] + 0.15 * (i + 1), 4) for i, _ in enumerate(curve.val[n:])]
    _agree(curve)


@fault("diverged", "not_finite")
def loss_that_is_no_number(project: Project, curve: Curve, dice: Random) -> None:
    n = dice.randrange(20, 35)
    _agree(curve, n)
    curve.row = {}
    curve.val[n:] = [math.nan] * len(curve.val[n:])


@fault("gap")
def evaluations_that_are_missing(project: Project, curve: Curve, dice: Random) -> None:
    at = dice.randrange(10, 25)
    for column in (curve.step, curve.train, curve.val, curve.clock, curve.tokens):
        del column[at : at + 4]
    _agree(curve)


@fault("crashed")
def traceback_at_the_end(project: Project, curve: Curve, dice: Random) -> None:
    run_that_is_shorter_than_declared(project, curve, dice)
    curve.tail += ["Traceback (most recent call last):", '  File "train.py", line 9, in step', "RuntimeError: CUDA out of memory"]


@fault("impossible")
def loss_below_zero(project: Project, curve: Curve, dice: Random) -> None:
    curve.val[dice.randrange(5, 35)] = -round(dice.uniform(0.1, 3), 4)
    _agree(curve)


@fault("bad_lines", "unreadable_value", "truncated", "gap")
def line_that_is_torn(project: Project, curve: Curve, dice: Random) -> None:
    i = dice.randrange(10, 30)
    text = curve.text().splitlines()
    at = next(k for k, line in enumerate(text) if line.startswith(f"step {curve.step[i]}/"))
    text[at] = text[at][: text[at].index("val_loss=") + 11] + "\x00" * 9
    project.files[f"logs/g/{curve.name}.log"] = "\n".join(text) + "\n"


def _agree(curve: Curve, n: int | None = None) -> None:
    """The other files say what the changed log says."""
    best = min(range(n or len(curve.val)), key=lambda i: curve.val[i])
    if curve.row:
        curve.row |= {"best_val_loss": curve.val[best], "final_val_loss": curve.val[-1]}
    curve.best |= {"step": curve.step[best], "best_val": curve.val[best]}
