"""Which runs a row is about: by name, by the values of settings in its cells, within what stands above the table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct, field

from ngt_report.verify import numbers
from ngt_report.verify.grid import AGAINST, COMPARES, SIZE, Grid, Head
from ngt_report.verify.subjects import tokens
from ngt_report.verify.verdict import agrees

if TYPE_CHECKING:
    from ngt_report.verify.claims import Setting
    from ngt_report.verify.document import Text
    from ngt_report.verify.evidence import Value
    from ngt_report.verify.subjects import Runs

TELLING = frozenset({"flags", "checkpoint", "file", "log"})  # columns that only narrow what a name says


class Row(Struct, frozen=True):
    """A row and the runs it is about."""

    cells: list[Text]
    runs: Runs
    n: int | None  # how many seeds it says
    label: Head
    step: int | None
    keys: dict[int, list[Value]] = field(default_factory=dict)  # columns whose numbers told the runs -> what these numbers may be


def read_rows(grid: Grid, setting: Setting) -> list[Row]:
    """All rows but the header."""
    reader = _Reader(grid, setting)
    return [reader.row(cells) for cells in grid.body]


class _Reader:
    def __init__(self, grid: Grid, setting: Setting) -> None:
        self.grid, self.setting, self.world = grid, setting, grid.world
        self.keys = {h.quantity.quantity.removeprefix("setting:") for h in grid.heads if h.quantity and h.is_setting}
        self.keys |= {h.text for h in grid.heads}

    def row(self, cells: list[Text]) -> Row:
        """A row with its runs."""
        runs, keys = self._subject(cells)
        return Row(cells, runs, self._count(cells), self.grid.label(cells), self.grid.step(cells), keys)

    def _count(self, cells: list[Text]) -> int | None:
        """The number of seeds in the row, else in what stands above the table."""
        for head, cell in zip(self.grid.heads, cells, strict=False):
            found = numbers.find(cell.plain)
            if head.quantity and head.quantity.quantity == "n" and len(found) == 1 and found[0].value == int(found[0].value):
                return int(found[0].value)
        return self.setting.n

    def _subject(self, cells: list[Text]) -> tuple[Runs, dict[int, list[Value]]]:
        """The runs of a row, and for columns whose numbers told them what these numbers may be."""
        first = self._within(cells, self.setting.runs_without(self.keys))
        if self._fits(cells, first[0]):
            return first
        wider = self._within(cells, self.setting.runs_without(self.keys | {""}))  # a name in a heading is a hint, not a limit
        return wider if self._fits(cells, wider[0]) else first

    def _fits(self, cells: list[Text], runs: Runs) -> bool:
        """Whether the runs have the settings that their row says, and are as many seeds."""
        said = self._count(cells)
        if said is not None and said != self.setting.n and len(runs) < said and self.world.one_group(runs):
            return False
        for head, cell in zip(self.grid.heads, cells, strict=False):
            found = numbers.find(cell.plain)
            if head.quantity and head.quantity.is_setting and len(found) == 1:
                values = [v for r in runs for v in self.world.evidence.values(r, head.quantity.quantity, "")]
                if values and not any(agrees(found[0], v.value) for v in values):
                    return False
        return bool(runs)

    def _within(self, cells: list[Text], runs: Runs) -> tuple[Runs, dict[int, list[Value]]]:
        """The runs of a row among some."""
        named = False
        unnamed = any(SIZE.sub("", c.plain).strip() == "-" and self.grid.names_runs(i) for i, c in enumerate(cells))
        for i in self._order(cells):
            found = self._of_cell(i, cells[i].plain.strip(), runs, named)
            if found:
                runs, named = found, True
            elif self.grid.names_runs(i):
                unnamed = True
        if unnamed and not named:
            return frozenset(), {}
        return self._by_settings(cells, runs, named)

    def _order(self, cells: list[Text]) -> list[int]:
        """Columns with words, those that name runs first."""
        worded = [i for i, c in enumerate(cells) if c.plain.strip() and (self._worded(c.plain) or self._names_one(i, c.plain.strip()))]
        return sorted(worded, key=lambda i: (not self.grid.names_runs(i), self.grid.heads[i].text.lower() in TELLING))

    @staticmethod
    def _worded(plain: str) -> bool:
        return not numbers.find(plain) or bool(re.search(r"[^\W\d_]{2}", plain))

    def _names_one(self, i: int, plain: str) -> bool:
        """Whether a number in a column of names is the name of a run, or a setting's value that is a word elsewhere."""
        if not self.grid.names_runs(i):
            return False
        key = self.world.key_of(self.grid.heads[i].text) or ""
        subjects, runs = self.world.subjects, self.world.evidence.runs.values()
        return plain in subjects.literal or any(r.settings.get(key) == plain or self._heads(r.name, plain) for r in runs)

    @staticmethod
    def _heads(name: str, plain: str) -> bool:
        """Whether a name begins with these words: a group of seeds is called by what their names share."""
        return name.startswith(plain) and not name[len(plain)].isalnum() if len(name) > len(plain) else False

    def _of_cell(self, i: int, plain: str, runs: Runs, named: bool) -> Runs:
        """The runs among these that a cell of words means: by a setting's value, else by name."""
        plain = SIZE.sub("", plain)
        head, words = self.grid.heads[i], tokens(plain)
        if COMPARES.search(head.text) or AGAINST.fullmatch(head.text) or head.terms and not head.terms[0].is_setting:
            return frozenset()
        key = self.world.key_of(head.text)
        if key and words:
            same = frozenset(r for r in runs if tokens(str(self.world.evidence.runs[r].settings.get(key, ""))) == words)
            if same:
                return same
        if key and plain == "-" and (bare := frozenset(r for r in runs if self.world.evidence.runs[r].settings.get(key) is None)):
            return bare
        found = self.world.prefer(self.world.subjects.named(plain))
        return found & runs or (found if self.grid.names_runs(i) and not named else frozenset())

    def _by_settings(self, cells: list[Text], runs: Runs, named: bool) -> tuple[Runs, dict[int, list[Value]]]:
        """Narrow the runs by the numbers of setting columns, as long as they are several."""
        keys: dict[int, list[Value]] = {}
        for i, (head, cell) in enumerate(zip(self.grid.heads, cells, strict=False)):
            found = numbers.find(cell.plain)
            if head.quantity is None or not head.is_setting or len(found) != 1 or self.world.one_group(runs):
                continue
            if named and self.world.is_sweep(runs):
                continue  # a phase: its settings are those of its best run
            values = {r: v for r in sorted(runs) if (v := self.world.evidence.values(r, head.quantity.quantity, ""))}
            keys[i] = [v for each in values.values() for v in each]
            runs = frozenset(r for r, own in values.items() if any(agrees(found[0], v.value) for v in own))
            if not runs:
                break
        return self.world.subjects.current(runs), keys
