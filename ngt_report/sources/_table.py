"""CSV and TSV tables: where the header is, what separates cells, and the rows with their line numbers."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from ngt_report import names
from ngt_report.files import InputFile
from ngt_report.sources._lines import head_lines, lines_of, torn_line
from ngt_report.sources._long import is_long, melted
from ngt_report.sources._scalars import ABSENT, is_result, metrics_of, number
from ngt_report.sources._shape import without_statistics
from ngt_report.text.late import late
from ngt_report.waist import Reading

DELIMITERS = ",\t;| "  # ' ' stands for two blanks or more
PRINTED = "| "  # of tables printed for people: with rulers, and text around them
_BARS = str.maketrans("\u2502\u2503\u2551\u00a6", "||||")
_MARKS = frozenset("*`_")
_MARKED = re.compile(r"(\*{1,3}|`{1,2}|_{1,3}(?=[-+.\d]))((?:(?!\1).)+)\1")
_WORDED = re.compile(  # a number with a word about its place, or with the mark of a footnote
    r"([-+]?\d[\d.,]*(?:e[-+]?\d+)?) ?(?:[*\u2020\u2021\u2190\u2713\u2705]"
    r"|\((?:the )?(?:final|last|best|end|first|start|init|initial|current|latest|done)\))",
    re.I,
)
_NUMBERED = re.compile(r"(?:^|_)(?:step|iter|iteration|epoch)s?(?:_|$)")
_PREFIX = re.compile(r"\[?\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[^\t]*[\]:>-] +(?=[^\s:\]]+\t)")
_RULER = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
_OPEN_BAR = late(r"(?<!\\)\|")
_ESCAPED = late(r"\\([\\`*_{}\[\]()#+\-.!|~<>])")
_FOLDER = late(r"\\[A-Za-z0-9]")
_ENDS = frozenset(")*\u2020\u2021\u2190\u2713\u2705")
LONGEST_RECORD = 50  # lines that one quoted record may span
DEEPEST_HEADER = 40  # lines before the header
_NAME = re.compile(r"[A-Za-z_#%$][^,;\t\n\"={}<>]{0,79}$")
_GAP = re.compile(r"[ \t]{2}")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+$")
csv.field_size_limit(1 << 20)


class Layout(Struct, frozen=True):
    """How a file's table is laid out."""

    delimiter: str
    columns: tuple[str, ...]  # as printed; '' where a cell has no name
    line: int  # of the header
    decimal_comma: bool = False
    logged: bool = False  # each line stands behind the prefix of a logger


class Row(Struct):
    """One record: its first line, how many lines it spans, and its cells."""

    line: int
    lines: int
    cells: list[str]


def cells_of(text: str, delimiter: str) -> list[str] | None:
    """The cells of one record; None when a quote is left open."""
    if delimiter == " ":
        return re.split(r"[ \t]{2,}", text.strip())
    if delimiter == "|":
        if "\\" in text:
            return _escaped_cells(text)
        text = text.translate(_BARS).strip()
        return [unmarked(c.strip()) for c in text.removeprefix("|").removesuffix("|").split("|")]
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        if "unexpected end" in str(error):
            return None
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return text.split(delimiter)


def _escaped_cells(text: str) -> list[str]:
    """The cells of a line of Markdown with backslashes: a bar behind one is text, unless all bars of the line are."""
    text = _bars(text.translate(_BARS)).strip()
    bare = _OPEN_BAR.split(text.removeprefix("|"))
    return [unmarked(_unescaped(c.strip())) for c in (bare if bare[-1] else bare[:-1])]


def _unescaped(cell: str) -> str:
    """A cell without the backslashes of Markdown; a path of Windows keeps those that it has."""
    return cell.replace("\\|", "|") if _FOLDER.search(cell) else _ESCAPED.sub(r"\1", cell)


def _bars(text: str) -> str:
    """A line all of whose bars are escaped, with plain ones."""
    return text.replace("\\|", "|") if "\\|" in text and not _OPEN_BAR.search(text) else text


def unmarked(cell: str) -> str:
    """A cell of Markdown without the marks of bold, italics and code around the whole of it, or around its number."""
    while cell[:1] in _MARKS and (found := _MARKED.fullmatch(cell)):
        cell = found[2].strip()
    if cell[:1] in _MARKS and (found := _MARKED.match(cell)) and number(tidy(found[2], False)) is not None:
        return found[2] + cell[found.end() :]
    return cell


