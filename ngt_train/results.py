"""What a finished run leaves for tables: its row in results.csv, and for losses with an objective metrics.json and results.md.

results/GROUP/results.csv has a row a run, in the 21 columns of the gated-attention experiments; a run that ends again replaces its
row. Files are replaced whole, one process at a time.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ngt_train.config import RunConfig
from ngt_train.errors import TrainError
from ngt_train.files import make_folder, replacing, why

COLUMNS = (
    "run_id", "date", "git_commit", "seed", "attn_gate", "gate_pos", "gate_act", "learning_rate", "batch_size", "device_batch_size",
    "sequence_length", "num_iterations", "warmdown_iters", "final_val_loss", "best_val_loss", "train_time_ms", "ms_per_step", "gpu_name",
    "n_gpus", "runpod_instance", "notes",
)  # fmt: skip
GATES = {"attn_gate": "gate", "gate_pos": "gate_position", "gate_act": "gate_activation"}  # column -> setting of the model
SECTION = "## Run: "


@dataclass
class Outcome:
    """How a run ended; losses in nats per token, times in seconds of training."""

    status: str
    reason: str | None
    step: int
    elapsed_s: float
    world: int = 1
    gpus: int = 0
    device: str = ""
    git_commit: str | None = None
    final_val: float | None = None
    best_val: float | None = None
    latest: Mapping[str, float | None] = field(default_factory=dict)  # the last value of each metric


# -- results.csv ------------------------------------------------------------------------------------------------------
def row(config: RunConfig, model: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
    """The run's row; model holds the settings of the variant's own Config."""
    sequences = config.train.batch * config.train.accumulation * outcome.world
    return {
        "run_id": config.name, "date": time.strftime("%Y-%m-%d %H:%M:%S"), "git_commit": outcome.git_commit, "seed": config.seed,
        **{column: model.get(setting) for column, setting in GATES.items()},
        "learning_rate": config.optim.lr, "batch_size": sequences, "device_batch_size": config.train.batch,
        "sequence_length": config.data.block, "num_iterations": config.train.steps, "warmdown_iters": config.schedule.warmdown,
        "final_val_loss": outcome.final_val, "best_val_loss": outcome.best_val, "train_time_ms": outcome.elapsed_s * 1000,
        "ms_per_step": outcome.elapsed_s * 1000 / outcome.step if outcome.step else None, "gpu_name": outcome.device,
        "n_gpus": outcome.gpus, "runpod_instance": os.environ.get("RUNPOD_POD_ID", "unknown"),
        "notes": "" if outcome.status == "finished" else ": ".join(filter(None, (outcome.status, outcome.reason))),
    }  # fmt: skip


def write_row(path: Path, values: Mapping[str, Any]) -> None:
    """Add the row to the table, or replace the one with its run_id. TrainError when the file is another table."""
    cells = ["" if values[c] is None else _cell(values[c]) for c in COLUMNS]

    def change(text: str) -> str:
        rows = list(csv.reader(io.StringIO(text)))
        if rows and tuple(rows[0]) != COLUMNS:
            raise TrainError(f"{path} has other columns than a table of ngttrain; move it, or set log.results to another folder")
        kept = [r for r in rows[1:] if r and r[0] != cells[0]]
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([COLUMNS, *kept, cells])
        return out.getvalue()

    _change(path, change)


def _cell(value: Any) -> str:
    """Numbers in full; text on one line, a formula made harmless."""
    if isinstance(value, int | float):
        return str(value)
    text = " ".join(str(value).split())
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


# -- metrics.json, results.md -------------------------------------------------------------------------------------------
def metrics_document(config: RunConfig, outcome: Outcome, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The document of a fine-tuning run: args, eval, test (where there was one), train, and sections of `extra`."""
    epochs = outcome.latest.get("epoch")
    document: dict[str, Any] = {"args": _arguments(config), "global_step": outcome.step, "eval": _split(outcome.latest, "val", epochs)}
    if any(name.startswith("test/") for name in outcome.latest):
        document["test"] = _split(outcome.latest, "test", epochs)
    samples = outcome.step * config.train.batch * config.train.accumulation * outcome.world
    seconds = outcome.elapsed_s
    loss = outcome.latest.get("train/objective", outcome.latest.get("train/loss"))
    train = {"train_runtime": seconds, "train_loss": loss, "epoch": epochs}
    if seconds:
        train |= {"train_samples_per_second": samples / seconds, "train_steps_per_second": outcome.step / seconds}
    return document | {"train": _finite(train), **(extra or {})}


