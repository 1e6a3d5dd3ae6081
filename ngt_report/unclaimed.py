"""A file that no format claims: its lines are counted, it gives no run, and a crash that it ends with is named."""

from __future__ import annotations

import re

from ngt_report.files import InputFile
from ngt_report.text import loglines
from ngt_report.text.firstdata import NUMBERS
from ngt_report.waist import Reading

ASKED = re.compile(rb"stopped early at step \d+ \(SIG")  # what ngttrain prints when it was asked to end
TAIL = 1 << 14  # bytes at the end that are searched for a cause


def read_unclaimed(file: InputFile) -> Reading:
    """The account of such a file."""
    reading = Reading(status="empty" if not file.size else "unsupported")
    if file.encoding == "binary":
        return reading
    end = b""
    for block, _ in file.blocks():
        reading.lines_read += max(block.count(b"\n"), 1)
        end = (end + block)[-TAIL:]
    reading.ignore("not a log", reading.lines_read)
    if (line := file.notes.get(NUMBERS)) is not None:
        said = "a written document, headings among prose, is no log: its numbers are of no run"
        reading.note("info", "no_run", said, None, line)
        return reading
    _cause(file, reading, end)
    return reading


def _cause(file: InputFile, reading: Reading, end: bytes) -> None:
    """A script that died before its first metric says why in its last lines."""
    if (found := ending(end)) is None:
        return
    at, cause, lines = found
    line = reading.lines_read - len(lines) + 1 + at
    said = f"{file.rel} ended before its first metric: {loglines.last_lines([cause])}; its last lines: {loglines.last_lines(lines)}"
    reading.note("warning", "no_run", said, None, line)


def ending(end: bytes) -> tuple[int, str, list[str]] | None:
    """Which of the last lines of a text names why it ended, that line, and all of them as a person sees them; None where none does."""
    texts = end.removesuffix(b"\n").split(b"\n")
    found = [(at, t) for at, t in enumerate(texts) if loglines.kind_of(t) in loglines.ENDINGS and not ASKED.search(t)]
    if not any(loglines.kind_of(t) in ("traceback", "kill") for _, t in found):
        return None  # a document that speaks of errors is no log that ended with one
    at, text = ([(at, t) for at, t in found if loglines.kind_of(t) != "traceback"] or found)[-1]
    cause, *lines = (loglines.plain(t.decode("utf-8", "replace")) for t in (text, *texts))
    return at, cause, lines
