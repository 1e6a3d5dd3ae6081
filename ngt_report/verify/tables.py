"""What the cells of a table claim: the quantity of their column or row, for the runs of their row or column, at the step that is said."""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from ngt_report.verify import numbers
from ngt_report.verify.comparisons import cell_compared, own_base, pair_above, pair_compared
from ngt_report.verify.evidence import Value
from ngt_report.verify.grid import GENERIC, Grid, Head
from ngt_report.verify.recompute import Options, higher_is_better, measure
from ngt_report.verify.relations import METHOD, TESTED, Frame
from ngt_report.verify.rows import Row, read_rows
from ngt_report.verify.subjects import tokens
from ngt_report.verify.terms import Term
from ngt_report.verify.verdict import MATCH, MISMATCH, UNDECIDABLE, Outcome, agrees, hold
from ngt_report.verify.wording import HEDGED_HEADING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ngt_report.verify.claims import World
    from ngt_report.verify.document import Table, Text
    from ngt_report.verify.numbers import Number
    from ngt_report.verify.subjects import Runs

MADE = re.compile(r"(?i)equal(?:\s+\w+)?\s+(?:time|tokens|cost|compute)|interpolat|linear between|smooth|\bema\b")  # held against nothing
UNSAID = re.compile(r"(?i)quanti[sz]|int8|expected|predict|target|p[- ]?value|confidence|interval|power|findings?\b")

HASHES = re.compile(r"(?i)\W*(?:sha-?\d*|md5|hash|checksum|fingerprint|(?:git )?commit)\W*")  # a column of these has no numbers
BARE_STEP = re.compile(r"(?i)(?:@|step)\s?[\d,]+k?")  # a header of losses, unless most of its cells are none
LOSS = Term(0, 0, "val/loss", text="val loss")


class Cell(Struct):
    """A number of a cell with its readings; the column decides which of them it means."""

    text: Text
    number: Number
    column: int
    claim: str
    runs: Runs = frozenset()
    options: Options | None = None
    note: str = "no file has it"
    certain: bool = True
    beside: frozenset[tuple[int, str]] = frozenset()  # column and text of the cells of its row


STEP_OF = {"best": "best_step", "last": "last_step"}


def _with_step(terms: Sequence[Term], found: Sequence[Number], text: str) -> bool:
    """Whether a cell is a value with its step: `4.55 @ 13.5k`, `4.5524 (13500)`."""
    value, step = found
    joined = re.fullmatch(r"\s?(?:@|at|\()\s?(?:step |iter(?:ation)? )?", text[value.end : step.start])
    whole = step.kind == "plain" and step.value == int(step.value) and step.value >= 10
    return (
        bool(joined) and whole and "/" in terms[0].quantity and (len(terms) == 1 or terms[1].quantity in ("step", "best_step", "last_step"))
    )


NUMERIC = re.compile(r"[-+±\d.,%eE\s]*")


def check_table(table: Table, world: World) -> list[tuple[Text, Number, Outcome]]:
    """A verdict on every number of a table, the header's first."""
    reader = _Reader(table, world)
    cells = [cell for row in reader.rows for cell in reader.cells(row)]
    reader.rank(cells)
    decided = list(zip(cells, decide(cells, reader.doubtful, reader.made), strict=True))
    wrong = {i for i, _ in enumerate(reader.grid.heads) if _all_wrong([o for c, o in decided if c.column == i])}
    return reader.head_steps(wrong) + [(c.text, c.number, o) for c, o in decided]


def _all_wrong(outcomes: list[Outcome]) -> bool:
    """Whether none of the values of a column is right, of two or more."""
    return len(outcomes) > 1 and all(o.verdict == MISMATCH for o in outcomes)


def _counts_up(ranked: list[Cell]) -> bool:
    """Whether places count up from 1; equal values share theirs."""
    places = [cell.number.value for cell in ranked]
    return all(place in (i, *places[max(i - 2, 0) : i - 1]) for i, place in enumerate(places, 1))


