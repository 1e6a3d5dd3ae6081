"""HTML inside Markdown: its tables as rows of cells, its other text as paragraphs; comments, scripts and code are left out."""

from __future__ import annotations

from html.parser import HTMLParser

from ngt_report.verify.document import PLAIN, Text, locate

SILENT = frozenset({"script", "style", "pre", "head", "title", "template", "textarea"})
BLOCKS = frozenset("p div br li ul ol h1 h2 h3 h4 h5 h6 summary details section article blockquote caption table tr".split())


class _Parser(HTMLParser):
    """Collects cells and paragraphs of a piece of the file."""

    def __init__(self, source: str, start: int, end: int) -> None:
        super().__init__(convert_charrefs=True)
        self.source, self.at, self.end = source, start, end
        self.found: list[Text | list[list[Text]]] = []
        self.rows: list[list[Text]] | None = None
        self.words: list[str] = []
        self.in_cell = False
        self.silent = 0
        self.feed(source[start:end])
        self.close()
        self._flush()
        if self.rows:
            self.found.append(self.rows)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self.silent += 1
        if tag in BLOCKS and not self.in_cell:
            self._flush()
        if tag == "table" and self.rows is None:
            self.rows = []
        elif tag == "tr" and self.rows is not None:
            self._end_cell()
            self.rows.append([])
        elif tag in ("td", "th") and self.rows is not None:
            self._end_cell()
            self.in_cell = True
        elif tag == "br":
            self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT and self.silent:
            self.silent -= 1
        if tag in ("td", "th"):
            self._end_cell()
        elif tag == "table" and self.rows is not None:
            self._end_cell()
            self.found.append(self.rows)
            self.rows = None
        elif tag in BLOCKS and not self.in_cell:
            self._flush()

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.words.append(data)

    def _end_cell(self) -> None:
        if self.in_cell and self.rows is not None:
            if not self.rows:
                self.rows.append([])
            self.rows[-1].append(self._text())
        self.in_cell = False

    def _flush(self) -> None:
        text = self._text()
        if text.plain and self.rows is None:
            self.found.append(text)

    def _text(self) -> Text:
        plain = " ".join("".join(self.words).split())
        self.words = []
        places = locate(plain, self.source, self.at, self.end)
        if places:
            self.at = places[-1] + 1
        return Text(plain.translate(PLAIN), places)


def read_html(source: str, start: int, end: int) -> list[Text | list[list[Text]]]:
    """Paragraphs and tables of the HTML between two offsets, in order."""
    return _Parser(source, start, end).found