def layout_of(file: InputFile) -> Layout | None:
    """The layout, when the head holds a header with a metric's name and rows that fit it; remembered, for two formats ask."""
    if "layout" not in file.notes:
        lines = head_lines(file) if file.head else []
        file.notes["layout"] = _layout(lines) or (_logged(lines) if "\t" in file.text_head else None)
    found: Layout | None = file.notes["layout"]
    return found


def _layout(lines: list[str]) -> Layout | None:
    """The first line that is a header and is followed by its rows."""
    for number_, line in enumerate(lines[:DEEPEST_HEADER], 1):
        barred = line if line.isascii() else line.translate(_BARS)
        for delimiter in DELIMITERS:
            ruled = delimiter == "|" and _is_markdown(_below(lines, number_))
            if (delimiter in barred if delimiter != " " else _GAP.search(barred)) and (columns := _header(line, delimiter, ruled)):
                own = [t for t in _own(lines[number_:], delimiter) if not ruled or "|" in t or "loss" in t.lower()]
                body = [t for t in own if t.strip() and not t.startswith("#") and not _is_ruler(t, delimiter)]
                if _fits(columns, body, delimiter, number_ == 1 and delimiter not in PRINTED):
                    return Layout(delimiter, columns, number_, delimiter == ";" and _has_decimal_comma(body))
                if delimiter == " " and _fits(("", *columns), body, delimiter, False):  # pandas prints an index without a name
                    return Layout(delimiter, ("", *columns), number_)
    return None


def _logged(lines: list[str]) -> Layout | None:
    """The layout of a table that a logger printed, each line with its date and level before it."""
    bare = [unlogged(t) for t in lines]
    above = next((i for i, t in enumerate(bare) if t), len(bare))
    found = _layout(bare[above:])
    return Layout(found.delimiter, found.columns, found.line + above, logged=True) if found and found.delimiter == "\t" else None


def unlogged(text: str) -> str:
    """A line of tabs without the prefix of its logger, and without NaN where another number stands; empty for any other line."""
    found = _PREFIX.match(text) if "\t" in text else None
    cells = text[found.end() :].split("\t") if found else []
    if cells and not cells[-1].strip() and number(cells[0]) is None:
        cells.pop()  # what ends the header
    known = any(math.isfinite(number(c) or math.nan) for c in cells[1:])
    return "\t".join("" if known and c.strip().lower() == "nan" else c for c in cells)


def _is_ruler(text: str, delimiter: str) -> bool:
    """Whether a line only draws a table."""
    return delimiter in PRINTED and not any(c.isalnum() for c in text)


def _is_markdown(text: str) -> bool:
    """Whether a line is the ruler below the header of a table in Markdown."""
    return "|" in text and bool(_RULER.fullmatch(_ESCAPED.sub(r"\1", text) if "\\" in text else text))


def _is_next(text: str, below: str) -> bool:
    """Whether a line is the header of another table in Markdown."""
    return _is_markdown(below) and "|" in text and not any(number(tidy(c, False)) is not None for c in cells_of(text, "|") or ())


def _below(lines: list[str], at: int) -> str:
    """The line at a place, or the next where it is blank: some editors put a blank line between any two."""
    return next((t for t in lines[at : at + 2] if t.strip()), "")


def _own(lines: list[str], delimiter: str) -> list[str]:
    """The lines below a header that are of its table: a document in Markdown may hold another one."""
    if delimiter != "|":
        return lines
    held = [(i, text) for i, text in enumerate(lines) if text.strip()]
    return lines[: next((i for (i, text), (_, below) in pairwise(held) if _is_next(text, below)), None)]


def _header(line: str, delimiter: str, ruled: bool = False) -> tuple[str, ...] | None:
    """The column names of a header line, or None: names of which one is a metric's, and no numbers; a ruler below allows any words."""
    cells = cells_of(line.lstrip("# ").rstrip(), delimiter)
    if not cells or len(cells) < 2:
        return None
    columns = tuple(c.strip() for c in cells)
    named = [c for c in columns if c]
    if len(named) * 2 < len(columns) or any(number(c) is not None for c in named) or len(set(named)) < 2:
        return None
    if not ruled and delimiter in PRINTED and any(re.search(r"\d\d|\.\d", c) for c in named):
        return None
    if not ruled and (sum(bool(_NAME.match(c)) for c in named) < 0.8 * len(named) or any(len(c.split()) > 6 for c in named)):
        return None
    return columns if is_result(named) or is_result(without_statistics(named)) or is_long(named) else None


