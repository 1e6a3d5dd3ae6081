"""Settings that change within a run are noticed; a run that goes on as it began is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import cos, pi
from pathlib import Path

import pytest

from ngt_report.build import Request, build

HEAD = {
    "seed": "1", "model": "gpt", "dataset": "w", "learning_rate": "0.001", "batch_size": "16", "seq_len": "128", "precision": "bf16",
    "weight_decay": "0.1", "eval_iters": "100",
}  # fmt: skip
Beside = Callable[[int], str]


def said(tmp_path: Path) -> list[str]:
    """Findings of kind changed."""
    folder = build(Request((str(tmp_path / "logs"),), out=str(tmp_path / "out"), dashboard=False)).folder
    return [f["text"] for f in json.loads((folder / "summary.json").read_text())["findings"] if f["kind"] == "changed"]


def head(**changed: str) -> str:
    return "".join(f"{k}: {v}\n" for k, v in (HEAD | changed).items())


def body(first: int, last: int, beside: Beside = lambda step: "") -> str:
    rows = range(first, last + 1, 100)
    return "".join(f"step {s}/2000 val_loss={5 - s / 1000:.4f} {beside(s)}elapsed={(s - first + 100) / 10}s\n" for s in rows)


def put(tmp_path: Path, text: str, name: str = "net.log") -> None:
    path = tmp_path / "logs" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("learning_rate", "0.0003"),
        ("batch_size", "32"),
        ("dataset", "v"),
        ("precision", "fp32"),
        ("weight_decay", "0.5"),
        ("eval_iters", "20"),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_a_log_that_resumes_with_another_setting(tmp_path: Path, key: str, value: str, before: bool) -> None:
    again = head(**{key: value})
    resume = "Resuming from checkpoint ckpt.pt at step 1000\n"
    put(tmp_path, head() + body(100, 1000) + (again + resume if before else resume + again) + body(1100, 2000))
    [text] = said(tmp_path)
    assert key.replace("_", " ") in text.replace("_", " ")
    assert value in text


def test_a_log_that_resumes_as_it_began(tmp_path: Path) -> None:
    put(tmp_path, head() + body(100, 1000) + "Resuming from checkpoint ckpt.pt at step 1000\n" + head() + body(1100, 2000))
    assert said(tmp_path) == []


def test_an_event_log_that_resumes_with_another_setting(tmp_path: Path) -> None:
    rows = []
    for segment, rate in enumerate((0.001, 0.0003)):
        common = {"run": "net", "segment": segment, "ts": "2026-11-01T00:00:00Z", "tokens": 0, "elapsed_s": 1.0, "segment_elapsed_s": 1.0}
        config = {"optim": {"learning_rate": rate, "betas": [0.9, 0.95]}, "run_id": segment, "started_at": f"{segment}"}
        rows.append(common | {"kind": "run_start", "step": 1000 * segment, "schema": 1, "config": config, "seed": 1})
        rows += [common | {"kind": "eval", "step": 1000 * segment + s, "val/loss": 4.0 - s / 1000} for s in (500, 1000)]
    put(tmp_path, "".join(json.dumps(r | {"seq": i}) + "\n" for i, r in enumerate(rows)), "net.jsonl")
    assert said(tmp_path) == ["run net changes optim.learning rate where it resumes, from 0.001 to 0.0003"]


@pytest.mark.parametrize(
    ("beside", "text"),
    [
        (lambda s: f"bs={16 if s < 1000 else 64} ", "changes bs on its way: it begins with 16 and ends with 64"),
        (lambda s: f"lr={(2500 - s) * (4e-7 if s < 1000 else 2e-6):.3e} ", "changes its learning rate from 0.00064 to 0.003 at step 1000"),
        (lambda s: f"val_batches={100 if s < 1000 else 20} ", "changes what its validation is computed on: val/batches from 100 to 20"),
    ],
)  # fmt: skip
def test_a_column_that_changes(tmp_path: Path, beside: Beside, text: str) -> None:
    put(tmp_path, head() + body(100, 2000, beside))
    assert said(tmp_path) == ["run net " + text]


@pytest.mark.parametrize(
    "rate", [lambda s: min(s / 400, 1) * (1 + cos(pi * s / 2000)), lambda s: 1 + cos(pi * (s % 500) / 500), lambda s: 0.1 ** (s // 700)]
)
def test_warm_up_cycles_and_decay_are_no_change(tmp_path: Path, rate: Callable[[int], float]) -> None:
    put(tmp_path, head() + body(100, 2000, lambda s: f"lr={1e-3 * rate(s) + 1e-6:.4e} "))
    assert said(tmp_path) == []


def test_a_continuation_with_another_setting(tmp_path: Path) -> None:
    put(tmp_path, head() + body(100, 1000))
    put(tmp_path, "Resuming from checkpoint net.pt at step 1000\n" + head(learning_rate="0.0003") + body(1100, 2000), "net_resume.log")
    assert said(tmp_path) == ["run net_resume continues net with another learning rate: 0.0003, not 0.001"]
