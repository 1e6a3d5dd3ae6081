"""What became of a sweep's runs, read from their event logs: a row each, a ranked summary."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ngt_train import config as configuration
from ngt_train.config import RunConfig
from ngt_train.experiments import Experiment
from ngt_train.files import make_folder, replacing

Row = dict[str, Any]
DONE = ("finished", "stopped early", "diverged")
ADDED = ("coords", "note")  # events that may come after the end, of an earlier step
TO_GO_ON = "--resume"  # in the reason of a run that a signal stopped
FLAGS = ("model", "data", "loss", "optim", "schedule", "train")  # sections whose settings are flags of an experiment
REFERENCE = {
    "optim.lr": "lr",
    "train.batch": "batch_size",
    "train.steps": "steps",
    "model.variant": "model",
    "model.layers": "n_layer",
    "model.hidden": "n_embd",
}


def row(experiment: Experiment, number: int, failure: str | None = None) -> Row:
    """One experiment as a row: its name, all its flags, its results; `failure` says why it has none.

    Losses in nats per token, time_seconds of training, tokens_per_sec over the whole run; null for what is unknown or not finite.
    """
    run = experiment.run
    told = _Log(run.events_path())
    end = told.end if failure is None else {"status": "failed", "reason": failure}
    first, last = _ends(told.train, "train/loss")
    _, val = _ends(told.evaluations, "val/loss")
    losses = [(event["val/loss"], event["step"]) for event in told.evaluations if _number(event.get("val/loss")) is not None]
    best, best_step = min(losses, default=(None, None))
    seconds, tokens = told.last.get("elapsed_s"), told.last.get("tokens")
    found: Row = {
        "name": run.name, "round": number, "status": end.get("status", "incomplete"), "reason": end.get("reason"), "seed": run.seed,
        **flags(run), "steps": told.start.get("total_steps") or run.train.steps, "n_params": told.start.get("params"),
        "final_step": told.last.get("step"), "final_train_loss": last,
        "val_loss": val, "best_val_loss": best, "best_step": best_step,
        "train_loss_reduction": (first - last) / first * 100 if first and last is not None else None,
        "time_seconds": seconds, "tokens_per_sec": tokens / seconds if tokens and seconds else None,
    }  # fmt: skip
    if (target := run.train.target_loss) is not None:
        reached = next((e for e in told.evaluations if (v := _number(e.get("val/loss"))) is not None and v <= target), None)
        found |= {"target_loss": target, "reached_target": reached is not None, "time_to_target": reached["elapsed_s"] if reached else None}
    return found


def is_done(run: RunConfig) -> bool:
    """Whether a run's log says that it came to its own end: finished, reached its target, or diverged."""
    end = _Log(run.events_path()).end
    return end.get("status") in DONE and TO_GO_ON not in (end.get("reason") or "")


def last_end(path: Path) -> Row:
    """The run_end of a log; empty where the run has not ended, or went on after it."""
    return _Log(path).end


def flags(run: RunConfig) -> Row:
    """All settings, flat: by the names of the published sweeps, by their last word where that is unique, else with their section."""
    tree = configuration.to_dict(run)
    if run.loss.kind == "cross_entropy":
        tree["loss"] = {"kind": run.loss.kind}  # the rest is not used
    found = {f"{section}.{key}": value for section in FLAGS for key, value in tree[section].items()}
    words = [key.rpartition(".")[2] for key in found]
    return {
        REFERENCE.get(key) or (word if words.count(word) == 1 else key.replace(".", "_")): found[key]
        for key, word in zip(found, words, strict=True)
    }


class _Log:
    """What a row needs of an event log: of the events that count, those of a resumed run before its resume superseded."""

    def __init__(self, path: Path) -> None:
        self.start: Row = {}
        self.end: Row = {}
        self.last: Row = {}
        self.train: list[Row] = []
        self.evaluations: list[Row] = []
        for line in path.read_bytes().splitlines() if path.exists() else ():
            try:
                event = json.loads(line)
            except ValueError:  # torn by a kill
                continue
            if isinstance(event, dict):
                self._take(event)

    def _take(self, event: Row) -> None:
        kind = event.get("kind")
        if kind == "run_start":
            self.start, self.end = event, {}
            self.train, self.evaluations = ([e for e in events if e["step"] <= event["step"]] for events in (self.train, self.evaluations))
        elif kind == "run_end":
            self.end = event
        elif kind in ("train", "eval"):
            (self.train if kind == "train" else self.evaluations).append(event)
        if isinstance(event.get("step"), int) and kind not in ADDED:
            self.last = event


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def _ends(events: Sequence[Row], name: str) -> tuple[float | None, float | None]:
    """The first and the last value of a metric."""
    values = [_number(event[name]) for event in events if name in event]
    return (values[0], values[-1]) if values else (None, None)


# -- all rows --------------------------------------------------------------------------------------------------------------
def ranked(rows: Sequence[Row]) -> list[Row]:
    """Rows by their final validation loss, those without one last."""
    return sorted(rows, key=lambda r: math.inf if r["val_loss"] is None else r["val_loss"])


def winners(experiments: Sequence[Experiment], rows: Mapping[str, Row]) -> Row:
    """The best value of each variable that was varied alone; the base's where none is better than the base."""
    losses = {name: row["val_loss"] for name, row in rows.items() if row["val_loss"] is not None}
    best: dict[str, tuple[float, Any]] = {}
    for experiment in experiments:
        if experiment.variable is None or experiment.name not in losses:
            continue
        limit = best.get(experiment.variable, (losses.get("base", math.inf),))[0]
        if losses[experiment.name] < limit:
            best[experiment.variable] = (losses[experiment.name], experiment.value)
    return {variable: value for variable, (_, value) in best.items()}


def write(folder: Path, group: str, rows: Sequence[Row], winning: Mapping[str, Any]) -> None:
    """results.jsonl, a row an experiment, and summary.json, ranked; both replaced whole."""
    make_folder(folder)
    with replacing(folder / "results.jsonl") as f:
        f.write("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows).encode())
    order = ranked([r for r in rows if r["val_loss"] is not None])
    speeds = [r["tokens_per_sec"] for r in order if r["tokens_per_sec"]]
    summary = {
        "sweep": group, "total_experiments": len(rows), "without_result": [r["name"] for r in rows if r["val_loss"] is None],
        "best_val_loss": order[0]["val_loss"] if order else None, "best_result": order[0] if order else None, "winners": dict(winning),
        "top_5_results": order[:5], "all_results_ranked": order,
        "analysis": {
            "val_loss_range": [order[0]["val_loss"], order[-1]["val_loss"]] if order else None,
            "throughput_range": [min(speeds), max(speeds)] if speeds else None,
        },
    }  # fmt: skip
    with replacing(folder / "summary.json") as f:
        f.write(json.dumps(summary, indent=2, ensure_ascii=False).encode() + b"\n")