def _fits(columns: Sequence[str], body: Sequence[str], delimiter: str, on_top: bool) -> bool:
    """Whether the lines after a header are its rows: most have as many cells, and the metric's cells are numbers."""
    if not body:
        return on_top and all(re.fullmatch(r"[\w./%-]*", c) for c in columns)
    rows = list(_joined(body, delimiter))
    changed = (i for i, r in enumerate(rows) if len(r) != len(columns) and _header(delimiter.join(r), delimiter))
    rows = rows[: next(changed, len(rows))]  # another header: its rows have other columns
    right = [r for r in rows if len(r) == len(columns) or len(r) > len(columns) and not any(r[len(columns) :])]
    if len(rows) > 1 and len(right) < 0.7 * len(rows) or not right and len(body) > 1:
        return False
    metrics = [i for i, c in enumerate(columns) if c in metrics_of(tuple(columns))]
    cells = [r[i].strip() for r in right for i in metrics if r[i].strip().lower() not in ABSENT and r[i] != columns[i]]
    return sum(number(c.replace(",", ".")) is not None for c in cells) >= 0.5 * len(cells)


def _joined(lines: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    """Records of a sample, multi-line quoted ones joined, torn ones left out."""
    at = 0
    while at < len(lines):
        for end in range(at + 1, min(at + LONGEST_RECORD, len(lines)) + 1):
            cells = cells_of("\n".join(lines[at:end]), delimiter)
            if cells is not None:
                yield cells
                at = end - 1
                break
        at += 1


def _has_decimal_comma(body: Sequence[str]) -> bool:
    """Whether numbers are written 3,14: some cell is, and none is 3.14."""
    cells = [c.strip() for t in body[:200] for c in t.split(";")]
    return any(_DECIMAL_COMMA.match(c) for c in cells) and not any(re.fullmatch(r"-?\d+\.\d+", c) for c in cells)


class Table:
    """The rows of a file, with every line accounted for in its Reading."""

    def __init__(self, file: InputFile, layout: Layout, reading: Reading) -> None:
        self.layout = layout
        self.columns = layout.columns
        self._reading = reading
        self._torn = torn_line(file)
        self._lines = lines_of(file, reading)
        self._held: list[tuple[int, str]] = []  # lines read ahead of an open quote
        self._above: tuple[int, str] = (0, "")  # the line before
        self._heads: set[int] = set()  # lines with a ruler of Markdown below
        self._foreign = 0  # the header of another table, whose rows are passed over

    def rows(self) -> Iterator[Row]:
        """Rows with the right number of cells; `columns` follows a header that changes on the way."""
        held: Row | None = None
        for row in self._records():
            if held and self._keep(held):
                yield held
            held = row
        if held and self._torn and held.line + held.lines > self._reading.lines_read:
            self._reading.pending += held.lines
        elif held and self._keep(held):
            yield held

    def _next_line(self) -> tuple[int, str] | None:
        return self._held.pop(0) if self._held else next(self._lines, None)

    def _records(self) -> Iterator[Row]:
        """Records as written, multi-line quoted ones joined; preamble, blank and comment lines left out."""
        while (at := self._next_line()) is not None:
            line, text = at
            text = unlogged(text) if self.layout.logged else text
            if line < self.layout.line:
                self._reading.ignore("before the header")
            elif self.layout.logged and not text:
                self._reading.ignore("not of the table" if at[1].strip() else "blank")
            elif not text.strip(f" {self.layout.delimiter}") and self.layout.delimiter != "\t" or not text.strip():
                self._reading.ignore("blank")
            elif text.startswith("#") and line != self.layout.line:
                self._reading.ignore("comment")
            elif _is_ruler(text, self.layout.delimiter):
                self._reading.ignore("ruler")
                if self.layout.delimiter == "|" and _is_next(self._above[1], text):
                    self._heads.add(self._above[0])
            elif row := self._record(line, text):
                yield row
            self._above = at if text.strip() else self._above

    def _record(self, line: int, text: str) -> Row | None:
        """The record that begins on a line; bad when its quote is never closed."""
        cells, lines, ahead = cells_of(text, self.layout.delimiter), 1, list[tuple[int, str]]()
        while cells is None and lines < LONGEST_RECORD and (more := self._next_line()) is not None:
            ahead.append(more)
            text, lines = f"{text}\n{more[1]}", lines + 1
            cells = cells_of(text, self.layout.delimiter)
        if cells is None:
            self._held = ahead + self._held
            if self._torn and not ahead:
                return Row(line, 1, [])  # torn inside a quoted cell: pending, as the last record
            self._reading.bad.append((line, "a quote is not closed"))
            return None
        return Row(line, lines, cells)

    def _keep(self, row: Row) -> bool:
        """Whether a record is data; headers and misfits are accounted for here."""
        width, cells = len(self.columns), row.cells
        if row.line == self.layout.line:
            self._reading.ignore("header", row.lines)
        elif cells[0].strip() == self.columns[0] and tuple(c.strip() for c in cells) == self.columns:
            self._reading.ignore("repeated header", row.lines)
            self._foreign = 0
        elif row.line in self._heads or self._foreign:
            self._pass_over(row)
        elif len(cells) > width and not any(c.strip() for c in cells[width:]):
            row.cells = cells[:width]
            return True
        elif len(cells) != width and (columns := _header(self.layout.delimiter.join(cells), self.layout.delimiter)):
            self.columns = columns  # rows from here on have other columns
            self._reading.ignore("header", row.lines)
        elif len(cells) != width and self.layout.delimiter in PRINTED:
            self._reading.ignore("not of the table", row.lines)
        elif len(cells) != width:
            self._reading.bad.extend((row.line + i, f"{len(cells)} cells, the header has {width}") for i in range(row.lines))
        else:
            return True
        return False

    def _pass_over(self, row: Row) -> None:
        """A row of another table in Markdown, which may be about anything; where it speaks of results, a finding says so."""
        header = row.line in self._heads
        self._reading.ignore("header" if header else "of another table", row.lines)
        self._foreign = row.line if header else self._foreign
        if header and _header("|".join(row.cells), "|", True):
            text = "Another table with results begins here; its columns are others, and it is not read."
            self._reading.note("info", "another_table", text, None, row.line)


def tidy(cell: str, decimal_comma: bool) -> str:
    """A cell's text; with decimal commas, its number written with a point."""
    cell = cell.strip()
    if not decimal_comma and _THOUSANDS.match(cell):
        return cell.replace(",", "")
    return cell.replace(",", ".") if decimal_comma and _DECIMAL_COMMA.match(cell) else cell


def sample(file: InputFile, layout: Layout) -> list[dict[str, str]]:
    """The head's rows as records, empty cells left out."""
    records = []
    lines = _own(head_lines(file)[layout.line :], layout.delimiter)
    lines = [unlogged(t) for t in lines] if layout.logged else lines
    lines = [t for t in lines if t.strip() and not t.startswith("#") and not _is_ruler(t, layout.delimiter)]
    for cells in _joined(lines, layout.delimiter):
        if len(cells) >= len(layout.columns) and tuple(c.strip() for c in cells) != layout.columns:
            records.append(record_of(layout.columns, cells, layout.decimal_comma))
    return [r for r in records if r]


def record_of(columns: Sequence[str], cells: Sequence[str], decimal_comma: bool) -> dict[str, str]:
    """A row's cells by column, without the empty ones and those of columns without a name."""
    return melted({c: v for c, cell in zip(columns, cells, strict=False) if c and (v := _bare(c, tidy(cell, decimal_comma)))})


def _bare(column: str, cell: str) -> str:
    """A number without the word or the mark beside it, in a column of numbers: '60,000 (final)'."""
    if not cell or cell[-1] not in _ENDS or not (names.known_metric(column) or names.role(column) or _NUMBERED.search(names.clean(column))):
        return cell
    found = _WORDED.fullmatch(cell)
    return tidy(found[1], False) if found else cell


def unnamed(columns: Sequence[str]) -> list[int]:
    """Numbers (from 1) of the columns without a name, but for a leading index column as pandas writes it."""
    return [i + 1 for i, c in enumerate(columns) if not c and i or re.fullmatch(r"Unnamed: [1-9]\d*", c)]


def counters(columns: Sequence[str]) -> bool:
    """Whether a column counts steps, epochs or tokens."""
    return any(names.role(c) or names.clean(c) == "epoch" for c in columns)
