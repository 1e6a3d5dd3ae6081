"""Claims that compare: differences, per cents and ratios between a subject and what it is held against."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ngt_report.verify.grid import AGAINST, COMPARES, SIZE, Grid, Head
from ngt_report.verify.recompute import Options, difference, higher_is_better, measure, negated, percent, ratio

if TYPE_CHECKING:
    from ngt_report.verify.claims import Setting, World
    from ngt_report.verify.evidence import Value
    from ngt_report.verify.numbers import Number
    from ngt_report.verify.rows import Row
    from ngt_report.verify.subjects import Runs
    from ngt_report.verify.tables import Cell
    from ngt_report.verify.terms import Term

BASE_CELL = re.compile(r"(?i)\bbaseline\b|\breference\b|\bref\b|^\W*$|^0(?:\.0+)?%?$|^1(?:\.0+)?x$")
LAST_BEST = re.compile(r"(?i)\blast\s*-\s*best\b|\bfinal\s*-\s*best\b")


TIMED = frozenset({"steps_per_s", "s_per_step", "tokens_per_s", "train_time"})


def cell_compared(grid: Grid, rows: list[Row], setting: Setting, cell: Cell, row: Row, term: Term | None) -> Options | None:
    """Readings of a cell whose column compares; None when it does not."""
    head, evidence = grid.heads[cell.column], grid.world.evidence
    if LAST_BEST.search(head.text):
        return _last_best(grid.world, cell.runs)
    if not _compares(head, cell.number, term):
        return None
    out: Options = {}
    for who, base in own_base(grid, row) or _bases(grid, rows, cell.column):
        for quantity, stat, step in _quantities(grid, setting, cell.column, term):
            ours = measure(evidence, cell.runs, quantity, stat, step, row.n)
            theirs = measure(evidence, base, quantity, stat, step, row.n)
            for label in [k for k in ours if k in theirs]:
                values = compared(cell.number, ours[label][0], theirs[label][0], quantity, "%" in head.text)
                out[f"{quantity} {label} against {who}"] = values
    return out


def _compares(head: Head, number: Number, term: Term | None) -> bool:
    """Whether a cell is a comparison: by its header, or by its unit."""
    relative = number.kind == "percent" and not (term and term.quantity.endswith("/accuracy"))
    if term and term.stat in ("delta", "ratio") or number.kind in ("ratio", "points") or relative:
        return True
    return bool(COMPARES.search(head.text)) and (bool(number.sign) or not term)


def _last_best(world: World, runs: Runs) -> Options:
    last, best = (measure(world.evidence, runs, "val/loss", end).get(end) for end in ("last", "best"))
    pairs = [(a, b) for a in last or () for b in best or ()]
    return {"last - best": [replace(d, low=0.0, high=0.0) if a == b else d for a, b in pairs for d in [difference(a, b)]]} if pairs else {}


def _quantities(grid: Grid, setting: Setting, i: int, term: Term | None) -> list[tuple[str, str, int | None]]:
    """What the column compares: the quantity it names, else time where it says slower, else those of the columns before it."""
    named = term is not None and term.quantity not in ("n", "rank", "step")
    before = [h for h in reversed(grid.heads[:i]) if h.quantity and (h.is_measured or h.quantity.quantity in TIMED)]
    said = [(term, grid.heads[i].step)] if named else [(h.quantity, h.step) for h in before]
    out: list[tuple[str, str, int | None]] = []
    if not named and re.search(r"(?i)slow|speed|time", grid.heads[i].text):
        out += [("s_per_step", "", None), ("train_time", "", None)]
    for t, step in said:
        if t is not None:
            stat = t.stat if t.stat in ("best", "last") else ""
            out.append((t.quantity, stat, step if step is not None or stat or "/" not in t.quantity else setting.step))
    if not named and any(q in TIMED for q, _, _ in out):
        out.append(("s_per_step", "", None))
    return list(dict.fromkeys(out))


def own_base(grid: Grid, row: Row) -> list[tuple[str, Runs]]:
    """What a row itself says that it is held against, in a column of its own."""
    for head, cell in zip(grid.heads, row.cells, strict=False):
        if AGAINST.fullmatch(head.text) and re.search(r"[^\W\d_]{2}", cell.plain):
            return [(cell.plain.strip(), grid.world.prefer(grid.world.subjects.named(SIZE.sub("", cell.plain))))]
    return []


def _bases(grid: Grid, rows: list[Row], i: int) -> list[tuple[str, Runs]]:
    """What the rows of a column are held against: who the header names, the row that says baseline, else the build's, else the first."""
    world = grid.world
    found = [(m.text, m.runs) for m in world.subjects.scan(grid.heads[i].text) if m.runs]
    for row in rows:
        said = row.cells[i].plain.strip() if i < len(row.cells) else ""
        if BASE_CELL.search(said) and row.runs:
            found.append((world.who(row.runs), row.runs))
        elif said and BASE_CELL.search(said):
            return []  # the row that says baseline is no run of the data
    if not found and (baselines := world.declared or world.evidence.baselines):
        found.append(("the baseline", frozenset(baselines)))
    if not found and rows and rows[0].runs:
        found.append(("the first row", rows[0].runs))
    return found


def pair_above(rows: list[Row], row: Row) -> tuple[Runs, Runs] | None:
    """The two runs of a table that its row of differences is about, the later one first."""
    others = [r.runs for r in rows if r.runs]
    said = row.cells[0].plain if row.cells else ""
    return (others[1], others[0]) if len(others) == 2 and others[0] != others[1] and COMPARES.search(said) else None


def pair_compared(world: World, pair: tuple[Runs, Runs], cell: Cell, term: Term) -> Options:
    """Readings of a cell of such a row."""
    stat = term.stat if term.stat in ("best", "last") else ""
    ours, theirs = (measure(world.evidence, runs, term.quantity, stat) for runs in pair)
    return {k: compared(cell.number, ours[k][0], theirs[k][0], term.quantity) for k in ours if k in theirs}


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
