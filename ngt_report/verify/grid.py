"""A table as rows of runs and columns of quantities, whichever way round it was written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from ngt_report.verify import numbers
from ngt_report.verify.subjects import tokens
from ngt_report.verify.terms import Term, step_of

if TYPE_CHECKING:
    from ngt_report.verify.claims import World
    from ngt_report.verify.document import Table, Text
    from ngt_report.verify.subjects import Runs

NAMES = frozenset(
    "run runs name model experiment variant config configuration method phase id job trial log file system setup arch architecture ablation"
    " approach checkpoint flags".split()
)
BESIDE_STEP = re.compile(r"(?i)\s*[(\[](?:@\s?|at )?(?:steps?|iter)[)\]]\s*$|\s+@\s?steps?\s*$")  # best (step), best @ step
GENERIC = frozenset("value values result results score number figure".split())
COMPARES = re.compile(
    r"(?i)Δ|δ|\bdelta|\bvs\b|versus|\bdiff|\bgap\b|baseline|improve|\bgain|\bchange|overhead|slow|speed[- ]?up|relative|reduction|penalty|%"
)
SIZE = re.compile(r"(?i)\s*\((?:n\s*=\s*\d+|\d+ (?:seeds|runs))\)\s*$")  # behind the name of a group
# a column of what each row is held against
AGAINST = re.compile(r"(?i)\W*(?:against|vs\.?|versus|compared (?:to|with)|relative to|baseline|reference)\W*")


class Head(Struct, frozen=True):
    """What a header cell, or the label of a row, says."""

    text: str
    terms: tuple[Term, ...] = ()
    step: int | None = None
    runs: Runs = frozenset()
    name: bool = False  # whether its cells name runs

    @property
    def quantity(self) -> Term | None:
        """The first quantity that it names."""
        return self.terms[0] if self.terms else None

    @property
    def is_setting(self) -> bool:
        """Whether its cells are settings, which tell runs apart."""
        return bool(self.terms) and (self.terms[0].is_setting or self.terms[0].quantity == "n_steps")

    @property
    def is_measured(self) -> bool:
        """Whether its cells are values of a metric."""
        return bool(self.terms) and "/" in self.terms[0].quantity

    @property
    def leaves_open(self) -> bool:
        """Whether it leaves it to the line above to say what the numbers are."""
        return self.step is not None or bool(self.runs) or set(tokens(self.text)) <= GENERIC


class Grid:
    """Heads and rows; runs stand in the rows, quantities in the columns."""

    def __init__(self, table: Table, world: World) -> None:
        self.world = world
        self.rows = [list(r) for r in table.rows]
        self.heads = self._heads()
        if self._is_turned():
            width = max(len(r) for r in self.rows)
            blank = self.rows[0][0].cut(0, 0)
            self.rows = [[r[i] if i < len(r) else blank for r in self.rows] for i in range(width)]
            self.heads = self._heads()
        self.body = [row[: len(self.heads)] for row in self.rows[1:]]
        first = self.heads[0].quantity
        self.labelled = first is None and not self.heads[0].name and self._is_labelled()
        self.by_step = bool(first and first.quantity in ("step", "n_steps") and len(self.heads) > 1)

    def _heads(self) -> list[Head]:
        """The header; a word that is a setting and a run is a run where its neighbours are runs."""
        heads = [self._head(c) for c in self.rows[0]]
        if any(h.runs for h in heads[1:]):
            return [heads[0], *(self._head(c, True) for c in self.rows[0][1:])]
        return heads

    def _head(self, text: Text, of_runs: bool = False) -> Head:
        plain = text.plain.strip()
        words = tokens(plain)
        name = bool(words) and set(words) <= NAMES
        terms = () if name or plain.lower().endswith(" of") else tuple(self.world.terms.scan(BESIDE_STEP.sub("", plain)))
        if of_runs and terms and all(t.is_setting for t in terms) and self.world.subjects.is_name(words):
            terms = ()  # a run that is called after a setting
        compares = COMPARES.search(plain) and not self.world.subjects.is_name(words)
        runs = frozenset() if terms or name or compares else self.world.subjects.named(plain)
        return Head(plain, terms, step_of(plain), runs, name)

    def _is_turned(self) -> bool:
        """Whether runs stand in the columns and quantities in the rows."""
        across = [h for h in self.heads[1:] if h.text]
        down = [self._head(r[0]) for r in self.rows[1:] if r and r[0].plain.strip()]
        if not across or not down or any(h.terms for h in across):
            return False
        return sum(bool(h.runs) for h in across) * 2 >= len(across) and sum(bool(h.terms) for h in down) * 2 >= len(down)

    def _is_labelled(self) -> bool:
        """Whether the first column says what the numbers of its row are."""
        down = [r[0].plain.strip() for r in self.body if r and r[0].plain.strip()]
        terms, subjects = self.world.terms, self.world.subjects
        understood = sum(bool(terms.scan(t)) and not terms.unknown(t) and not subjects.is_name(tokens(t)) for t in down)
        return bool(down) and understood * 2 >= len(down)

    def label(self, row: list[Text]) -> Head:
        """What the first cell of a row says of its numbers; nothing where it names a run."""
        return self._head(row[0]) if self.labelled and row else Head("")

    def step(self, row: list[Text]) -> int | None:
        """The step that a row is about, where the first column has steps."""
        found = numbers.find(row[0].plain) if self.by_step and row else ()
        return int(found[0].value) if len(found) == 1 and found[0].value == int(found[0].value) else None

    def names_runs(self, i: int) -> bool:
        """Whether the cells of a column name runs."""
        return self.heads[i].name or i == 0 and not self.heads[i].terms and self.heads[i].step is None
