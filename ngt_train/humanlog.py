"""The log for people: `step 500/15000 train_loss=6.1034 val_loss=6.2517 rep_loss=0.0912 elapsed=617.4s` at every evaluation.

The line of the w3_25m scripts, which ngtreport reads by itself; beside NAME.jsonl it is the same run told twice.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ngt_train.errors import TrainError

SHOWN = {"train/loss": "train_loss", "val/loss": "val_loss", "rep_loss": "rep_loss"}  # in the order of the line
SIZES = {"hidden": "hidden_dim", "coordinates": "coord_dim", "layers": "num_layers", "heads": "num_heads"}


def step_line(step: int, total: int, metrics: Mapping[str, float | None], elapsed_s: float) -> str:
    """The line of an evaluation; metrics that are missing are left out, elapsed_s is the training clock over the whole run."""
    shown = [f"{word}={_figure(metrics[name])}" for name, word in SHOWN.items() if name in metrics]
    return f"step {step}/{total} {' '.join(shown)} elapsed={elapsed_s:.1f}s"


def _figure(value: float | None) -> str:
    return "nan" if value is None else f"{value:.4f}"


def model_line(model: str, sizes: Mapping[str, Any], flags: list[str]) -> str:
    """What is trained: `Model: ngt  hidden_dim=512 num_layers=8 num_heads=8  flags: rsqrt,mass_in_value`."""
    told = " ".join(f"{word}={sizes[name]}" for name, word in SIZES.items() if name in sizes)
    return f"Model: {model}  {told}  flags: {','.join(flags) or '(none)'}"


class HumanLog:
    """NAME.log, appended line by line; a line that a kill tore is ended first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "ab+", buffering=0)  # noqa: SIM115 -- open for the whole run
            if self._file.seek(0, os.SEEK_END):
                self._file.seek(-1, os.SEEK_END)
                if self._file.read(1) != b"\n":
                    self._file.write(b"\n")
        except OSError as error:
            raise TrainError(f"{path} cannot be opened for writing: {error.strerror}; set log.folder to one that can") from error

    def write(self, line: str) -> None:
        """One line, in one write."""
        try:
            self._file.write(line.replace("\n", " ").encode("utf-8", "replace") + b"\n")
        except OSError as error:
            raise TrainError(f"{self.path} cannot be written: {error.strerror}; free the disk and resume the run") from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()