class _Reader:
    def __init__(self, table: Table, world: World) -> None:
        self.world, self.setting = world, world.setting(table.context)
        self.grid = Grid(table, world)
        self.rows = read_rows(self.grid, self.setting)
        above = [table.context.lead, *table.context.headings[-1:]]
        self.away = self.setting.unknown or any(HEDGED_HEADING.search(h.plain) for h in table.context.headings)
        self.frame = Frame.of((text.plain for text in above), self.grid)
        self.by_method = any(METHOD.search(text.plain) for text in above)
        self.made = not self.frame.kind and any(MADE.search(text.plain) for text in above)
        self.doubtful = self.made or not self.frame.kind and any(UNSAID.search(text.plain) for text in above)

    def head_steps(self, wrong: set[int]) -> list[tuple[Text, Number, Outcome]]:
        """The steps of the header: of a last value the last step, else one at which the runs were evaluated and have values below it."""
        out: list[tuple[Text, Number, Outcome]] = []
        runs = frozenset(r for row in self.rows for r in row.runs)
        for i, (cell, head) in enumerate(zip(self.grid.rows[0], self.grid.heads, strict=True)):
            for number, outcome in self.world.steps_said(cell, runs or self.setting.runs):
                if head.quantity and head.quantity.stat == "last":
                    ends = measure(self.world.evidence, self.world.subjects.current(self.setting.runs), "last_step", "each")["each"]
                    outcome = hold(number, ends, "the last step of " + self.world.who(self.setting.runs))
                if outcome.verdict == MATCH and (i in wrong or self._nothing_at(head, runs, int(number.value))):
                    outcome = replace(outcome, verdict=MISMATCH, note="none of the values below is of this step")
                out.append((cell, number, outcome))
        return out

    def _nothing_at(self, head: Head, runs: Runs, step: int) -> bool:
        """Whether none of the rows' runs was evaluated at the step of a column of validation losses."""
        term = head.quantity
        bare = term is None and not self.setting.quantities and bool(BARE_STEP.fullmatch(head.text))
        losses = bare or term is not None and term.quantity == "val/loss" and term.stat != "last"
        return losses and bool(runs) and not any(self.world.evidence.values(r, "val/loss", "at", step) for r in runs)

    def cells(self, row: Row) -> list[Cell]:
        """The numbers of a row with what they may claim; digits of a name are no numbers."""
        out: list[Cell] = []
        beside = frozenset((i, c.plain.strip()) for i, c in enumerate(row.cells))
        for i, text in enumerate(row.cells):
            if self.grid.names_runs(i) or i == 0 and row.label.terms or HASHES.fullmatch(self.grid.heads[i].text):
                continue
            found = self._outside_names(text.plain)
            terms = self._terms(i, row)
            for k, number in enumerate(found):
                term = self._term(terms, k, found, text.plain)
                out.append(self._cell(Cell(text, number, i, self.grid.heads[i].text or "a number", beside=beside), row, term))
        return out

    def _outside_names(self, text: str) -> Sequence[Number]:
        """The numbers of a cell, but for those within a run's whole name, `1765 steps (58bee41f)`."""
        found = numbers.find(text)
        if not found or not re.search(r"[^\W\d_]{2}", text):
            return found
        names = [m for m in self.world.subjects.scan(text) if m.strength > 2]
        return [n for n in found if not any(m.start <= n.start and n.end <= m.end for m in names)]

    def _terms(self, i: int, row: Row) -> tuple[Term, ...]:
        """The quantities of a cell: its column's, else its row's, else what stands above the table."""
        head = self.grid.heads[i]
        if head.terms or row.label.terms:
            return head.terms or row.label.terms
        if not head.leaves_open:
            return self._beside(row.cells[i].plain)
        return self.setting.quantities or ((LOSS,) if BARE_STEP.fullmatch(head.text) else ())

    def _beside(self, text: str) -> tuple[Term, ...]:
        """The quantity that a cell itself names: behind its only number (`+11.4% ppl`), or a setting before it (`subset val 50`)."""
        found = numbers.find(text)
        terms = self.world.terms.scan(text) if len(found) == 1 else []
        ours = len(terms) == 1 and (terms[0].end <= found[0].start if terms[0].is_setting else terms[0].start >= found[0].end)
        return tuple(terms) if ours else ()

    @staticmethod
    def _term(terms: tuple[Term, ...], k: int, found: Sequence[Number], text: str) -> Term | None:
        """The quantity of the k-th number of a cell: one each, or a mean and what stands behind its ±."""
        if terms and len(found) == 2 and re.fullmatch(r"\s?(?:±|\+/-|\+-)\s?", text[found[0].end : found[1].start]):
            return replace(terms[0], stat="std" if k else "mean")
        if terms and len(found) == 2 and _with_step(terms, found, text):
            return replace(terms[0], quantity=STEP_OF.get(terms[0].stat, "step"), stat="") if k else terms[0]
        return terms[k] if len(terms) == len(found) else terms[0] if terms and len(found) == 1 else None

    def _cell(self, cell: Cell, row: Row, term: Term | None) -> Cell:
        """Fill in what a cell claims."""
        head = self.grid.heads[cell.column]
        cell.runs = (row.runs & head.runs) or head.runs or row.runs
        if (related := self._related(cell, row, term)) is not None:
            cell.options, cell.certain = related, self.by_method
            return cell
        if not cell.runs and (pair := pair_above(self.rows, row)):
            cell.claim, cell.certain = f"{head.text} of {row.cells[0].plain.strip()}", False
            cell.options = pair_compared(self.world, pair, cell, term) if term else None
            return cell
        compared = cell_compared(self.grid, self.rows, self.setting, cell, row, term) if cell.runs else None
        if compared is not None:
            cell.claim, cell.options, cell.certain = f"{head.text} of {self.world.who(cell.runs)}", compared, False
        elif term is None:
            cell.note = f"the column {head.text!r} names no quantity that the data has"
        else:
            self._read(cell, row, term, head)
        return cell

    def _related(self, cell: Cell, row: Row, term: Term | None) -> Options | None:
        """Readings of a cell that no line of a log has; None for any other."""
        relations, against = self.world.relations, own_base(self.grid, row)
        if self.frame.kind and not (term and term.is_setting):
            return relations.framed(self.frame, self.grid, row, cell.column, term)
        if term is None or term.quantity not in {"ci", *TESTED}:
            return None
        if against:
            return relations.tested(cell.runs, against[0][1], term.quantity)
        return relations.interval(cell.runs, self.setting.step) if term.quantity == "ci" else {}

    def _read(self, cell: Cell, row: Row, term: Term, head: Head) -> None:
        """A cell whose quantity is known."""
        steps = (head.step, row.step if cell.column else None, row.label.step)
        step = next((s for s in steps if s is not None), None)
        at = f" @{step}" if step is not None else ""
        cell.claim = f"{term.stat + ' ' if term.stat else ''}{term.text.strip()}{at} of {self.world.who(cell.runs)}"
        cell.certain = term != LOSS and not self.world.terms.unknown(head.text)
        if cell.runs:
            cell.options = self._options(cell, row, term, step)
        elif term.is_setting and row.label.terms and set(tokens(head.text)) <= GENERIC and not self.away:
            cell.claim, cell.options = f"{term.text.strip()} of the runs", self._shared(cell.number, term)
        elif row.keys.get(cell.column):
            cell.options = {"what its runs have": row.keys[cell.column]}
        else:
            cell.note = "the row names no run that the data has"

    def _options(self, cell: Cell, row: Row, term: Term, step: int | None) -> Options:
        if term.quantity == "n":
            return self.world.counts(cell.runs) if term.text.lower() != "seeds" else self._seeds(cell.runs)
        if term.quantity == "rank":
            return {}
        if term.quantity == "step":
            return self._steps(cell)
        unit = f"{self.grid.heads[cell.column].text} {row.label.text if row.label.terms else ''}"
        return self.world.readings(term, cell.number, cell.runs, step, row.n, self.setting, unit)

    def _shared(self, number: Number, term: Term) -> Options:
        """A setting of no run in particular: what all of them have; of several values those of which one is meant."""
        values = self.world.setting_values(term.quantity, self.world.subjects.current(self.setting.runs))
        one = len({v.value for v in values}) == 1 or any(agrees(number, v.value) for v in values)
        return {"what the runs have": values} if values and one else {}

    def _seeds(self, runs: Runs) -> Options:
        """How many runs, or which seeds."""
        return {**self.world.counts(runs), "seed": [v for r in sorted(runs) for v in self.world.evidence.values(r, "setting:seed", "")]}

    def _steps(self, cell: Cell) -> Options:
        """A step beside a best loss is that of the best, beside a last one the last; steps in the first column are those of their rows."""
        if self.grid.by_step:
            return {"a step": self.world.near_steps(cell.number, self.world.subjects.current(self.setting.runs))}
        stats = {h.quantity.stat for h in self.grid.heads if h.quantity and h.is_measured}
        order = ("best_step", "last_step", "n_steps") if "best" in stats or "last" not in stats else ("last_step", "n_steps")
        return {q: v for q in order for v in measure(self.world.evidence, cell.runs, q).values()}

    # -- ranks ----------------------------------------------------------------------------------------------------------------
    def rank(self, cells: list[Cell]) -> None:
        """Places among the rows of this table, by its first metric; equal values share their places."""
        columns = {i for i, h in enumerate(self.grid.heads) if h.quantity and h.quantity.quantity == "rank"}
        ranked = [c for c in cells if c.column in columns]
        for part in self._rankings(ranked):
            self._rank(part)

    def _rank(self, ranked: list[Cell]) -> None:
        """Places of one ranking; rows of runs that no file has may stand anywhere."""
        term = next((h.quantity for h in self.grid.heads if h.is_measured), None)
        standing = [self._standing(term, c) if c.runs else None for c in ranked]
        known = [s[0] for s in standing if s is not None]
        unknown = len(ranked) - len(known)
        for cell, own in zip(ranked, standing, strict=True):
            if own is not None:
                before, ties = sum(k < own[0] for k in known), known.count(own[0])
                spans = {"low": before + 0.75, "high": before + ties + unknown + 0.25} if unknown else {}
                places = [Value(before + k, own[1], f"place among {len(known)} rows", **spans) for k in range(1, ties + 1)]
                cell.options = {"place among these rows": places}

    def _rankings(self, ranked: list[Cell]) -> list[list[Cell]]:
        """The cells of each ranking: a table has several if a column tells kinds of rows apart, each with its own places."""
        beside = [dict(cell.beside) for cell in ranked]
        for column in range(len(self.grid.heads)):
            kinds = [cells.get(column, "") for cells in beside]
            if self.grid.names_runs(column) or not any(kind and not NUMERIC.fullmatch(kind) for kind in kinds):
                continue
            parts = [[cell for _, cell in part] for _, part in groupby(zip(kinds, ranked, strict=True), lambda pair: pair[0])]
            if len(parts) > 1 and all(map(_counts_up, parts)):
                return parts
        return [ranked]

    def _standing(self, term: Term | None, cell: Cell) -> tuple[float, str] | None:
        """What a row is ranked by, lower first, and where it stands."""
        if term is None:
            options = measure(self.world.evidence, cell.runs, "val/loss", "best")
        else:
            options = self.world.readings(term, cell.number, cell.runs, None, None, self.setting)
        values = next(iter(options.values()), [])
        sign = -1 if term and higher_is_better(term.quantity) else 1
        return (sign * values[0].value, values[0].where) if values else None


