"""Runs that no table ranks: why there is no ranking at all, in one sentence, and those of which nothing but the reason can be said."""

from __future__ import annotations

from ngt_report.formatting import decimals_text
from ngt_report.model import AccuracyRow, BestRow, Excluded, Silent, TrainRow

MANY = 4  # runs of one reason, none with a loss, that are one line


def parted(left_out: tuple[Excluded, ...]) -> tuple[tuple[Excluded, ...], tuple[Silent, ...]]:
    """Runs that a table shows, and reasons why many have nothing that it could show."""
    by_reason: dict[str, list[str]] = {}
    for e in left_out:
        if e.last is None:
            by_reason.setdefault(e.reason, []).append(e.run)
    many = {reason: names for reason, names in by_reason.items() if len(names) >= MANY}
    shown = tuple(e for e in left_out if e.last is not None or e.reason not in many)
    return shown, tuple(Silent(reason, tuple(names)) for reason, names in many.items())


def of_one(runs: int, left_out: tuple[Excluded, ...], in_bits: bool) -> str:
    """Why the only run that could be compared is not ranked."""
    if runs == 1:
        return "One run: nothing to rank."
    if any(e.best is not None for e in left_out):
        return f"No other of the {runs} runs can be compared with it: nothing to rank."
    return f"Of {runs} runs only this one has a validation loss{' in nats per token' if in_bits else ''}: nothing to rank."


def unranked(
    singles: tuple[BestRow, ...], left_out: tuple[Excluded, ...], accuracy: tuple[AccuracyRow, ...], trained: tuple[TrainRow, ...]
) -> str:
    """Why nothing is ranked, of a report without compared runs."""
    reasons = " ".join(e.reason for e in left_out)
    losses = singles or [e for e in left_out if e.best is not None]
    if not singles and accuracy:
        said = "run records" if len(accuracy) == 1 else "runs record"
        best = f"highest {decimals_text(accuracy[0].best, None)} ({accuracy[0].run})"
        return f"No validation loss anywhere: {len(accuracy)} {said} only accuracies; {best}."
    if not singles and "not in nats" in reasons:
        return "No ranking: these runs are validated in bits, not in nats per token."
    if not singles and "no mean in nats" in reasons:
        return "No ranking: losses above 50 are sums or another measure, no means in nats per token."
    if losses:
        return "No two runs can be compared: no two finished the same number of steps."
    if trained:
        return "No validation loss anywhere: only training losses can be shown, and a training loss ranks nothing."
    if left_out:
        return "No validation loss in any run: nothing can be ranked."
    return "No run with metrics was found; the findings below say what each file is."
