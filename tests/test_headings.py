"""Values below a heading: what a person reads from them, wherever the log is cut, and what is left alone."""

# ruff: noqa: E501 - lines as they are printed

from __future__ import annotations

import json

import pytest

from ngt_report.sources import named
from tests.readings import accounted, curve, in_memory, points, read
from tests.strangers import load

SHAPES = [name for name, log in load().items() if log.kind == "headings"]
SOCKEYE = "".join(
    f"[INFO:sockeye.training] Epoch[0] Batch [{u - 50}]\tSpeed: 99.1 samples/sec\tperplexity={p}.5\n"
    f"[INFO:sockeye.training] Checkpoint [{c}]\tUpdates={u} Epoch=0 Samples={u * 64} Time-cost=30.1\n"
    f"[INFO:sockeye.training] Checkpoint [{c}]\tTrain-perplexity={p}.25\n[INFO:sockeye.training] Checkpoint [{c}]\tValidation-perplexity={p}.75\n"
    for c, u, p in ((1, 100, 90), (2, 200, 60))
)
PTB = (
    "After 100 steps, perplexity is 500.5\nAfter 200 steps, perplexity is 400.5\nEpoch: 1 Train Perplexity: 450.5\nEpoch: 1 Eval Perplexity: 380.5\n"
    "After 300 steps, perplexity is 300.5\nEpoch: 2 Eval Perplexity: 310.5\n"
)


@pytest.mark.parametrize(
    ("text", "val", "train"),
    [
        (SOCKEYE, [(100, 90.75), (200, 60.75)], [(100, 90.25), (200, 60.25)]),
        (PTB, [(200, 380.5), (300, 310.5)], [(100, 500.5), (200, 400.5), (300, 300.5)]),
        ("step 100 ppl 90.5\nstep 200 ppl 80.5\nValidation perplexity: 85.5\n", [(200, 85.5)], [(100, 90.5), (200, 80.5)]),
        ("step 100 val_ppl 90.5\nstep 200 val_ppl 80.5\nValidation perplexity: 79.5\n", [(100, 90.5), (200, 80.5)], []),
        ("Epoch 1\nTrain perplexity: 9.5\nDev perplexity: 8.5\nEpoch 2\nDev perplexity: 7.5\n", [(1, 8.5), (2, 7.5)], [(1, 9.5)]),
    ],
)  # fmt: skip
def test_a_perplexity_alone_is_kept_as_such(text: str, val: list[tuple[int, float]], train: list[tuple[int, float]]) -> None:
    _, reading = read(text)
    assert (curve(reading, "val/perplexity"), curve(reading, "train/perplexity")) == (val, train)
    assert not {p[3] for p in points(reading)} & {"val/loss", "eval_loss", "final/loss"}
    assert accounted(reading)


@pytest.mark.parametrize("line", [
    "dev loss 4.2012 dev ppl 66.77 dev acc 0.2", "dev: loss=4.2012 ppl=66.77 acc=0.2", "dev_loss=4.2012, dev_perplexity=66.77, dev_accuracy=0.2",
])  # fmt: skip
def test_a_development_set_is_a_validation_set(line: str) -> None:
    for text in (f"step 100 loss 5.1\n{line}\nstep 200 loss 4.1\n", f"Epoch 100\ntrain loss 5.1\n{line}\n"):
        _, reading = read(text)
        for metric, value in (("val/loss", 4.2012), ("val/perplexity", 66.77), ("val/accuracy", 0.2)):
            assert curve(reading, metric) == [(100, value)], (text, metric)


@pytest.mark.parametrize("name", SHAPES)
def test_a_log_that_grows_line_by_line_is_read_as_a_whole(name: str) -> None:
    lines = load()[name].files["run.log"].splitlines(keepends=True)
    whole_form, whole = read("".join(lines))
    for cut in range(1, len(lines)):
        form, part = read("".join(lines[:cut]))
        assert accounted(part)
        if form == whole_form and form is not None and part.state is not None:
            file = in_memory("".join(lines))
            file.state, file.start = json.loads(json.dumps(part.state)), len("".join(lines[:cut]).encode())
            rest = named(form).read(file)  # type: ignore[union-attr]
            assert sorted(points(part) + points(rest), key=str) == sorted(points(whole), key=str), cut


def test_a_final_value_and_the_same_step_of_another_kind_are_one_run() -> None:
    _, reading = read("Step 10: Val Loss: 5.1\nFinal loss: 5.05\nStep 10: train loss: 5.2\n")
    assert len(reading.trials) == 1


def test_a_bar_is_no_evaluation() -> None:
    _, reading = read("step 100 loss 5.1\nValidation: 50%|##  | 5/10 [00:01<00:01, 5.0it/s, loss=4.9]\nstep 200 loss 4.1\nVal loss: 4.2\n")
    assert [p[4] for p in points(reading) if p[3] in ("val/loss", "final/loss")] == ["4.2"]
