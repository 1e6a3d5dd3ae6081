"""Logs of progress bars with known curves, drawn in many ways: what is read is the curve, and a part of a log gives a part of it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.readings import accounted, curve, points, read
from tests.strangers.bars import bar

PHASES = {
    "Validation": "val",
    "[Valid] Epoch 3": "val",
    "Evaluate [3/9]": "val",
    "eval": "val",
    "Testing": "test",
    "Test": "test",
    "Epoch 3/9 dev": "val",
}
OTHERS = ("Sanity Checking", "Predicting", "Train eval", "Generating samples")
TRAINING = (
    "",
    "Epoch 3/9",
    "Training (eval later)",
    "Fine-tuning",
    "Epoch 3 val loss 4.21",
    "Epoch 3 best val 4.21",
    "latest",
    "test_run_3",
)


@dataclass(frozen=True)
class Log:
    """How a log is drawn, and the numbers in it."""

    totals: tuple[int, ...]  # steps an epoch
    losses: tuple[float, ...]  # an epoch
    numbered: bool
    ends: str  # what stands between drawings
    told: str  # how an evaluation is told: 'line', 'bar', 'both'
    base: int

    def text(self) -> str:
        return "".join(self._epoch(i) for i in range(len(self.totals)))

    def _epoch(self, i: int) -> str:
        """An epoch's bars and lines."""
        label = f"Epoch {i + self.base}/{len(self.totals)}" if self.numbered else "Training"
        of, loss = self.totals[i], self.losses[i]
        text = (
            self.ends.join(bar(label, at, of, f"loss={loss + (of - at) / of:.4f}", f"00:{at % 60:02d}") for at in sorted({1, of // 2, of}))
            + "\n"
        )
        if self.told != "line":
            text += self.ends.join(bar("Validation", at, 4, f"loss={loss + (4 - at) + (self.told == 'both'):.4f}") for at in (2, 4)) + "\n"
        return text + (f"Val Loss: {loss:.4f}\n" if self.told != "bar" else "saved\n")

    def validation(self) -> list[tuple[int | None, float]]:
        return [(sum(self.totals[: i + 1]), round(loss, 4)) for i, loss in enumerate(self.losses)]


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Logs of one to four epochs; those of different length name their epoch."""
    epochs = draw(st.integers(1, 4))
    numbered = draw(st.booleans())
    one = draw(st.integers(4, 50))
    totals = tuple(draw(st.integers(4, 50)) if numbered else one for _ in range(epochs))
    losses = tuple(draw(st.integers(10_000, 90_000)) / 1e4 for _ in range(epochs))
    return Log(
        totals, losses, numbered, draw(st.sampled_from("\r\n")), draw(st.sampled_from(("line", "bar", "both"))), draw(st.integers(0, 1))
    )


@settings(deadline=None, max_examples=80)
@given(log=logs())
def test_the_curve_is_read_however_it_is_drawn(log: Log) -> None:
    form, reading = read(log.text())
    assert form == "progress" and accounted(reading) and len(reading.trials) == 1
    known = log.validation()
    if log.told == "bar" and len(known) == 1:
        known = []  # whether a line says more is not known before the second
    assert sorted(curve(reading)) == known
    assert max(step or 0 for step, _ in curve(reading, "train/loss")) == sum(log.totals)
    assert len({step for step, _ in curve(reading, "train/loss")}) == sum(len({1, of // 2, of}) for of in log.totals)


@settings(deadline=None, max_examples=80)
@given(log=logs(), cut=st.integers(0, 4000))
def test_a_part_gives_nothing_that_the_whole_does_not(log: Log, cut: int) -> None:
    whole, part = (read(text)[1] for text in (log.text(), log.text()[:cut]))
    assert accounted(part)
    assert {p[2:6] for p in points(part)} <= {p[2:6] for p in points(whole)}


@pytest.mark.parametrize("label", [*PHASES, *OTHERS, *TRAINING])
def test_the_label_says_what_a_bar_does(label: str) -> None:
    first = bar("Epoch 1/9", 10, 10, "loss=5.1") + "\n"
    _, reading = read(first + bar(label, 5, 5, "loss=4.2") + "\n", complete=True)
    found = {metric for _, _, _, metric, _, line, _ in points(reading) if line == 2}
    assert found == ({f"{PHASES[label]}/loss"} if label in PHASES else {"train/loss"} if label in TRAINING else set())


def test_a_user_who_says_that_a_log_is_whole_has_the_only_evaluation() -> None:
    text = bar("Train", 9, 9, "loss=4.1") + "\n" + bar("Eval", 3, 3, "loss=4.2") + "\n"
    assert curve(read(text)[1]) == [] and curve(read(text, complete=True)[1]) == [(9, 4.2)]


def test_a_loss_on_a_line_and_on_the_bar_is_one_evaluation() -> None:
    bars = [
        bar("Epoch 0", 9, 9, "train_loss=4.1"), "Validation loss: 4.2012", bar("Epoch 0", 9, 9, "train_loss=4.1, val_loss=4.2", "00:44"),
        bar("Epoch 1", 5, 9, "train_loss=3.1, val_loss=4.2", "00:10"), bar("Epoch 1", 9, 9, "train_loss=3.1, val_loss=3.2"), "",
    ]  # fmt: skip
    assert curve(read("\n".join(bars))[1]) == [(9, 4.2012), (18, 3.2)]


def test_lines_between_bars_say_how_a_run_ended() -> None:
    _, reading = read(bar("Train", 5, 9, "loss=4.1") + "\nTraceback (most recent call last):\nRuntimeError: out of luck\n")
    assert any(f.key == "crash" and "out of luck" in f.value["cause"] for f in reading.facts)


def test_the_same_evaluation_again_at_the_end_is_none() -> None:
    epochs = "".join(f"{bar(f'Epoch {e}', 9, 9, 'loss=4.1')}\nVal loss: {5 - e}.2\n" for e in (1, 2, 3))
    assert curve(read(epochs + "Loading the best\nVal loss: 1.9\n")[1]) == [(9, 4.2), (18, 3.2), (27, 2.2)]
