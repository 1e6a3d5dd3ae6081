"""Totals that a report prints below a list: they must be the sum of what it lists."""

from __future__ import annotations

import re
from math import fsum, prod
from typing import TYPE_CHECKING

from ngt_report.verify import numbers
from ngt_report.verify.document import Document, Prose, Text
from ngt_report.verify.evidence import Value
from ngt_report.verify.verdict import Outcome, hold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ngt_report.verify.numbers import Number

TOTAL = re.compile(r"(?i)\W*(?:grand )?(?:total|sum|overall|altogether|combined|all together|in all)\b")
FEWEST = 2  # items that make a list


def check_sums(document: Document) -> list[tuple[Text, Number, Outcome]]:
    """Verdicts on totals right below a list whose items each have one number of the same kind."""
    out: list[tuple[Text, Number, Outcome]] = []
    items: list[Number] = []
    list_id = 0
    for block in document.blocks:
        if not isinstance(block, Prose):
            items, list_id = [], 0
            continue
        found = numbers.find(block.text.plain)
        if TOTAL.match(block.text.plain) and found and len(items) >= FEWEST and found[0].kind == items[0].kind:
            out.append((block.text, found[0], _held(found[0], items)))
        if block.kind != "item":
            items, list_id = [], 0
            continue
        if block.list_id != list_id:
            items, list_id = [], block.list_id
        items = _with(items, found)
    return out


def _with(items: list[Number], found: Sequence[Number]) -> list[Number]:
    """The list with one more item; an item without a number is none, and one of another kind ends the sum."""
    if not found:
        return items
    if len(found) > 1 or items and found[0].kind != items[0].kind:
        return []
    return [*items, found[0]]


def _held(total: Number, items: list[Number]) -> Outcome:
    """The printed total against the sum; per cents may also be compounded."""
    values = [i.value for i in items]
    sign = -1 if total.value >= 0 and all(v <= 0 for v in values) else 1
    slack = fsum(i.half for i in items)
    added = sign * fsum(values)
    shown = " + ".join(f"{sign * v:g}" for v in values)
    options = [Value(added, "the report itself", f"{shown} = {added:g}", added - slack, added + slack)]
    if total.kind == "percent":
        compounded = sign * 100 * (prod(1 + v / 100 for v in values) - 1)
        options.append(Value(compounded, "the report itself", f"compounded {compounded:.4g}"))
    return hold(total, options, f"the sum of the {len(items)} numbers listed above")
