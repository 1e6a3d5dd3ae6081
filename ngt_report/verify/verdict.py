"""The three verdicts, and how a printed number is held against what the data gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ngt_report.verify.evidence import Value
    from ngt_report.verify.numbers import Number

MATCH, MISMATCH, UNDECIDABLE = "MATCH", "MISMATCH", "UNDECIDABLE"
LEFT_OPEN = "the printed digits of its sources leave this one open"


class Checked(Struct, frozen=True):
    """One number, or one order, of the report and what became of it. Offsets are those of the file."""

    start: int
    end: int
    line: int
    text: str
    verdict: str
    claim: str  # what it claims to be, in words
    value: float | None = None  # what the data gives
    where: str | None = None  # file:line
    note: str | None = None  # the arithmetic, or why it cannot be decided

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "line": self.line, "text": self.text, "verdict": self.verdict, "claim": self.claim, "value": self.value, "where": self.where,
            "note": self.note,
        }  # fmt: skip


class Outcome(Struct, frozen=True):
    """A verdict on a number before it is placed in the file."""

    verdict: str
    claim: str
    value: Value | None = None
    note: str | None = None


def hold(number: Number, options: Iterable[Value], claim: str) -> Outcome:
    """Whether a number is a valid rounding of one of the values that it may claim to be."""
    values = list(options)
    if not values:
        return Outcome(UNDECIDABLE, claim, note="no file has it")
    right = next((v for v in values if agrees(number, v.value)), None)
    if right is not None:
        return Outcome(MATCH, claim, right, right.formula or None)
    first = values[0]
    open_ones = [v for v in values if number.overlaps(*v.span)]
    if open_ones:
        return Outcome(UNDECIDABLE, claim, first, f"the data gives {first.value:.9g}; {LEFT_OPEN}")
    return Outcome(MISMATCH, claim, first, first.formula or None)


def agrees(number: Number, value: float) -> bool:
    """Whether it is a valid rounding; a bound (over 3, at most 5) holds when the value lies beyond it."""
    if number.bound or number.plus:
        low = number.plus or number.bound.lower() in (">", ">=", "≥", "at least", "more than", "over", "above")
        return value >= number.value - number.half if low else value <= number.value + number.half
    return number.rounds(value)
