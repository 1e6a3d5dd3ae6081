"""Claims in the tool's own words: a sentence or a row that build writes of the data, word for word, claims what it does there."""

from __future__ import annotations

import bisect
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from ngt_report.verify import document, numbers
from ngt_report.verify.document import Document, Prose, Table, Text
from ngt_report.verify.evidence import Value
from ngt_report.verify.verdict import LEFT_OPEN, MATCH, MISMATCH, UNDECIDABLE, Outcome, hold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ngt_report.verify.numbers import Number
    from ngt_report.verify.verdict import Checked

OPTIONS = re.compile(r"(?i:rebuild):\s*`*ngtreport build\b[^\n`]*?(?P<options> --[a-z][^\n`]*?)?(?=\s*-->|`|\n|$)")
LETTER = re.compile(r"[^\W\d_]")
FEWEST = 3  # sections of ours that make a report one of the tool's, where it does not say so
ELSEWHERE = 3  # columns of ours that make a table one of ours under another heading
Path = tuple[str, ...]
Found = tuple[Text, "Number", "Own"]


class Own(Struct, frozen=True):
    """What became of a number that stands where build writes one, and how far that can be relied on."""

    outcome: Outcome
    beside: Number  # what build writes there
    signed: bool  # the report says that this very command wrote it
    alone: bool  # nothing else in its sentence or row differs


class Cell(Struct, frozen=True):
    """Words with numbers between them: a sentence, or a cell of a table."""

    text: Text
    found: Sequence[Number]
    words: str

    @staticmethod
    def of(text: Text) -> Cell:
        """A text taken apart."""
        found, out, at = numbers.find(text.plain), [], 0
        for n in found:
            out += [text.plain[at : n.start], f"\0{n.kind}\0"]
            at = n.end
        return Cell(text, found, " ".join("".join([*out, text.plain[at:]]).casefold().split()))

    def agree(self, other: Cell) -> int:
        """How many numbers hold beside the same words."""
        return sum(_same(a, b) for a, b in zip(self.found, other.found, strict=True)) if self.words == other.words else 0


class Unit(Struct, frozen=True):
    """A sentence, or a row of a table, with what its numbers are called."""

    cells: tuple[Cell, ...]
    names: tuple[str, ...]
    key: int = 0  # the cell that says what a row is about

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return sum(len(c.found) for c in self.cells)

    def agree(self, other: Unit) -> int:
        """How many of them another one has as well."""
        return sum(a.agree(b) for a, b in zip(self.cells, other.cells, strict=True))

    def worded_as(self, other: Unit) -> int:
        """How many of its cells have the words of another's."""
        return sum(a.words == b.words for a, b in zip(self.cells, other.cells, strict=True))

    def equals(self, other: Unit) -> bool:
        """Whether all words and numbers are those of another."""
        return self.agree(other) == self.size and self.worded_as(other) == len(self.cells)

    def named_as(self, other: Unit) -> bool:
        """Whether it is called as another."""
        return self.cells[self.key].text.plain.casefold() == other.cells[other.key].text.plain.casefold()


class Sheet(Struct, frozen=True):
    """A table that build writes."""

    heads: tuple[str, ...]
    top: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    lead: str

    def shared(self, heads: Sequence[str]) -> list[tuple[int, int]]:
        """The columns that another table has as well, with their places there."""
        return [(i, heads.index(h)) for i, h in enumerate(self.heads) if h in heads]

    def changed(self, other: Sheet) -> tuple[Cell, Cell] | None:
        """The one header of another table that has other numbers than its place here, with what is here."""
        ours = [c for h, c in zip(self.heads, self.top, strict=True) if h not in other.heads]
        theirs = [c for h, c in zip(other.heads, other.top, strict=True) if h not in self.heads]
        return (theirs[0], ours[0]) if len(ours) == len(theirs) == 1 and ours[0].words == theirs[0].words else None


def check_own(report: Document, source: str, written: Callable[[], str] | None) -> list[Found]:
    """Verdicts on the numbers of sentences and rows that build would write of the data; none where it was asked for something else."""
    said = options_of(source)
    if written is None or said is None and not _looks_ours(report):
        return []
    own = written()
    if said not in (None, options_of(own)):
        return []
    return list(_Reader(own, said is not None).check(report))


