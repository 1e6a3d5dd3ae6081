"""Claims without a number: an order (`a > b`, `a beats b`) and who is best."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from ngt_report.runs import UNTELLING
from ngt_report.verify.evidence import Value
from ngt_report.verify.recompute import groups_of, higher_is_better, measure
from ngt_report.verify.verdict import MATCH, MISMATCH, UNDECIDABLE, Outcome
from ngt_report.verify.wording import BASE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ngt_report.verify.claims import Setting, World
    from ngt_report.verify.document import Prose, Text
    from ngt_report.verify.subjects import Mention, Runs

MARKUP = r"[\s`*_\"'()]*"
CLEARLY = r"(?:\w+\s+)?(?:clearly |slightly |consistently |also )?"
IS = r"(?:is|was|does|performs|are)"
BETTER = re.compile(rf"{MARKUP}(?:(>=?)|{CLEARLY}(?:beats|outperforms|{IS} better than))(?:\s+(?:the|a))?{MARKUP}", re.I)
WORSE = re.compile(rf"{MARKUP}(?:(<=?)|{CLEARLY}{IS} worse than)(?:\s+(?:the|a))?{MARKUP}", re.I)
BEST_BEFORE = re.compile(r"(?i)\b(?:best|top|winner|winning)\b(?P<what>[\w\s-]{0,40}?)[\s:(=>*`\"'-]*$")
BEST_AFTER = re.compile(
    r"(?i)[\s`*)\"']*(?:[\w-]+\s+){0,3}(?:is|was|remains|performs|came out)\s+(?:the\s+)?(?:clear\s+|overall\s+)?"
    r"(?:best|winner)\b(?!\s+(?:at|in|when|on|after|before|by)\b)(?P<what>)"
)
FUTURE = re.compile(r"(?i)\b(?:next|todo|plan(?:ned|s)?|future|will|would|should|might|may|try|expect\w*|hypothe\w+|goal|whether|if)\b")
OWN_BEST = re.compile(r"(?i)\bof\s+(?:the\s+)?run\s+[`*\"']*$")  # `the best of run NAME was 4.1` ranks no runs
OTHER_KIND = re.compile(r"(?i)throughput|speed|time|fast|step|memory|accuracy|file|case|practice|effort|guess")

Claimed = tuple["Text", int, int, Outcome]


def check_orders(block: Prose, world: World) -> Iterator[Claimed]:
    """A verdict on every order and every 'best' of a block."""
    setting = world.setting(block.context)
    for sentence in block.sentences():
        terms, mentions = world.said(sentence.plain)
        if FUTURE.search(sentence.plain) or not mentions:
            continue
        measured = [t.quantity for t in terms if "/" in t.quantity]
        for a, b in pairwise(mentions):
            found = _order(sentence.plain, a, b, measured, world, setting)
            if found is not None:
                yield sentence, a.start, b.end, found
        for m in mentions:
            found = _best(sentence.plain, m, mentions, world, setting)
            if found is not None:
                yield sentence, m.start, m.end, found


# -- orders -------------------------------------------------------------------------------------------------------------------
def _order(text: str, a: Mention, b: Mention, measured: list[str], world: World, setting: Setting) -> Outcome | None:
    """The verdict on `a > b`; > means better, unless the sentence says which number it compares."""
    gap = text[a.end : b.start]
    up, down = BETTER.fullmatch(gap), WORSE.fullmatch(gap)
    if not up and not down:
        return None
    quantity = measured[0] if measured else "val/loss"
    claim = f"{a.text} {'better' if up else 'worse'} than {b.text}"
    symbol = (up and up[1]) or (down and down[1])
    if symbol and down and not measured:
        return Outcome(UNDECIDABLE, claim, note="whether < means a lower loss or a worse run is not said")
    first_better = bool(up)
    if symbol and measured and not higher_is_better(quantity):
        first_better = not first_better  # of a loss the smaller one is better
    pairs = list(_pairs(world, a, b, setting, quantity))
    if not pairs:
        return Outcome(UNDECIDABLE, claim, note="no runs of the data differ in just this")
    wrong = [(x, y) for x, y in pairs if not _holds(x.value, y.value, quantity, first_better)]
    x, y = (wrong or pairs)[0]
    said = f"{a.text} has {x.value:.6g}, {b.text} has {y.value:.6g}" + (
        f"; {len(wrong)} of {len(pairs)} comparisons contradict it" if wrong else ""
    )
    return Outcome(MISMATCH if wrong else MATCH, claim, Value(x.value, f"{x.where}; {y.where}"), said)


def _holds(first: float, second: float, quantity: str, first_better: bool) -> bool:
    better = first > second if higher_is_better(quantity) else first < second
    return better == first_better and first != second


def _pairs(world: World, a: Mention, b: Mention, setting: Setting, quantity: str) -> Iterator[tuple[Value, Value]]:
    """Values to compare: of two runs, or of all configurations that are equal but for the setting the mentions are values of."""
    ours, theirs = world.meant(a, setting), world.meant(b, setting)
    one = world.one_group(ours) and world.one_group(theirs)
    if one or not a.key:
        if one and (pair := _values(world, ours, theirs, quantity)):
            yield pair
        return
    sides = [_by_rest(world, runs, a.key) for runs in (ours, theirs)]
    for rest, group in sides[0].items():
        if rest in sides[1] and (pair := _values(world, group, sides[1][rest], quantity)):
            yield pair


def _by_rest(world: World, runs: Runs, key: str) -> dict[str, Runs]:
    """Groups of seeds by everything but one setting."""
    out: dict[str, Runs] = {}
    for group in groups_of(world.evidence, runs):
        run = world.evidence.runs[group[0]]
        rest = {k: v for k, v in run.settings.items() if k not in (key, "seed", "batch_tokens") and not UNTELLING.match(k)}
        out[json.dumps([rest, run.total], sort_keys=True, default=str)] = frozenset(group)
    return out


def _values(world: World, ours: Runs, theirs: Runs, quantity: str) -> tuple[Value, Value] | None:
    first, second = (next(iter(measure(world.evidence, runs, quantity, "last").values()), []) for runs in (ours, theirs))
    return (first[0], second[0]) if first and second else None


# -- who is best --------------------------------------------------------------------------------------------------------------
def _best(text: str, mention: Mention, mentions: list[Mention], world: World, setting: Setting) -> Outcome | None:
    """The verdict on `Best overall: NAME` and `NAME is best`."""
    before, after = BEST_BEFORE.search(text[: mention.start]), BEST_AFTER.match(text[mention.end :])
    if before is None and after is None:
        return None
    what = (before or after)["what"] or ""  # type: ignore[index]
    if OWN_BEST.search(text[: mention.start]):
        return None
    classes = [m for m in mentions if before and before.start() <= m.start < mention.start]
    classes += [
        m for m in mentions if m.end < mention.start and re.search(r"(?i)\b(?:among|of|within)\s+(?:the |all |our )*\W*$", text[: m.start])
    ]
    winner = world.meant(mention, setting)
    for m in mentions:
        if m is not mention and m not in classes and abs(m.start - mention.end) <= 2:
            winner = winner & m.runs or winner
    if OTHER_KIND.search(what) or not world.one_group(winner) or not winner:
        return None
    bases = frozenset(r for m in mentions if m is not mention and BASE.search(text[: m.start]) for r in world.meant(m, setting))
    rivals = _rivals(world, winner, classes, what, bases or world.baseline(setting), setting)
    claim = f"{mention.text} is the best of {len(rivals)}"
    if len(rivals) < 2:
        return None
    standings = [_standing(world, rivals, winner, end) for end in ("last", "best")]
    known = [s for s in standings if s is not None]
    if not known:
        return None
    right = next((s for s in known if s[0]), None)
    _, value, note = right or known[0]
    return Outcome(MATCH if right else MISMATCH, claim, value, note)


def _rivals(world: World, winner: Runs, classes: Iterable[Mention], what: str, bases: Runs, setting: Setting) -> list[Runs]:
    """The configurations that a best is the best of: of the class that is named, else of those compared with it; of a seed, all runs."""
    runs = world.around(setting)
    for m in classes:
        runs = m.runs & runs or m.runs
    if re.search(r"(?i)\bvariant", what):
        runs = runs - bases
    budgets = {world.evidence.runs[r].budget for r in winner}
    runs = frozenset(r for r in runs if world.evidence.runs[r].budget in budgets) | winner
    groups = [frozenset(g) for g in groups_of(world.evidence, runs)]
    return [frozenset({r}) for r in runs] if any(winner < g for g in groups) else groups


def _standing(world: World, rivals: list[Runs], winner: Runs, end: str) -> tuple[bool, Value, str] | None:
    """Whether the winner has the lowest loss, what it has, and who has the lowest."""
    losses = {g: v[0] for g in rivals if (v := next(iter(measure(world.evidence, g, "val/loss", end).values()), []))}
    own = next((g for g in losses if g & winner), None)
    if own is None or len(losses) < 2:
        return None
    top = min(losses, key=lambda g: losses[g].value)
    note = f"the lowest {end} val loss is {losses[top].value:.6g}, of {world.who(top)}"
    return losses[own].value <= losses[top].value, losses[top], note
