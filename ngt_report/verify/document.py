"""A Markdown report as tables and prose, each character with its place in the file; code blocks are no claims and are left out."""

from __future__ import annotations

import bisect
import re
from html import unescape
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

# typographic characters as the ASCII ones that mean the same, one for one, so that places stay
PLAIN = str.maketrans("‘’‚“”„−–—‐‑×≈∼·\u00a0\u2009\u202f\u2007⁓", "'''\"\"\"-----x~~  " + "   ~")
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9+~-])|(?<=\w\w\w[.!?])\s+(?=[a-z])|\n")
ABBREVIATION = re.compile(r"(?i)\b(?:e\.g|i\.e|vs|approx|ca|cf|no|fig|sec|min|max|avg|std|resp|incl|etc)\.$")


class Text(Struct, frozen=True):
    """Words as a reader sees them; `places` has the offset in the file of every character."""

    plain: str
    places: tuple[int, ...]

    def cut(self, start: int, end: int) -> Text:
        """A part of it."""
        return Text(self.plain[start:end], self.places[start:end])


EMPTY = Text("", ())


class Context(Struct, frozen=True):
    """What stands above a table or a sentence: headings from the top down, list items it is nested in, the line before."""

    headings: tuple[Text, ...] = ()
    parents: tuple[Text, ...] = ()
    lead: Text = EMPTY


class Table(Struct, frozen=True):
    """Cells row by row, the header first."""

    rows: tuple[tuple[Text, ...], ...]
    context: Context


class Prose(Struct, frozen=True):
    """A paragraph, a heading or a list item."""

    text: Text
    context: Context
    kind: str  # paragraph, heading, item
    list_id: int = 0  # equal for the items of one list; 0 elsewhere

    def sentences(self) -> Iterator[Text]:
        """Its sentences."""
        start = 0
        for match in SENTENCE_END.finditer(self.text.plain):
            if not ABBREVIATION.search(self.text.plain[start : match.start()]):
                yield self.text.cut(start, match.start())
                start = match.end()
        if start < len(self.text.plain):
            yield self.text.cut(start, len(self.text.plain))


class Document(Struct):
    """All tables and prose in order."""

    blocks: list[Table | Prose] = field(default_factory=list)