def _looks_ours(report: Document) -> bool:
    """Whether a report has some of the tool's sections, so that it is worth while to write ours."""
    from ngt_report.render import sections

    heads = {b.text.plain.strip() for b in report.blocks if isinstance(b, Prose) and b.kind == "heading"}
    return len(heads & sections()) >= FEWEST


def options_of(source: str) -> str | None:
    """The options of the command that a report says it was written by."""
    said = OPTIONS.search(source)
    return (said["options"] or "").strip() if said else None


class _Reader:
    """Summary.md as build would write it, by headings."""

    def __init__(self, source: str, signed: bool) -> None:
        self.signed = signed  # the report says which command wrote it, and that is this one
        self.starts = document.line_starts(source)
        self.sentences: dict[tuple[Path, str], list[Unit]] = defaultdict(list)
        self.sheets: dict[Path, list[Sheet]] = defaultdict(list)
        for block in document.read(source).blocks:
            path = _path(block)[1:]  # below the title
            if isinstance(block, Prose):
                for cell in _sentences(block):
                    self.sentences[path, cell.words].append(Unit((cell,), ("",)))
            else:
                self.sheets[path].append(_sheet(block))
        self.paths = {p for p, _ in self.sentences} | set(self.sheets)
        self.worded: dict[str, list[Unit]] = defaultdict(list)  # under any heading
        for (_, words), units in self.sentences.items():
            self.worded[words] += units

    def check(self, report: Document) -> Iterator[Found]:
        """All verdicts."""
        said: dict[tuple[Path | None, str], list[Unit]] = defaultdict(list)
        for block in report.blocks:
            path = self._place(_path(block))
            if isinstance(block, Table):
                yield from self._table(block, path)
                continue
            for cell in _sentences(block):
                said[path, cell.words].append(Unit((cell,), ("",)))
        for (path, words), units in said.items():
            ours = self.sentences.get((path, words), []) if path is not None else self.worded[words]
            yield from self._held(units, ours, path is None)

    def _place(self, path: Path) -> Path | None:
        """The headings of ours that a block stands under, whatever stands above these; None under others."""
        if not path:
            return path
        return next((path[i:] for i in range(len(path)) if path[i:] in self.paths), None)

    def _table(self, table: Table, path: Path | None) -> Iterator[Found]:
        """The rows of a table that has columns of one of ours: of the same section, or more of them under another heading."""
        mine, least = _sheet(table), 2 if path is not None else ELSEWHERE
        sheets = self.sheets[path] if path is not None else [s for each in self.sheets.values() for s in each]
        fit = [s for s in sheets if s.heads[0] == mine.heads[0] and len(s.shared(mine.heads)) >= least]
        fit = [s for s in fit if s.lead == mine.lead] or fit
        if len(fit) != 1:
            return
        if head := fit[0].changed(mine):
            yield from self._cell(*head, "the header, as build writes it", False)
        places = fit[0].shared(mine.heads)
        key = next((k for k, (i, _) in enumerate(places) if any(LETTER.search(_plain(row[i])) for row in fit[0].rows)), 0)
        names = tuple(fit[0].heads[i] for i, _ in places)
        rows = [Unit(tuple(row[i] for i, _ in places), names, key) for row in fit[0].rows if len(row) == len(fit[0].heads)]
        wide = [row for row in mine.rows if len(row) == len(mine.heads)]
        yield from self._held([Unit(tuple(row[j] for _, j in places), names, key) for row in wide], rows, path is None)

    def _held(self, units: Sequence[Unit], ours: Sequence[Unit], elsewhere: bool) -> Iterator[Found]:
        """Verdicts on the numbers of sentences or rows that are some of ours; under another heading at most one number may differ."""
        for unit, own in _paired(units, ours):
            alone = unit.agree(own) >= max(unit.size - 1, 1)
            if elsewhere and not (alone and unit.size > 1):
                continue
            for name, cell, other in zip(unit.names, unit.cells, own.cells, strict=True):
                if cell.words == other.words:
                    of = f"{name} of {own.cells[own.key].text.plain.strip()}" if name else "this sentence"
                    yield from self._cell(cell, other, f"{of}, as build writes it", alone)

    def _cell(self, cell: Cell, other: Cell, claim: str, alone: bool) -> Iterator[Found]:
        """Verdicts on the numbers of a cell or a sentence that has the words of one of ours."""
        for a, b in zip(cell.found, other.found, strict=True):
            yield cell.text, a, Own(self._outcome(a, b, other, claim), b, self.signed, alone)

    def _outcome(self, number: Number, own: Number, cell: Cell, claim: str) -> Outcome:
        """A number against the one that stands in its place in ours."""
        line = bisect.bisect_right(self.starts, cell.text.places[own.start])
        value = Value(own.value, f"Summary.md:{line} of a build", low=own.value - own.half, high=own.value + own.half)
        return hold(replace(number, bound="", plus=False), [value], claim)


