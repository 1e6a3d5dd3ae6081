"""Documents: which split each belongs to, which are left out and why, and how long ones are cut for tokenising."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import NamedTuple

from ngt_train.errors import ConfigError
from ngt_train.manifest import SPLITS

FEW = 200  # fewer documents than this are split inside, at a line's end
PIECE = 1 << 16  # characters after which a long document is cut for tokenising
SAFE_CUT = re.compile(r"(?<=[^\W_])(?=\n)")  # between a letter or digit and a newline no pre-tokenizer joins


class Document(NamedTuple):
    """A text that begins with an end-of-text token of its own."""

    name: str  # where it comes from, for messages
    text: str
    split: str | None = None  # None: this program decides
    problem: str = ""  # why it has no text


# -- splits --------------------------------------------------------------------------------------------------------------
def assign_splits(documents: Iterable[Document], val: float, test: float) -> Iterator[Document]:
    """Give each document without a split one, always the same for the same text.

    From 200 documents on, the sha256 of the text decides, so copies never lie on both sides. Fewer documents are each cut at
    line ends: the head is train, then test, and the tail val.

    Args:
        val, test: fractions of the documents, or of each text.
    """
    stream = iter(documents)
    head = list(islice(stream, FEW))
    if any(d.split is None for d in head) and len(head) < FEW:
        for document in head:
            yield from _cut(document, val, test) if document.text and document.split is None else [document]
        return
    for document in chain(head, stream):
        yield document if document.split else document._replace(split=_by_hash(document.text, val, test))


def _by_hash(text: str, val: float, test: float) -> str:
    place = int.from_bytes(sha256(text)[:8]) / 2**64
    return "val" if place < val else "test" if place < val + test else "train"


def _cut(document: Document, val: float, test: float) -> Iterator[Document]:
    text = document.text
    bounds = [0, _line_end(text, 1 - val - test), _line_end(text, 1 - val), len(text)]
    for split, start, end in zip(("train", "test", "val"), bounds, bounds[1:], strict=False):
        if end > start:
            yield document._replace(text=text[start:end], split=split)


def _line_end(text: str, fraction: float) -> int:
    """The end of a line, else of a word, shortly before this fraction of the text; the very place where there is neither."""
    place = min(len(text), round(len(text) * fraction))
    if place == len(text):
        return place
    nearby = place - place // 10
    return text.rfind("\n", nearby, place) + 1 or text.rfind(" ", nearby, place) + 1 or place


def utf8(text: str) -> bytes:
    """The text's bytes; lone surrogates, which some decoders make, are kept apart."""
    return text.encode("utf-8", "surrogatepass")


def sha256(text: str) -> bytes:
    """Digest of a text in UTF-8."""
    return hashlib.sha256(utf8(text)).digest()


# -- filters and subsets ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which documents stay; every one left out is counted under its reason."""

    min_chars: int = 1
    max_chars: int | None = None
    match: str = ""  # a regular expression that must be found in the text
    exclude: str = ""  # one that must not
    deduplicate: bool = False  # leave out texts that came before, in whatever split
    limit: dict[str, int] = field(default_factory=dict)  # documents of a split at most

    def __post_init__(self) -> None:
        for key in ("match", "exclude"):
            try:
                re.compile(getattr(self, key))
            except re.error as e:
                raise ConfigError(f"{key} {getattr(self, key)!r} is not a regular expression: {e}") from e
        for split, count in self.limit.items():
            if split not in SPLITS or type(count) is not int or count < 0:
                raise ConfigError(f"limit {split}={count} is not a number of documents of one of {', '.join(SPLITS)}")

    def apply(self, documents: Iterable[Document], dropped: Counter[str]) -> Iterator[Document]:
        """The documents that stay, in order; `dropped` counts the others."""
        seen: set[bytes] = set()
        kept: Counter[str | None] = Counter()
        for document in documents:
            reason = self._reason(document, seen, kept)
            if reason:
                dropped[reason] += 1
            else:
                kept[document.split] += 1
                yield document

    def _reason(self, document: Document, seen: set[bytes], kept: Counter[str | None]) -> str:
        text = document.text
        if document.problem:
            return document.problem
        if len(text) < max(1, self.min_chars):
            return "min_chars" if text else "empty"
        if self.max_chars is not None and len(text) > self.max_chars:
            return "max_chars"
        if self.match and not re.search(self.match, text):
            return "match"
        if self.exclude and re.search(self.exclude, text):
            return "exclude"
        if kept[document.split] >= self.limit.get(document.split or "", 1 << 62):
            return "limit"
        if self.deduplicate:
            key = sha256(text)
            if key in seen:
                return "deduplicate"
            seen.add(key)
        return ""


# -- pieces ------------------------------------------------------------------------------------------------------------------
class Piece(NamedTuple):
    """A part of a document, cut where the tokens of the parts are those of the whole."""

    text: str
    begins: bool  # an end-of-text token goes before it


def pieces(text: str, size: int = PIECE) -> Iterator[Piece]:
    """Cut a long text before a newline that follows a letter or a digit, at the first such place after `size` characters."""
    start = 0
    while len(text) - start > size:
        cut = SAFE_CUT.search(text, start + size)
        if not cut:
            break
        yield Piece(text[start : cut.start()], start == 0)
        start = cut.start()
    yield Piece(text[start:], start == 0)
