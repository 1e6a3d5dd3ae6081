"""One verification, top to bottom: read the report, load the data, hold every number against it."""

from __future__ import annotations

import bisect
import os
import re
from collections import Counter
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from ngt_report.errors import ReportError, UsageError
from ngt_report.verify import document
from ngt_report.verify.claims import World
from ngt_report.verify.evidence import Evidence
from ngt_report.verify.numbers import decimal_points
from ngt_report.verify.orders import Claimed, check_orders
from ngt_report.verify.own import check_own, options_of, settle
from ngt_report.verify.prose import check_prose
from ngt_report.verify.sums import check_sums
from ngt_report.verify.tables import check_table
from ngt_report.verify.verdict import MISMATCH, UNDECIDABLE, Checked, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ngt_report.build import Prepared, Request
    from ngt_report.verify.document import Text

MARKDOWN = (".md", ".markdown", ".mdown", ".rst")
FILES = re.compile(r"(?m)^\d+ files? (?:was|were) used.*$")
MOST = 16 << 20  # bytes of a report


class Verified(Struct, frozen=True):
    """All verdicts on a report, in its order."""

    path: str
    source: str
    checked: tuple[Checked, ...]

    @property
    def counts(self) -> Counter[str]:
        """How many there are of each verdict."""
        return Counter(c.verdict for c in self.checked)

    @property
    def failed(self) -> bool:
        """Whether any number is wrong."""
        return bool(self.counts[MISMATCH])


def verify(path: str, request: Request, copy: str | None = None, force: bool = False) -> Verified:
    """Hold a report against the logs of a request, with the options that the report says it was built with.

    Args:
        copy: where an annotated copy is to go, which is refused before any work where that is another's file.
        force: it may be, unless it is the report or an input.
    """
    from ngt_report import build

    source = read_report(path)
    asked = build.asked_again(request, options_of(source) or "")
    try:
        return _verified(path, source, asked, copy, force)
    except UsageError:
        if asked == request:
            raise
        return _verified(path, source, request, copy, force)  # the data have no such run or step any more


def _verified(path: str, source: str, request: Request, copy: str | None, force: bool) -> Verified:
    from ngt_report import build
    from ngt_report.verify import copies

    prepared = build.prepare(request)
    if copy is not None:
        copies.check_free(Path(copy), force, [path, *request.paths, *(f.path for f in prepared[0].files)])
    with evidence(request, Path(path), prepared) as data:
        return Verified(path, source, check(source, World(data)))


def read_report(path: str) -> str:
    """The report's text, with its line ends; an error when it is none."""
    try:
        size = os.path.getsize(path)
        if size > MOST:
            raise ReportError(f"{path} has {size:,} bytes; a report of more than {MOST:,} is not read")
        data = Path(path).read_bytes()
    except OSError as e:
        raise ReportError(f"{path}: {(e.strerror or 'cannot be read').lower()}; give the report to verify") from e
    codec = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        return data.decode(codec)
    except UnicodeDecodeError as e:
        raise ReportError(f"{path} is not text in UTF-8 (byte {e.start}); save it as UTF-8") from e


@contextmanager
def evidence(request: Request, report: Path | None = None, prepared: Prepared | None = None) -> Iterator[Evidence]:
    """The data of a request, loaded into a database that is gone afterwards. The report itself, and Markdown beside it, is no evidence."""
    from tempfile import TemporaryDirectory

    from ngt_report import build
    from ngt_report.store import Store

    inputs, settings, _ = prepared or build.prepare(request)
    own = os.path.realpath(report) if report else None
    given = len(inputs.files)
    inputs.files = [f for f in inputs.files if os.path.realpath(f.path) != own and not f.rel.lower().endswith(MARKDOWN)]
    counted = len(inputs.files) == given
    if not inputs.files:
        raise ReportError(f"{', '.join(request.paths)}: no data to verify against; give the logs that the report is about")
    with TemporaryDirectory(prefix="ngtreport-") as scratch:
        store = Store(os.path.join(scratch, "report.duckdb"), threads=request.threads)
        try:
            build.compute(store, inputs, settings)
            yield Evidence(store, cache(lambda: _uncounted(build.summary(store, inputs, settings, request), counted)))
        finally:
            store.close()


def _uncounted(text: str, counted: bool) -> str:
    """What build would write; without the number of files, where some of what it reads is no evidence."""
    return text if counted else FILES.sub("", text)


def check(source: str, world: World) -> tuple[Checked, ...]:
    """Verdicts on every number, order and total of a report's text."""
    printed, source = source, decimal_points(source)
    parsed = document.read(source)
    world.open(parsed)
    starts = document.line_starts(source)
    found = [_placed(*claim, starts) for block in parsed.blocks for claim in _claims(block, world)]
    sums = {c.start: c for c in (_placed(text, n.start, n.end, outcome, starts) for text, n, outcome in check_sums(parsed))}
    found = [sums.get(c.start, c) if c.verdict == UNDECIDABLE else c for c in found]
    own = check_own(parsed, source, world.evidence.written)
    found = settle(found, [(_placed(text, n.start, n.end, how.outcome, starts), how) for text, n, how in own])
    if printed is not source:
        found = [replace(c, text=printed[c.start : c.end]) for c in found]
    return tuple(sorted(found, key=lambda c: (c.start, c.end)))


def _claims(block: document.Table | document.Prose, world: World) -> Iterator[Claimed]:
    """Claims of one block, with their place in its text."""
    if isinstance(block, document.Table):
        yield from ((text, n.start, n.end, outcome) for text, n, outcome in check_table(block, world))
        return
    yield from ((text, n.start, n.end, outcome) for text, n, outcome in check_prose(block, world))
    yield from check_orders(block, world)
    if block.kind == "heading":
        world.recent += sorted(world.label(block.text.plain))


def _placed(text: Text, first: int, last: int, outcome: Outcome, starts: list[int]) -> Checked:
    start, end = text.places[first], text.places[last - 1] + 1
    value = outcome.value
    line, shown = bisect.bisect_right(starts, start), text.plain[first:last]
    return Checked(
        start,
        end,
        line,
        shown,
        outcome.verdict,
        outcome.claim,
        value.value if value else None,
        value.where if value else None,
        outcome.note,
    )
