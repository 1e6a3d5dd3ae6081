"""Claims that compare: differences, per cents and ratios between a subject and what it is held against."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ngt_report.verify.recompute import Options, difference, higher_is_better, measure, negated, percent, ratio

if TYPE_CHECKING:
    from ngt_report.verify.claims import World
    from ngt_report.verify.evidence import Value
    from ngt_report.verify.numbers import Number
    from ngt_report.verify.subjects import Runs
    from ngt_report.verify.tables import _Reader
    from ngt_report.verify.terms import Term

COMPARES = re.compile(
    r"(?i)Δ|δ|\bdelta|\bvs\b|versus|\bdiff|\bgap\b|baseline|improve|\bgain|\bchange|overhead|slow|speed[- ]?up|relative|reduction|penalty|%"
)
BASE_CELL = re.compile(r"(?i)\bbaseline\b|\breference\b|\bref\b|^\W*$|^0(?:\.0+)?%?$|^1(?:\.0+)?x$")
LAST_BEST = re.compile(r"(?i)\blast\s*-\s*best\b|\bfinal\s*-\s*best\b")


def columns_compared(table: _Reader, i: int, term: Term | None, number: Number, runs: Runs, n: int | None) -> Options | None:
    """Readings of a cell whose column compares; None when it does not."""
    head = table.heads[i]
    if LAST_BEST.search(head.text):
        return _last_best(table.world, runs)
    plain_percent = number.kind == "percent" and not (term and term.quantity.endswith("/accuracy"))
    if not (
        term
        and term.stat in ("delta", "ratio")
        or number.kind in ("ratio", "points")
        or plain_percent
        or COMPARES.search(head.text)
        and (number.sign or not term)
    ):
        return None
    quantities = _quantities(table, i, term)
    out: Options = {}
    for who, base in _bases(table, i):
        for quantity, stat, step in quantities:
            ours = measure(table.world.evidence, runs, quantity, stat, step, n)
            theirs = measure(table.world.evidence, base, quantity, stat, step, n)
            for label in ours.keys() & theirs.keys():
                key = f"{quantity} {label} against {who}"
                out[key] = compared(number, ours[label][0], theirs[label][0], quantity, "%" in head.text)
    return out


def _last_best(world: World, runs: Runs) -> Options:
    last, best = (measure(world.evidence, runs, "val/loss", end).get(end) for end in ("last", "best"))
    if not last or not best:
        return {}
    return {"last - best": [difference(a, b) for a in last for b in best]}


def _quantities(table: _Reader, i: int, term: Term | None) -> list[tuple[str, str, int | None]]:
    """What the column compares: the quantity it names, else those of the columns before it."""
    own = [(term, table.heads[i].step)] if term and term.quantity not in ("n", "rank", "step") else []
    left = [
        (h.quantity, h.step)
        for h in reversed(table.heads[:i])
        if h.quantity and ("/" in h.quantity.quantity or h.quantity.quantity in TIMED)
    ]
    out = []
    for t, step in own or left:
        stat = t.stat if t.stat in ("best", "last") else ""
        at = step if step is not None else table.setting.step if not stat and "/" in t.quantity else None
        out.append((t.quantity, stat, at))
    if not own and any(q in TIMED for q, _, _ in out):
        out.append(("s_per_step", "", None))
    return list(dict.fromkeys(out))


TIMED = frozenset({"steps_per_s", "s_per_step", "tokens_per_s", "train_time"})


def _bases(table: _Reader, i: int) -> list[tuple[str, Runs]]:
    """What the rows of a column are held against: who the header names, the row that says baseline, else the first row."""
    head = table.heads[i]
    found: list[tuple[str, Runs]] = []
    for mention in table.world.subjects.scan(head.text):
        if mention.runs:
            found.append((mention.text, mention.runs))
    for row in table.rows[1:]:
        if i < len(row) and BASE_CELL.search(row[i].plain.strip()) and (runs := table._subject(row)[0]):
            found.append((table.world.who(runs), runs))
        elif i < len(row) and BASE_CELL.search(row[i].plain.strip()) and row[i].plain.strip():
            return []  # the row that says baseline is no run of the data
    if not found and table.world.evidence.baselines:
        found.append(("the baseline", frozenset(table.world.evidence.baselines)))
    if not found and len(table.rows) > 1 and (runs := table._subject(table.rows[1])[0]):
        found.append(("the first row", runs))
    return found


def compared(number: Number, ours: Value, theirs: Value, quantity: str, in_percent: bool = False) -> list[Value]:
    """What a comparison of two values may be printed as, by the kind of the number."""
    if number.kind == "ratio":
        both = [ratio(ours, theirs), ratio(theirs, ours)]
        return [v for v in both if v is not None]
    if number.kind == "percent" or in_percent and number.kind == "plain":
        relative = [percent(ours, theirs)]
        if relative[0] is not None and not number.sign:
            relative.append(negated(relative[0]))
        if number.sign and not higher_is_better(quantity) and (drop := percent(ours, theirs)):
            relative.append(negated(drop))  # an improvement, printed as a gain
        return [v for v in relative if v is not None]
    delta = difference(ours, theirs)
    if number.kind == "points":
        from ngt_report.verify.claims import _scaled

        delta = _scaled(delta, 100.0)
    return [delta] if number.sign else [delta, negated(delta)]
