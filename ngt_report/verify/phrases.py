"""Which quantity a number in a text belongs to: the one it is the unit of, else the one it is said of."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from ngt_report.verify.numbers import Number
    from ngt_report.verify.terms import Term

LINKING = (
    "of|is|was|are|were|be|been|at|to|reached|reaches|reaching|hit|hits|about|around|only|just|the|a|an|equals|equal|by|from|value|ends|ended|in"
    "|finishes|finished|gets|got|has|had|have|drops?|dropped|fell|falls|rose|improves?|improved|stands|and|it|up|down|with|achieved|achieves"
    "|goes|went|=|:|->|vs|vs\\.|versus|than|for|on|per|set|score|value|run|runs|model|as|train|eval|val|test|tuned|original|plain|our|its|other|conducted|performed|completed|done|used|nats|all|both|each|then|total|approximately|roughly|exactly"
    "|step|steps|while|whereas"
)
BETWEEN = re.compile(rf"(?:[\s:=~()\[\]{{}},\"'`*>@/&+-]|->|\b(?:{LINKING})\b)*", re.I)
UNIT = re.compile(
    r"(?:[\s\"'-]|\b(?:lower|higher|less|more|better|worse|faster|slower|longer|shorter|smaller|larger|of|in|relative|absolute|mean|average|final"
    r"|best|last|fewer|additional|extra|the|total|different|independent|random|training|optimi[sz]er|gradient|nats?|points?)\b)*",
    re.I,
)


class Link(Struct, frozen=True):
    """A number and the quantity it belongs to."""

    number: Number
    term: Term | None
    tight: bool  # nothing but linking words stands between them
    right: bool = False  # the quantity follows the number, as a unit does


def attach(
    text: str, found: Sequence[Number], terms: Sequence[Term], ignored: Iterable[tuple[int, int]] = (), steps: Collection[int] = ()
) -> list[Link]:
    """The quantity of each number. `ignored`: spans that say something else (names of runs); `steps`: starts of numbers that are steps."""
    blank = _blanked(text, [(n.start, n.end) for n in found], ignored)
    links: list[Link] = []
    used: set[int] = set()  # units of a number belong to no other
    for i, number in enumerate(found):
        left = _left(text, blank, number, terms, found)
        given = left.tight and _assigned(text, left) and left.term is not None and left.term.start not in used
        unit = None if given or number.start in steps else _unit(text, number, terms, found)
        if unit is not None:
            used.add(unit.start)
            links.append(Link(number, unit, True, True))
            continue
        partner = found[i + 1] if i + 1 < len(found) else None
        if (
            partner
            and not left.tight
            and re.fullmatch(r"\s?(?:-|to|and|/|,)\s?", text[number.end : partner.start])
            and (unit := _unit(text, partner, terms, found))
        ):
            links.append(Link(number, unit, True, True))
            continue
        links.append(
            Link(number, None, False) if left.term is not None and (left.term.start in used or not _fits(number, left.term)) else left
        )
    return links


def _blanked(text: str, numbers: Iterable[tuple[int, int]], ignored: Iterable[tuple[int, int]]) -> str:
    """The text with numbers and names blanked out, places kept."""
    chars = list(text)
    for start, end in (*numbers, *ignored):
        chars[start:end] = " " * (end - start)
    return "".join(chars)


COUNTED = ("losses", "time", "times")  # `has 20 validation losses`, `restarted 1 time`


def _unit(text: str, number: Number, terms: Sequence[Term], found: Sequence[Number]) -> Term | None:
    """The quantity right after a number, unless that one has a number of its own."""
    after = next((t for t in terms if t.start >= number.end), None)
    whole = after is not None and number.kind == "plain" and "." not in number.text
    counted = whole and after is not None and after.text.lower().endswith(COUNTED)
    if after is None or counted or not UNIT.fullmatch(text[number.end : after.start]):
        return None
    own = next((n for n in found if n.start >= after.end), None)
    if own is not None and re.fullmatch(r"\s*[=:]?\s*~?", text[after.end : own.start]) and not after.quantity.endswith(("_s", "_step")):
        return after if _unit(text, own, terms, found) is not None else None
    return after


def _fits(number: Number, term: Term) -> bool:
    """Whether a number can be of a quantity by its unit: seconds are of a time, a per cent of no setting."""
    if TOOK.match(term.text) and number.kind != "time":
        return False
    if number.kind == "time":
        return term.quantity in ("train_time", "s_per_step") or term.quantity.endswith("runtime")
    return not (term.is_setting and number.kind in ("percent", "ratio", "points"))


def _assigned(text: str, link: Link) -> bool:
    """Whether the quantity is given the number outright: `lr=3e-4`."""
    return link.term is not None and bool(re.fullmatch(r"[\"'`)]*\s?[=:]\s?[\"'`~]*", text[link.term.end : link.number.start]))


TOOK = re.compile(r"(?i)took|takes|need|last|ran|trained|finished|done")
LIST = re.compile(r"[\s}\])]*(?:,|/|-|->|\band\b|\bor\b|\bto\b|\bvs\b\.?)?[\s{\[(~]*")


def _left(text: str, blank: str, number: Number, terms: Sequence[Term], found: Sequence[Number]) -> Link:
    before = [t for t in terms if t.end <= number.start]
    if not before:
        return Link(number, None, False)
    term = before[-1]
    gap = blank[term.end : number.start]
    of_name = term.is_setting and bool(re.search(r"[A-Za-z]", text[term.end : number.start])) and not re.search(r"[A-Za-z]", gap)
    if of_name or re.search(r"[;|]|\.\s", gap) or re.match(r"\s+(?:more|others?|further)\b(?! than)", text[number.end :]):
        return Link(number, None, False)
    inside = [n for n in found if term.end <= n.start and n.end <= number.start]
    if inside and term.is_setting and not LIST.fullmatch(text[inside[-1].end : number.start]):
        return Link(number, None, False)
    if (
        inside
        and not blank[inside[-1].end : number.start].strip(" ,/-(~:")
        and text[inside[-1].end : number.start].strip(" ~").startswith(":")
    ):
        return Link(number, None, False)
    joined = len(before) > 1 and re.fullmatch(r"\s*(?:and|or|/|,|&)\s*", blank[before[-2].end : term.start])
    return Link(number, term, bool(BETWEEN.fullmatch(gap)) and not joined)
