"""A sentence taken apart: its numbers, its quantities, the runs it names, and whether it claims anything at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from ngt_report.verify.terms import Term
from ngt_report.verify.verdict import MISMATCH, UNDECIDABLE, Outcome
from ngt_report.verify.wording import DECLARES, HEDGED, OF_TOTAL, PLANNED, TRAINED, VARIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ngt_report.verify.claims import Setting, World
    from ngt_report.verify.numbers import Number
    from ngt_report.verify.subjects import Mention


class Said(Struct, frozen=True):
    """A sentence, taken apart."""

    text: str
    numbers: Sequence[Number]
    terms: list[Term]
    mentions: list[Mention]
    setting: Setting
    hedged: bool  # perhaps a plan, or of others
    planned: bool  # surely

    def between(self, start: int, end: int) -> str:
        """The words between two places."""
        return self.text[start:end]


def take_apart(text: str, found: Sequence[Number], world: World, setting: Setting, away: bool) -> Said:
    """Quantities, runs and hedges of a sentence."""
    terms, mentions = world.said(text)
    mentions = [m for m in mentions if len(m.runs) < max(2, len(world.evidence.runs))]
    if declared := DECLARES.match(text):  # the word says what the run is, not which
        mentions = [m for m in mentions if m.start >= declared.end()]
    found = [n for n in found if not any(m.start < n.end and n.start < m.end for m in mentions)]  # digits of a name
    split = re.match(r"(?i)\W*(test|train|training|val|validation)\s+(?:set\s+)?(?:metrics|results|scores|numbers)\b", text)
    if split:
        terms = [_on(t, split[1].lower()) for t in terms]
    worded = _without(text, mentions)
    if ("default",) in world.subjects.parts:  # a run is called so
        worded = re.sub(r"(?i)\bdefault\b", "", worded)
    planned = away or bool(PLANNED.search(worded))
    return Said(
        text, found, world.terms.with_labels(text, found, terms), mentions, setting, planned or bool(HEDGED.search(worded)), planned
    )


def _without(text: str, mentions: Sequence[Mention]) -> str:
    """The text without names of runs: one that is called default, or target, is no hedge."""
    for m in mentions:
        text = text[: m.start] + " " * (m.end - m.start) + text[m.end :]
    return text


def _on(term: Term, split: str) -> Term:
    """A quantity of the evaluation that the sentence is about: `Test metrics: {"eval_loss": ...}`."""
    if split.startswith("test") and term.quantity.startswith("val/"):
        return replace(term, quantity="test/" + term.quantity.removeprefix("val/"))
    return term


def n_of_time(number: Number) -> bool:
    """Whether a number is a length of days or weeks: nobody logs these."""
    return number.text.endswith(("day", "days", "week", "weeks"))


def unless_a_name(text: str, number: Number, outcome: Outcome, world: World) -> Outcome:
    """A wrong number that is also the name of a run, letter for letter, may be just that."""
    cuts = {text[max(0, number.start - before) : number.end + after].strip() for before in (0, 1) for after in (0, 1)}
    if outcome.verdict != MISMATCH or not cuts & world.subjects.literal.keys():
        return outcome
    return replace(outcome, verdict=UNDECIDABLE, note="a run is called this")


def is_part(text: str, number: Number, labelled: bool) -> bool:
    """Whether a count may be of some of the runs that a sentence is about: `of 3`, `11 more`, `alpha differs: 0.1 (3 runs)`."""
    before, after = text[: number.start], text[number.end :]
    more = re.match(r"(?i)\W*(?:more|others?|further|additional|remaining)\b", after) or re.search(r"(?i)\bof\s*$|\bn\s*=\s*$", before)
    return bool(more or VARIES.search(text) or TRAINED.match(text) and not (labelled and OF_TOTAL.match(before)))


def in_range(text: str, number: Number) -> bool:
    """Whether a number is an end of a printed range, whichever way round."""
    before, after = text[: number.start], text[number.end :]
    return bool(re.search(r"\d\w{0,3}\s?(?:-|to|\.\.)\s?$", before) or re.match(r"\s?(?:-|to|\.\.)\s?\d", after))


def of_another(text: str, mention: Mention, number: Number) -> bool:
    """Whether a name in brackets right behind an earlier number is of that one: `from 0.20 s (vanilla) to 1.17`."""
    opened = re.search(r"\d[^\s(]*(?: ?[A-Za-z/]+)? ?\([\s`*\"']*(?:for )?$", text[: mention.start])
    return bool(opened) and bool(re.match(r"[`*\"']*\)", text[mention.end :])) and number.start > mention.end
