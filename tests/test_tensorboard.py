"""Our TensorBoard event files: what is written is what a checking reader reads back."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngt_report.files import InputFile
from ngt_report.sources import tfevents
from ngt_report.waist import Reading
from ngt_train.errors import TrainError
from ngt_train.tensorboard import TensorBoardLog


def read(path: Path) -> Reading:
    return tfevents.read(InputFile(str(path), path.name, path.stat().st_size, 0))


def points(path: Path) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for block in read(path).blocks:
        for name, column in block.columns.items():
            found.setdefault(name, []).extend(zip(block.step, column.values, strict=True))
    return found


@given(st.lists(st.tuples(st.integers(0, 2**40), st.floats(width=32, allow_nan=False)), min_size=1, max_size=20, unique_by=lambda p: p[0]))
def test_any_scalars_come_back(tmp_path_factory: pytest.TempPathFactory, values: list[tuple[int, float]]) -> None:
    log = TensorBoardLog(tmp_path_factory.mktemp("board"))
    for step, value in sorted(values):
        log.write({"train/loss": value, "val/loss": None}, step)
    log.close()
    assert points(log.path) == {"train/loss": sorted(values)}
    assert read(log.path).bad == []


def test_values_beyond_float32_and_nan_are_kept_as_such(tmp_path: Path) -> None:
    log = TensorBoardLog(tmp_path)
    log.write({"val/loss": 1e300, "train/loss": math.nan, "lr": 0.1}, 1)
    log.close()
    found = points(log.path)
    assert found["val/loss"] == [(1, math.inf)] and math.isnan(found["train/loss"][0][1])
    assert found["lr"] == [(1, float(np.float32(0.1)))]


def test_a_resumed_run_supersedes_what_is_after_its_step(tmp_path: Path) -> None:
    """TensorBoard drops the step of a START and later ones; the value at the checkpoint's own step is to stay."""
    log = TensorBoardLog(tmp_path, step=50)
    log.write({"val/loss": 4.0}, 60)
    log.close()
    assert b"\x10\x33\x3a\x02\x08\x01" in log.path.read_bytes()  # step 51, session_log {status: START}
    assert points(log.path) == {"val/loss": [(60, 4.0)]}
    assert read(log.path).ignored == {"file version": 1, "session log": 1}


def test_tensorboard_itself_reads_the_file(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    log = TensorBoardLog(tmp_path)
    log.write({"val/loss": 4.5, "train/loss": 4.25}, 300)
    log.close()
    events = accumulator.EventAccumulator(str(tmp_path)).Reload()
    assert [(e.step, e.value) for e in events.Scalars("val/loss")] == [(300, 4.5)]


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainError, match=r"cannot be opened: .+; set log\.tensorboard to another folder"):
        TensorBoardLog(tmp_path / "file")
