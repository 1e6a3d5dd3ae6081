"""All that one run tells: events, the log for people, TensorBoard files, and at its end the rows and documents of results.py."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ngt_train import config as configuration
from ngt_train import provenance, results, runlog
from ngt_train.config import RunConfig
from ngt_train.errors import TrainError
from ngt_train.humanlog import HumanLog, model_line, step_line
from ngt_train.runlog import Metrics
from ngt_train.tensorboard import TensorBoardLog

CANONICAL = {  # settings that reports know by a name of their own (docs/metrics.md)
    "optim.lr": "learning_rate", "data.block": "sequence_length", "train.batch": "device_batch_size", "train.accumulation": "accumulation",
    "model.vocab_size": "vocab_size", "model.layers": "layers", "model.hidden": "hidden", "model.heads": "heads",
    "model.dropout": "dropout",
}  # fmt: skip
ELSEWHERE = {  # settings that run_start tells in other fields, that say where files go, or what is measured when all is trained
    "data": ("dataset", "tokenizer", "folder"), "train": ("steps", "epochs", "precision", "device"), "model": ("variant", "block"),
    "eval": ("tokens", "test", "samples", "prompt", "semantic", "semantic_model", "semantic_tokens"),
}  # fmt: skip
SECTIONS = ("model", "data", "loss", "optim", "schedule", "train", "eval")
SIZES = ("vocab_size", "block", "layers", "hidden", "heads", "mlp", "dropout", "coordinates", "head_coordinates")


@dataclasses.dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands: optimizer steps, training tokens, seconds of training, best validation loss, the last value of each metric."""

    step: int = 0
    tokens: int = 0
    elapsed_s: float = 0.0
    best_val: float | None = None  # nats
    latest: Mapping[str, float | None] = dataclasses.field(default_factory=dict)