def _arguments(config: RunConfig) -> dict[str, Any]:
    """The settings under the names of the fine-tuning script."""
    mixed, evaluation = config.loss.kind == "mixed", config.eval
    return {
        "model_name": config.model.settings.get("path") or config.model.variant, "dataset_name": config.data.dataset, **config.data.options,
        "block_size": config.data.block, "alpha": config.loss.alpha if mixed else 0.0, "temperature": config.loss.temperature,
        "cos_topk": config.loss.topk, "per_device_train_batch_size": config.train.batch, "per_device_eval_batch_size": config.eval.batch,
        "max_steps": config.train.steps, "learning_rate": config.optim.lr, "weight_decay": config.optim.weight_decay,
        "warmup_ratio": config.schedule.warmup_ratio, "gradient_accumulation_steps": config.train.accumulation,
        "output_dir": f"{config.log.results}/{config.group}/{config.name}", "seed": config.seed,
        "fp16": config.train.precision == "float16",
        **({"semantic_eval_samples": evaluation.semantic, "sbert_model": evaluation.semantic_model} if evaluation.semantic else {}),
    }  # fmt: skip


def _split(latest: Mapping[str, float | None], split: str, epochs: float | None) -> dict[str, float | None]:
    """A split's figures under the names of the fine-tuning script; eval_loss is the objective that was trained."""
    names = {
        "eval_loss": latest.get(f"{split}/objective", latest.get(f"{split}/loss")), "eval_ce_loss": latest.get(f"{split}/loss"),
        "eval_perplexity": latest.get(f"{split}/perplexity"), "eval_token_acc": latest.get(f"{split}/accuracy"),
        "eval_runtime": latest.get(f"{split}/eval_s"), "epoch": epochs,
    }  # fmt: skip
    return _finite(names)


def _finite(values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Without what is unknown; NaN and infinity become null."""
    return {name: value if math.isfinite(value) else None for name, value in values.items() if value is not None}


def write_metrics(folder: Path, document: Mapping[str, Any]) -> None:
    """FOLDER/metrics.json."""
    make_folder(folder, TrainError)
    with replacing(folder / "metrics.json", TrainError) as f:
        f.write(json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n")


def section(document: Mapping[str, Any]) -> str:
    """The run's section of results.md."""
    args, train = document["args"], document["train"]
    lines = [
        f"{SECTION}{args['output_dir']}",
        f"- Model: {args['model_name']}",
        f"- Dataset: {args['dataset_name']}",
        f"- Block size: {args['block_size']} | Alpha: {args['alpha']} | Temp: {args['temperature']} | TopK: {args['cos_topk']}",
        f"- Train steps: {document['global_step']} | Epochs: {train.get('epoch', 'unknown')} | LR: {args['learning_rate']} | "
        f"BS train/eval: {args['per_device_train_batch_size']}/{args['per_device_eval_batch_size']}",
    ]
    for title, part in (("Eval metrics", "eval"), ("Test metrics", "test"), ("Semantic (SBERT)", "semantic")):
        if part in document:
            lines.append(f"- {title}: {json.dumps(document[part])}")
    return "\n".join(lines) + "\n"


def write_section(path: Path, text: str) -> None:
    """Append the section to results.md, or replace the run's earlier one; what people wrote between sections stays."""
    head = text.partition("\n")[0]

    def change(old: str) -> str:
        parts = (old or "# Results\n").replace("\r\n", "\n").split("\n## ")
        kept = [part for part in parts if f"## {part}".partition("\n")[0].rstrip() != head]
        return "\n## ".join(part.rstrip("\n") + "\n" for part in kept) + "\n" + text

    _change(path, change)


# -- files that several processes change ----------------------------------------------------------------------------------
def _change(path: Path, change: Callable[[str], str]) -> None:
    make_folder(path.parent, TrainError)
    with locked(path):
        try:
            old = path.read_bytes().decode("utf-8") if path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            reason = why(error) if isinstance(error, OSError) else "it is not UTF-8"
            raise TrainError(f"{path} cannot be read: {reason}; move it, or set log.results to another folder") from error
        with replacing(path, TrainError) as f:
            f.write(change(old).encode())


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time, by a hidden file beside it that stays; the lock itself ends with its process. No lock on Windows."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with open(path.with_name(f".{path.name}.lock"), "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