def read(source: str) -> Document:
    """Parse Markdown with tables; HTML tables count as tables."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return _Reader(source, parser.parse(source)).document


def line_starts(source: str) -> list[int]:
    """Where each line begins."""
    return [0, *(m.end() for m in re.finditer("\r\n|\n|\r", source))]


class _Reader:
    """Walks the tokens once, keeping headings, list nesting and the line before."""

    def __init__(self, source: str, tokens: list[Token]) -> None:
        self.source, self.document = source, Document()
        self.starts = line_starts(source)
        self.headings: list[tuple[int, Text]] = []
        self.items: list[Text | None] = []
        self.lists: list[int] = []
        self.n_lists, self.lead, self.html_until = 0, EMPTY, -1
        self.rows: list[list[Text]] = []
        self.level = 0
        self.cursor = 0
        for token in tokens:
            self._take(token)

    def _take(self, token: Token) -> None:
        if token.type in ("inline", "html_block") and token.map and token.map[0] < self.html_until:
            return  # inside an HTML table that is read already
        handler = getattr(self, "_" + token.type, None)
        if handler:
            handler(token)

    # -- where text lies --------------------------------------------------------------------------------------------
    def _offset(self, line: int) -> int:
        return self.starts[line] if line < len(self.starts) else len(self.source)

    def _text(self, token: Token) -> Text:
        """The inline's visible text, located in the file."""
        first, last = token.map or [0, 0]
        self.cursor = max(self.cursor, self._offset(first))
        plain = "".join(_visible(token))
        places = locate(plain, self.source, self.cursor, self._offset(last))
        if places:
            self.cursor = places[-1] + 1
        return Text(plain.translate(PLAIN), places)

    # -- structure ----------------------------------------------------------------------------------------------------
    def _context(self) -> Context:
        parents = tuple(item for item in self.items[:-1] if item is not None) if self.items else ()
        return Context(tuple(t for _, t in self.headings), parents, self.lead)

    def _heading_open(self, token: Token) -> None:
        self.level = int(token.tag[1:])
        self.headings = [(level, text) for level, text in self.headings if level < self.level]
        self.lead = EMPTY

    def _heading_close(self, _: Token) -> None:
        self.level = 0

    def _bullet_list_open(self, _: Token) -> None:
        self.n_lists += 1
        self.lists.append(self.n_lists)

    _ordered_list_open = _bullet_list_open

    def _bullet_list_close(self, _: Token) -> None:
        self.lists.pop()
        if not self.lists:
            self.lead = EMPTY

    _ordered_list_close = _bullet_list_close

    def _list_item_open(self, _: Token) -> None:
        self.items.append(None)

    def _list_item_close(self, _: Token) -> None:
        self.items.pop()

    def _table_open(self, _: Token) -> None:
        self.rows = []

    def _tr_open(self, _: Token) -> None:
        self.rows.append([])

    def _table_close(self, _: Token) -> None:
        self._table(self.rows)
        self.rows = []

    def _table(self, rows: list[list[Text]]) -> None:
        filled = tuple(tuple(row) for row in rows if row)
        if filled:
            self.document.blocks.append(Table(filled, self._context()))
        self.lead = EMPTY

    def _inline(self, token: Token) -> None:
        text = self._text(token)
        if self.rows:
            self.rows[-1].append(text)
        elif self.level:
            self._prose(text, "heading")
            self.headings.append((self.level, text))
            self.level = 0
        elif self.items:
            context_item = self.items[-1] is None
            self._prose(text, "item" if context_item else "paragraph")
            if context_item:
                self.items[-1] = text
        else:
            self._prose(text, "paragraph")
            self.lead = text

    def _prose(self, text: Text, kind: str) -> None:
        context = self._context() if kind == "item" else replace(self._context(), lead=EMPTY)
        self.document.blocks.append(Prose(text, context, kind, self.lists[-1] if kind == "item" and self.lists else 0))

    def _html_block(self, token: Token) -> None:
        from ngt_report.verify.htmltables import read_html

        first, last = token.map or [0, 0]
        start = self._offset(first)
        opened = re.search(r"(?i)<table\b", token.content)
        end = self._offset(last)
        if opened:
            close = re.compile(r"(?i)</table\s*>").search(self.source, start)
            end = max(end, close.end()) if close else len(self.source)
            self.html_until = bisect.bisect_left(self.starts, end)
        for found in read_html(self.source, start, end):
            if isinstance(found, Text):
                self._prose(found, "paragraph")
                self.lead = found
            else:
                self._table(found)


def _visible(token: Token) -> Iterator[str]:
    """What of an inline a reader sees, line ends as blanks."""
    children = token.children or []
    for i, child in enumerate(children):
        after = children[i + 1] if i + 1 < len(children) else None
        if child.type in ("softbreak", "hardbreak"):
            yield "\n" if child.type == "hardbreak" or after is not None and after.type == "strong_open" else " "
        elif child.type == "image":
            yield " " * bool(child.content)
        elif child.type == "html_inline":
            yield " " if re.match(r"(?i)<br\b", child.content) else ""
        else:
            yield child.content


ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|\w{1,31});")


def locate(plain: str, source: str, start: int, end: int) -> tuple[int, ...]:
    """The offset of each visible character: what lies between them is markup."""
    places, at = [], start
    for char in plain:
        found = _next(char, source, at, end)
        if found is None:
            places.append(min(at, max(end - 1, start)))
            continue
        place, at = found
        places.append(place)
    return tuple(places)


def _next(char: str, source: str, at: int, end: int) -> tuple[int, int] | None:
    """Where a character stands at or after an offset, and where to go on."""
    while at < end:
        if source[at] == char or char in " \n" and source[at] in "\n\r\t ":
            return at, at + 1
        if source[at] == "&" and (entity := ENTITY.match(source, at)) and unescape(entity[0]) == char:
            return at, entity.end()
        at += 1
    return None