class Journal:
    """One run's records, kept by rank 0; `Silent` stands in on the others."""

    def __init__(
        self, config: RunConfig, model: Any, *, device: str = "cpu", world: int = 1, at: Position = Position(), resumed_from: str = "",
        **facts: Any,
    ) -> None:  # fmt: skip
        """Open the files and write the start of a segment.

        Args:
            config: resolved: `train.steps` is where the run is to end.
            model: the variant's own Config.
            device: as torch names it. world: processes that train.
            at: where the run goes on from `resumed_from`, a checkpoint.
            facts: further fields of run_start: params, val_tokens, dataset_fingerprint, tokenizer_fingerprint.

        Raises:
            TrainError: a file cannot be written.
        """
        self.config, self.model, self.world = config, dataclasses.asdict(model), world
        self.hardware, self.gpus = provenance.hardware(device, world), 0 if device == "cpu" else world
        self.commit, changes = provenance.code_state()
        self.latest: dict[str, float | None] = dict(at.latest)
        self.best_val, self.final_val = at.best_val, self.latest.get("val/loss")
        self.step, self.elapsed_s = at.step, at.elapsed_s
        start = {
            "total_steps": config.train.steps, "model": config.model.variant, "flags": flags_of(model), "dataset": config.data.dataset,
            "tokenizer": configuration.tokenizer_label(config.data), "precision": config.train.precision, "hardware": self.hardware,
            "git_commit": self.commit, "git_diff": changes, "versions": provenance.versions(), **facts,
        }  # fmt: skip
        where = config.events_path()
        told = recorded(config, self.model, world)
        self.log = runlog.init(where, config.name, told, config.seed, at.step, at.tokens, at.elapsed_s, **start)
        self.human = HumanLog(where.with_suffix(".log")) if config.log.human else None
        board = config.log.tensorboard
        self.board = TensorBoardLog(Path(board) / config.group / config.name, at.step) if board else None
        self._say(f"Resuming from {resumed_from} (iter={at.step})" if resumed_from else "")
        self._say(model_line(config.model.variant, self.model, flags_of(model)))

    best_val: float | None
    final_val: float | None

    def train(self, metrics: Metrics, step: int, tokens: int, elapsed_s: float) -> None:
        """What the training batches since the last call gave; RunLog.train says more."""
        self.log.train(metrics, step, tokens, elapsed_s)
        self._note_down(metrics, step, elapsed_s)

    def eval(self, metrics: Metrics, step: int, tokens: int, elapsed_s: float) -> None:
        """What an evaluation gave: `val/loss` is the cross-entropy; a line for people when it is among the metrics."""
        # how long it took is no result of the split
        self.log.eval({"eval_s" if k.endswith("/eval_s") else k: v for k, v in metrics.items()}, step, tokens, elapsed_s)
        self._note_down(metrics, step, elapsed_s)
        if "val/loss" in metrics:
            loss = self.final_val = metrics["val/loss"]
            if loss is not None and loss == loss and (self.best_val is None or loss < self.best_val):
                self.best_val = loss
            self._say(step_line(step, self.config.train.steps, self.latest, elapsed_s))

    def checkpoint(
        self, kind: str, path: str | os.PathLike[str], step: int, tokens: int | None = None, elapsed_s: float | None = None,
        size: int | None = None, best_val: float | None = None, best_step: int | None = None,
    ) -> None:  # fmt: skip
        """A checkpoint of `size` bytes was saved; kind is best, last or step."""
        self.log.checkpoint(kind, path, step, tokens, elapsed_s, size, best_val, best_step)
        self._say(f"saved checkpoint to {Path(path).as_posix()}")

    def coords(
        self, layer: int, token_labels: Sequence[str], positions: Sequence[int], masses: Sequence[float], coordinates: Sequence[Any],
        step: int, tokens: int | None = None, elapsed_s: float | None = None,
    ) -> None:  # fmt: skip
        """Where a layer puts the tokens of a text; RunLog.coords says more."""
        self.log.coords(layer, token_labels, positions, masses, coordinates, step, tokens, elapsed_s)

    def note(self, text: str, severity: str = "info", step: int | None = None) -> None:
        """A remark for the report and for people."""
        self.log.note(text, severity, step)
        self._say(f"{'note' if severity == 'info' else severity}: {text}")

    def finish(self, status: str = "finished", reason: str | None = None, extra: Mapping[str, Any] | None = None) -> None:
        """The end: results first, run_end last, so that a run that finished has its row. `extra` are sections of metrics.json."""
        outcome = results.Outcome(
            status, reason, self.step, self.elapsed_s, self.world, self.gpus, self.hardware, self.commit,
            self.final_val, self.best_val, self.latest,
        )  # fmt: skip
        try:
            self._tabulate(outcome, extra)
        except TrainError as e:
            if status not in ("crashed", "diverged"):
                raise
            self.note(str(e), "warning", self.step)  # the log says how it ended all the same
        if status != "finished":
            self._say(f"{status}: {reason}" if reason else status)
        self.log.finish(status, reason)
        self.close()

    def _tabulate(self, outcome: results.Outcome, extra: Mapping[str, Any] | None) -> None:
        """The run's row, and of a finished one the documents that its kind has."""
        folder = Path(self.config.log.results) / self.config.group
        results.write_row(folder / "results.csv", results.row(self.config, self.model, outcome))
        if outcome.status == "finished" and (self.config.loss.kind == "mixed" or self.config.eval.test or extra):
            document = results.metrics_document(self.config, outcome, extra)
            results.write_metrics(folder / self.config.name, document)
            results.write_section(folder / "results.md", results.section(document))

    def close(self) -> None:
        """Close the files without a run_end: the run is to go on later."""
        self.log.close()
        for file in (self.human, self.board):
            if file is not None:
                file.close()

    def _note_down(self, metrics: Metrics, step: int, elapsed_s: float) -> None:
        self.step, self.elapsed_s = step, elapsed_s
        self.latest.update(metrics)
        if self.board is not None:
            self.board.write(metrics, step)

    def _say(self, line: str) -> None:
        if self.human is not None and line:
            self.human.write(line)


class Silent:
    """A Journal's stand-in on ranks that write nothing."""

    def _nothing(self, *_: Any, **__: Any) -> None:
        """Nothing."""

    train = eval = checkpoint = coords = note = finish = close = _nothing


def flags_of(model: Any) -> list[str]:
    """What differs from the defaults of a variant's Config, sizes aside: `mass_in_value`, `cutoff=soft`."""
    flags = []
    for field in dataclasses.fields(model):
        value = getattr(model, field.name)
        if field.name in SIZES or field.default is dataclasses.MISSING or value == field.default:
            continue
        flags.append(field.name if value is True else f"no_{field.name}" if value is False else f"{field.name}={value}")
    return flags


def recorded(config: RunConfig, model: Mapping[str, Any], world: int) -> dict[str, Any]:
    """The settings of run_start: nested, those that reports know by a name of their own at the top.

    Name, seed and paths are not among them: runs that differ in nothing else are repeats or seeds of one configuration.
    """
    tree = configuration.to_dict(config) | {"model": model}
    if config.loss.kind == "cross_entropy":
        tree["loss"] = {"kind": config.loss.kind}  # the rest is not used
    out: dict[str, Any] = {"batch_size": config.train.batch * config.train.accumulation * world}
    for section in SECTIONS:
        for key, value in tree[section].items():
            if name := CANONICAL.get(f"{section}.{key}"):
                out[name] = value
            elif key not in ELSEWHERE.get(section, ()):
                out.setdefault(section, {})[key] = value
    return out
