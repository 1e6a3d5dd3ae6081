"""What the cells of a table claim: the quantity of their column or row, for the run of their row or column, at the step that is said."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ngt_report.verify import numbers
from ngt_report.verify.comparisons import COMPARES, columns_compared
from ngt_report.verify.evidence import Value
from ngt_report.verify.recompute import Options, higher_is_better, measure
from ngt_report.verify.subjects import tokens
from ngt_report.verify.terms import Term, step_of
from ngt_report.verify.verdict import MATCH, UNDECIDABLE, Outcome, agrees, hold

if TYPE_CHECKING:
    from ngt_report.verify.claims import Setting, World
    from ngt_report.verify.document import Table, Text
    from ngt_report.verify.numbers import Number
    from ngt_report.verify.subjects import Runs

NAMES = frozenset(
    "run runs name model experiment variant config configuration method phase id job trial log file system setup arch architecture ablation"
    " approach checkpoint flags".split()
)
TELLING = frozenset({"flags", "checkpoint", "file", "log"})  # columns that only narrow what a name says
GENERIC = frozenset("value values result results score number figure".split())
UNSAID = re.compile(
    r"(?i)equal(?:\s+\w+)?\s+(?:time|tokens|cost|compute)|interpolat|linear between|smooth|\bema\b|quanti[sz]|int8|expected|predict|target"
    r"|p[- ]?value|confidence|interval|power|noise|findings?\b"
)


@dataclass(frozen=True)
class Head:
    """What a header cell, or the label of a row, says."""

    text: str
    terms: tuple[Term, ...]
    step: int | None
    runs: Runs
    name: bool  # whether its cells name runs

    @property
    def quantity(self) -> Term | None:
        """The first quantity that it names."""
        return self.terms[0] if self.terms else None


@dataclass
class Cell:
    """A number of a cell with its readings; the column decides which of them it means."""

    text: Text
    number: Number
    claim: str
    options: Options
    note: str | None = None
    certain: bool = True
    column: int = 0
    runs: Runs = frozenset()


def check_table(table: Table, world: World) -> list[tuple[Text, Number, Outcome]]:
    """A verdict on every number of a table."""
    return _Reader(table, world).outcomes()


class _Reader:
    def __init__(self, table: Table, world: World) -> None:
        self.world = world
        self.setting: Setting = world.setting(table.context)
        self.lead = table.context.lead.plain
        self.rows = [list(r) for r in table.rows]
        self.heads = self._read_heads()
        self.turned = self._is_turned()
        if self.turned:
            width = max(len(r) for r in self.rows)
            blank = self.rows[0][0].cut(0, 0)
            self.rows = [[r[i] if i < len(r) else blank for r in self.rows] for i in range(width)]
            self.heads = self._read_heads()
        self.labelled = not self.heads[0].terms and not self.heads[0].name and self._labels()
        self.doubtful = bool(UNSAID.search(self.lead) or any(UNSAID.search(h.plain) for h in table.context.headings[-1:]))

    def _read_heads(self) -> list[Head]:
        """The header; a word that is a setting and a run is a run where its neighbours are runs."""
        heads = [self._head(c) for c in self.rows[0]]
        if any(h.runs for h in heads[1:]):
            return [heads[0], *(self._head(c, True) for c in self.rows[0][1:])]
        return heads

    def _head(self, text: Text, of_runs: bool = False) -> Head:
        plain = text.plain.strip()
        terms = tuple(self.world.terms.scan(plain))
        words = tokens(plain)
        name = bool(words) and set(words) <= NAMES
        if of_runs and terms and all(t.is_setting for t in terms) and self.world.subjects.is_name(words):
            terms = ()  # a run that is called after a setting
        runs = frozenset() if terms or name or COMPARES.search(plain) else self.world.subjects.named(plain)
        return Head(plain, terms, step_of(plain), runs, name)

    def _is_turned(self) -> bool:
        """Whether runs stand in the columns and quantities in the rows."""
        across = [h for h in self.heads[1:] if h.text]
        down = [self._head(r[0]) for r in self.rows[1:] if r and r[0].plain.strip()]
        if not across or not down:
            return False
        named = sum(bool(h.runs) for h in across)
        return named * 2 >= len(across) and sum(bool(h.terms) for h in down) * 2 >= len(down) and not any(h.terms for h in across)

    def _labels(self) -> bool:
        """Whether the first column says what the numbers of its row are."""
        down = [r[0].plain.strip() for r in self.rows[1:] if r and r[0].plain.strip()]
        understood = sum(
            bool(self.world.terms.scan(t)) and not self.world.terms.unknown(t) and not self.world.subjects.is_name(tokens(t)) for t in down
        )
        return bool(down) and understood * 2 >= len(down)

    # -- rows -------------------------------------------------------------------------------------------------------------
    def _keys(self) -> set[str]:
        """Settings that the table itself has in its columns."""
        found = {
            h.quantity.quantity.removeprefix("setting:")
            for h in self.heads
            if h.quantity and (h.quantity.is_setting or h.quantity.quantity == "n_steps")
        }
        return found | {h.text for h in self.heads}

    def _subject(self, row: list[Text]) -> tuple[Runs, dict[int, list[Value]]]:
        """The runs of a row, and for columns whose numbers told them what these numbers may be."""
        keys = self._keys()
        first = self._within(row, self.setting.runs_without(keys))
        if self._fits(row, first[0]):
            return first
        wider = self._within(row, self.setting.runs_without(keys | {""}))  # a name in a heading is a hint, not a limit
        return wider if self._fits(row, wider[0]) else first

    def _fits(self, row: list[Text], runs: Runs) -> bool:
        """Whether the runs have the settings that their row says."""
        for head, cell in zip(self.heads, row, strict=False):
            found = numbers.find(cell.plain)
            if head.quantity and head.quantity.is_setting and len(found) == 1:
                values = [v for r in runs for v in self.world.evidence.values(r, head.quantity.quantity, "")]
                if values and not any(agrees(found[0], v.value) for v in values):
                    return False
        return bool(runs)

    def _within(self, row: list[Text], runs: Runs) -> tuple[Runs, dict[int, list[Value]]]:
        """The runs of a row among some."""
        named = unnamed = False
        order = sorted(
            range(min(len(row), len(self.heads))), key=lambda i: (not self._names_runs(i), self.heads[i].text.lower() in TELLING)
        )
        for i in order:
            plain = row[i].plain.strip()
            if not plain or (numbers.find(plain) and not re.search(r"[A-Za-z]{2}", plain)):
                continue
            found = self._of_cell(i, plain, runs, named)
            if found:
                runs, named = found, True
            elif self._names_runs(i):
                unnamed = True
        if unnamed and not named:
            return frozenset(), {}
        return self._by_settings(row, runs, named)

    def _names_runs(self, i: int) -> bool:
        return self.heads[i].name or i == 0 and not self.heads[i].terms and self.heads[i].step is None

    def _of_cell(self, i: int, plain: str, runs: Runs, named: bool) -> Runs:
        """The runs among these that a cell of words means: by a setting's value, else by name."""
        head, words = self.heads[i], tokens(plain)
        if COMPARES.search(head.text) or head.terms and not head.terms[0].is_setting:
            return frozenset()
        key = self.world.key_of(head.text)
        if key:
            same = frozenset(r for r in runs if tokens(str(self.world.evidence.runs[r].settings.get(key, ""))) == words and words)
            if same:
                return same
        found = self.world.prefer(self.world.subjects.named(plain))
        return found & runs or (found if self._names_runs(i) and not named else frozenset())

    def _by_settings(self, row: list[Text], runs: Runs, named: bool) -> tuple[Runs, dict[int, list[Value]]]:
        """Narrow the runs by the numbers of setting columns, as long as they are several."""
        used: dict[int, list[Value]] = {}
        for i, cell in enumerate(row[: len(self.heads)]):
            term = self.heads[i].quantity
            found = numbers.find(cell.plain)
            if term is None or not (term.is_setting or term.quantity == "n_steps") or len(found) != 1 or self.world.one_group(runs):
                continue
            if named and self.world.is_sweep(runs):
                continue  # a phase: its settings are those of its best run
            values = {r: v for r in sorted(runs) if (v := self.world.evidence.values(r, term.quantity, ""))}
            used[i] = [v for each in values.values() for v in each]
            runs = frozenset(r for r, own in values.items() if any(agrees(found[0], v.value) for v in own))
            if not runs:
                break
        return self.world.subjects.current(runs), used

    # -- cells ------------------------------------------------------------------------------------------------------------
    def outcomes(self) -> list[tuple[Text, Number, Outcome]]:
        """A verdict on every number, the header's first."""
        out = [(cell, n, o) for cell, head in zip(self.rows[0], self.heads, strict=True) for n, o in self._head_steps(cell, head)]
        cells: list[Cell] = []
        for row in self.rows[1:]:
            cells += self._row(row)
        cells = self._ranks(cells)
        return out + [(c.text, c.number, o) for c, o in zip(cells, self._decide(cells), strict=True)]

    def _head_steps(self, cell: Text, head: Head) -> list[tuple[Number, Outcome]]:
        """The steps of a header: of a last value the last step, else one at which the runs were evaluated."""
        if head.quantity and head.quantity.stat == "last":
            ends = measure(self.world.evidence, self.world.subjects.current(self.setting.runs), "last_step", "each")
            claim = "the last step of " + self.world.who(self.setting.runs)
            steps = [n for n, _ in self.world.steps_said(cell, self.setting)]
            return [(n, hold(n, [v for vs in ends.values() for v in vs], claim)) for n in steps]
        return self.world.steps_said(cell, self.setting)

    def _row(self, row: list[Text]) -> list[Cell]:
        runs, used = self._subject(row)
        n = self._count(row)
        label = self._head(row[0]) if row and self.labelled else None
        out: list[Cell] = []
        for i, text in enumerate(row[: len(self.heads)]):
            found = numbers.find(text.plain)
            if i == 0 and label and label.terms and not self.heads[0].terms:
                continue
            for k, number in enumerate(found):
                cell = self._cell(i, k, number, text, runs, used, n, label, len(found))
                if cell is not None:
                    cell.column = i
                    out.append(cell)
        return out

    def _count(self, row: list[Text]) -> int | None:
        for i, text in enumerate(row[: len(self.heads)]):
            term = self.heads[i].quantity
            found = numbers.find(text.plain)
            if term and term.quantity == "n" and len(found) == 1 and found[0].value == int(found[0].value):
                return int(found[0].value)
        return self.setting.n

    def _cell(
        self, i: int, k: int, number: Number, text: Text, runs: Runs, used: dict[int, list[Value]], n: int | None, label: Head | None,
        of: int,
    ) -> Cell | None:  # fmt: skip
        head = self.heads[i]
        terms = head.terms or (label.terms if label else ()) or (self.setting.quantities if self._generic(head) else ())
        term = terms[k] if len(terms) == of and of > 1 else terms[0] if terms and (of == 1 or k == 0) else None
        if head.name and not head.terms or self._names_runs(i) and not head.terms:
            return None  # a name that holds digits
        if head.runs:
            runs = (runs & head.runs) or head.runs
        compared = columns_compared(self, i, term, number, runs, n) if runs else None
        if compared is not None:
            return Cell(text, number, f"{head.text} of {self.world.who(runs)}", compared, certain=False, runs=runs)
        if term is None:
            return Cell(text, number, head.text or "a number", {}, f"the column {head.text!r} names no quantity that the data has")
        step = head.step if head.step is not None else label.step if label and label.step is not None and not self._names_runs(0) else None
        claim = self._said(term, runs, step)
        if not runs:
            return Cell(
                text, number, claim, {"what its runs have": used[i]} if used.get(i) else {}, "the row names no run that the data has"
            )
        options, certain = self._options(i, term, number, runs, step, n, label)
        return Cell(
            text, number, claim, options, certain=certain and not self.doubtful and not self.world.terms.unknown(head.text), runs=runs
        )

    def _generic(self, head: Head) -> bool:
        """Whether a header leaves it to the line above to say what the numbers are."""
        return head.step is not None or bool(head.runs) or set(tokens(head.text)) <= GENERIC

    def _said(self, term: Term, runs: Runs, step: int | None) -> str:
        who = self.world.who(runs)
        at = f" @{step}" if step is not None else ""
        return f"{term.stat + ' ' if term.stat else ''}{term.text.strip()}{at} of {who}"

    def _options(
        self, i: int, term: Term, number: Number, runs: Runs, step: int | None, n: int | None, label: Head | None
    ) -> tuple[Options, bool]:
        if term.quantity == "n":
            return self.world.counts(runs) if term.text.lower() != "seeds" else self._seeds(runs), True
        if term.quantity == "rank":
            return {}, True
        if term.quantity == "step":
            return self._steps(runs), True
        unit = f"{self.heads[i].text} {label.text if label and label.terms else ''}"
        return self.world.readings(term, number, runs, step, n, self.setting, unit), True

    def _seeds(self, runs: Runs) -> Options:
        """How many runs, or which seeds."""
        return {**self.world.counts(runs), "seed": [v for r in sorted(runs) for v in self.world.evidence.values(r, "setting:seed", "")]}

    def _steps(self, runs: Runs) -> Options:
        """A step beside a best loss is that of the best; beside a last one the last."""
        stats = {h.quantity.stat for h in self.heads if h.quantity and "/" in h.quantity.quantity}
        order = ("best_step", "last_step", "n_steps") if "best" in stats or "last" not in stats else ("last_step", "n_steps")
        return {q: v for q in order for v in measure(self.world.evidence, runs, q).values()}

    # -- a column decides ---------------------------------------------------------------------------------------------------
    def _ranks(self, cells: list[Cell]) -> list[Cell]:
        """Places among the rows of this table, by its first loss."""
        ranked = [c for c in cells if self.heads[c.column].quantity and self.heads[c.column].quantity.quantity == "rank"]  # type: ignore[union-attr]
        if not ranked:
            return cells
        term = next((h.quantity for h in self.heads if h.quantity and "/" in h.quantity.quantity), None)
        found = [self._standing(term, c) for c in ranked]
        for cell, own in zip(ranked, found, strict=True):
            if own is not None:
                before = sum(other is not None and other[0] < own[0] for other in found)
                ties = sum(other is not None and other[0] == own[0] for other in found)
                values = [Value(before + k, own[1], f"place among {len(found)} rows") for k in range(1, ties + 1)]
                cell.options = {"place among these rows": values}
        return cells

    def _standing(self, term: Term | None, cell: Cell) -> tuple[float, str] | None:
        """What a row is ranked by, lower first."""
        if term is None:
            options = measure(self.world.evidence, cell.runs, "val/loss", "best")
        else:
            options = self.world.readings(term, cell.number, cell.runs, None, None, self.setting)
        values = next(iter(options.values()), [])
        if not values:
            return None
        sign = -1 if term and higher_is_better(term.quantity) else 1
        return sign * values[0].value, values[0].where

    def _decide(self, cells: list[Cell]) -> list[Outcome]:
        """Each column is read in the one way that most of its cells agree with."""
        votes: dict[int, Counter[str]] = {}
        sizes = Counter(c.column for c in cells if c.options)
        for c in cells:
            for label, values in c.options.items():
                votes.setdefault(c.column, Counter())[label] += any(agrees(c.number, v.value) for v in values)
        return [self._decided(c, votes, sizes[c.column]) for c in cells]

    def _decided(self, cell: Cell, votes: dict[int, Counter[str]], size: int) -> Outcome:
        """The verdict on a cell. A column that is not certain counts only when most of its cells agree."""
        chosen = self._chosen(cell, votes)
        if chosen is None:
            return Outcome(UNDECIDABLE, cell.claim, note=cell.note or "no file has it")
        outcome = hold(cell.number, cell.options[chosen], cell.claim)
        agreed = votes[cell.column][chosen]
        if not cell.certain and (agreed * 2 < size or agreed < 2 < size):
            return Outcome(UNDECIDABLE, cell.claim, outcome.value, "how this column is meant is not certain")
        if self.doubtful and outcome.verdict != MATCH:
            return Outcome(
                UNDECIDABLE, cell.claim, outcome.value, "what stands above the table makes it something else than a logged value"
            )
        return outcome

    @staticmethod
    def _chosen(cell: Cell, votes: dict[int, Counter[str]]) -> str | None:
        """The reading that most cells of the column agree with, of equal ones the first."""
        return max(cell.options, key=lambda name: votes[cell.column][name]) if cell.options else None