def _path(block: Prose | Table) -> Path:
    return tuple(h.plain.strip().casefold() for h in block.context.headings)


def _sentences(block: Prose) -> Iterator[Cell]:
    return (cell for s in block.sentences() if (cell := Cell.of(s)).found)


def _sheet(table: Table) -> Sheet:
    heads = tuple(h.plain.strip().casefold() for h in table.rows[0])
    rows = tuple(tuple(map(Cell.of, row)) for row in table.rows[1:])
    return Sheet(heads, tuple(map(Cell.of, table.rows[0])), rows, Cell.of(table.context.lead).words)


def _plain(cell: Cell) -> str:
    """The words of a cell without its numbers."""
    return re.sub(r"\0\w+\0", "", cell.words)


def _same(a: Number, b: Number) -> bool:
    return a.kind == b.kind and a.rounds(b.value)


# -- which of ours a sentence or a row is ---------------------------------------------------------------------------------
def _paired(units: Sequence[Unit], ours: Sequence[Unit]) -> Iterator[tuple[Unit, Unit]]:
    """Each unit with the one of ours that it is, where that is beyond doubt."""
    free, rest = list(ours), []
    for unit in units:
        own = next((o for o in free if unit.equals(o)), None)
        if own is None:
            rest.append(unit)
            continue
        free.remove(own)
        yield unit, own
    for unit in rest:
        own = _nearest(unit, free) or next((o for o in ours if unit.equals(o)), None)
        if own is not None:
            yield unit, own


def _nearest(unit: Unit, free: Sequence[Unit]) -> Unit | None:
    """The one of ours that is more like a unit than any other: it has its name and half of its numbers, or all but one of these."""
    named = [o for o in free if unit.named_as(o)] if len(unit.cells) > 1 else list(free)
    least = unit.size // 2 if named else max(unit.size - 1, 1)
    alike = named or [o for o in free if unit.cells[unit.key].words == o.cells[o.key].words]
    scores = sorted(((unit.worded_as(o), unit.agree(o), i) for i, o in enumerate(alike)), reverse=True)
    if not scores or scores[0][1] < least or len(scores) > 1 and scores[0][:2] == scores[1][:2]:
        return None
    return alike[scores[0][2]]


# -- what stands ------------------------------------------------------------------------------------------------------------
def settle(found: Sequence[Checked], own: Iterable[tuple[Checked, Own]]) -> list[Checked]:
    """The verdicts that stand: what the words alone say of a number, or its place in what build writes.

    A report that does not say how it was built may rest on other options: if so, some number is right that is another one in ours.
    """
    places = {(c.start, c.end): (c, how) for c, how in own}
    pairs = [(c, *places.get((c.start, c.end), (None, None))) for c in found]
    foreign = any(how and not how.signed and c.verdict == MATCH and o and o.verdict == MISMATCH for c, o, how in pairs)
    return [c if o is None or how is None or foreign and o.verdict != MATCH else _settled(c, o, how) for c, o, how in pairs]


def _settled(found: Checked, own: Checked, how: Own) -> Checked:
    certain = how.signed and how.alone
    if found.verdict == MATCH:
        return own if own.verdict == MISMATCH and certain else found
    if found.verdict == MISMATCH:
        known = found.value is not None and how.beside.rounds(found.value)  # and it has the line of the file
        return found if own.verdict != MATCH and (known or own.verdict == UNDECIDABLE) else own
    left_open = own.verdict == MISMATCH and not certain and (found.note or "").endswith(LEFT_OPEN)
    return found if own.verdict == UNDECIDABLE or left_open else own