# -- a column decides -----------------------------------------------------------------------------------------------------------
def decide(cells: list[Cell], doubtful: bool, made: bool) -> list[Outcome]:
    """Each column is read in the one way that most of its cells agree with."""
    votes: dict[int, Counter[str]] = {}
    sizes = Counter(c.column for c in cells if c.options)
    for c in cells:
        for label, values in (c.options or {}).items():
            votes.setdefault(c.column, Counter())[label] += any(agrees(c.number, v.value) for v in values)
    if made:
        return [
            Outcome(UNDECIDABLE, c.claim, note="what stands above the table makes it something else than a logged value") for c in cells
        ]
    return [_decided(c, votes.get(c.column, Counter()), sizes[c.column], doubtful) for c in cells]


def _decided(cell: Cell, votes: Counter[str], size: int, doubtful: bool) -> Outcome:
    """The verdict on a cell. A column that is not certain counts only when most of its cells agree."""
    if not cell.options:
        return Outcome(UNDECIDABLE, cell.claim, note=cell.note)
    chosen = max(cell.options, key=lambda label: votes[label])
    outcome = hold(cell.number, cell.options[chosen], cell.claim)
    agreed = votes[chosen]
    if (doubtful or not cell.certain) and (agreed * 2 < size or agreed < 2 < size):
        return Outcome(UNDECIDABLE, cell.claim, outcome.value, "how this column is meant is not certain")
    if doubtful and (outcome.verdict != MATCH or agreed * 4 < size * 3):  # what agrees by chance is no match either
        return Outcome(UNDECIDABLE, cell.claim, outcome.value, "what stands above the table makes it something else than a logged value")
    return outcome
