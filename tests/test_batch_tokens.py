"""Batch tokens: one rule for what a recorded batch size means, in confounds, tokens a step and the finding about them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ngt_report import batches
from ngt_report.build import Request, build
from ngt_train import config as configuration
from ngt_train import journal

NGTTRAIN = {"sequence_length": 512, "device_batch_size": 4, "accumulation": 2}


@pytest.mark.parametrize(
    ("config", "tokens"),
    [
        ({"batch_size": 8, "sequence_length": 512}, 4096),
        ({"batch_size": 8, "sequence_length": 512, "accumulation": 4}, 16384),  # alone: a micro-step's
        ({**NGTTRAIN, "batch_size": 8}, 4096),
        ({**NGTTRAIN, "batch_size": 16}, 8192),  # of two processes
        ({**NGTTRAIN, "batch_size": 4}, None),  # of one of its micro-steps, or of a step: nobody knows
        ({"sequence_length": 1024, "device_batch_size": 64, "batch_size": 512}, 524288),
        ({"sequence_length": 512, "global_batch_size": 64, "accumulation": 4}, 32768),
        ({"sequence_length": 512, "global_batch_size": 64, "batch_size": 8, "accumulation": 4}, 32768),
        (NGTTRAIN, None),
        ({**NGTTRAIN, "processes": 2}, 8192),
        ({**NGTTRAIN, "processes": 2, "tensor_model_parallel_size": 1}, 8192),
        ({**NGTTRAIN, "processes": 2, "tensor_model_parallel_size": 2}, None),  # both see the same sequences
        ({**NGTTRAIN, "gpus": 2}, None),  # that a machine has; how many of them trained is not said
        ({**NGTTRAIN, "processes": 2, "batch_size": "auto"}, None),
        ({"sequence_length": 512, "device_batch_size": 4, "processes": 2}, None),
        ({"batch_size": 8}, None),
        ({"batch_size": "8", "sequence_length": 512.0}, 4096),
        ({"batch_size": True, "sequence_length": float("nan")}, None),
        ({"batch_size": 2**40, "sequence_length": 2**40}, None),
    ],
)
def test_batch_tokens_are_those_of_an_optimizer_step_or_unknown(config: dict[str, Any], tokens: int | None) -> None:
    assert batches.tokens(config) == tokens


def recorded(folder: Path, name: str, batch: int, accumulation: int, counted: int | None = None) -> None:
    """A log of the trainer, with the settings that it records."""
    train = {"steps": 20, "batch": batch, "accumulation": accumulation}
    made = configuration.from_dict({"name": name, "train": train, "data": {"block": 16}})
    start = {"kind": "run_start", "schema": 1, "total_steps": 20, "config": journal.recorded(made, {"layers": 2}, 1)}
    events = [start, *({"kind": "eval", "step": step, "val/loss": 4 - step / 10} for step in (10, 20))]
    common = {"run": name, "segment": 0, "ts": "2026-01-01T00:00:00Z", "elapsed_s": 1.0, "segment_elapsed_s": 1.0}
    lines = [{**common, "seq": i, "step": 0, "tokens": None, **event} for i, event in enumerate(events)]
    for line in lines if counted else ():
        line["tokens"] = line["step"] * counted
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")


def test_the_trainers_accumulation_is_no_other_batch(tmp_path: Path) -> None:
    recorded(tmp_path / "in", "one", 8, 1)
    recorded(tmp_path / "in", "two", 4, 2)
    build(Request((str(tmp_path / "in"),), out=str(tmp_path / "out"), dashboard=True))
    text = (tmp_path / "out" / "Summary.md").read_text()
    assert "**batch tokens**" not in text and "| batch tokens | 128 |" in text and "accumulation" in text and "tokens a step" not in text


def test_another_batch_is_said_with_the_tokens_of_a_step(tmp_path: Path) -> None:
    recorded(tmp_path / "in", "one", 8, 1, 128)
    recorded(tmp_path / "in", "two", 8, 2, 256)
    build(Request((str(tmp_path / "in"),), out=str(tmp_path / "out")))
    text = (tmp_path / "out" / "Summary.md").read_text()
    assert "**batch tokens** differ: 128 (1 run: one), 256 (1 run: two)" in text and "tokens a step, but" not in text


def test_a_log_that_records_the_world_size_has_its_batch_tokens(tmp_path: Path) -> None:
    """With all four parts in the text, another batch is a confound; with one of them missing it is unknown."""
    curve = "".join(f"step {s}: train loss {4 - s / 1000:.4f}, val loss {{}}.{900 - s}\n" for s in range(100, 501, 100))
    (tmp_path / "in").mkdir()
    for name, accumulation, loss in (("one", 1, 3), ("two", 4, 2)):
        above = f"device_batch_size: 8\ngrad_accum: {accumulation}\nworld_size: 2\nblock_size: 64\n"
        (tmp_path / "in" / f"{name}.log").write_text(above + curve.format(*[loss] * 5))
    build(Request((str(tmp_path / "in"),), out=str(tmp_path / "out"), dashboard=False))
    text = (tmp_path / "out" / "Summary.md").read_text()
    assert "**batch tokens** differ: 1024 (1 run: one), 4096 (1 run: two)" in text and "| gpus | 2 |" in text
