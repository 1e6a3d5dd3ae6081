"""Logs that are quoted or commented out: every line begins with the same mark, `> ` or `# ` or `// `; without it they are read as usual."""

from __future__ import annotations

import re
from itertools import islice

from ngt_report.files import InputFile
from ngt_report.sources import Format, formats
from ngt_report.sources._rewritten import Rewritten, rewritten
from ngt_report.text.late import late
from ngt_report.waist import Reading

MARK = late(rb"[ \t]*(?P<mark>>|#+|//+)(?=[ \t]|\r?$)", re.MULTILINE)
LEAST = 2  # lines
RESULT = late(rb"(?i)(?:loss|ppl|perplexity|bpb)[^\n0-9]{0,80}+[0-9]|\|[ \t]*:?--")  # a value, or the ruler of a table
EXACT = 1  # precedence of formats that are read from the disk itself
WORDS = "closing"  # of a quote they may be anybody's


def _unquoted(file: InputFile) -> Rewritten | None:
    """The file without the mark, if all of its lines have it; remembered, for it is read after it was looked at."""
    if "unquoted" not in file.notes:
        file.notes["unquoted"] = None
        mark = _mark_of(file)
        if mark and any(RESULT.search(block) for block, _ in file.blocks()):
            pattern = re.compile(rb"(?m)^[ \t]*" + re.escape(mark) + rb"(?:[ \t]|(?=\r?$))")
            file.notes["unquoted"] = rewritten(file, lambda: lambda block: pattern.sub(b"", block))
    found: Rewritten | None = file.notes["unquoted"]
    return found


def _mark_of(file: InputFile) -> bytes | None:
    """The mark that all lines have which are not blank; of a last one that may be cut short nothing is asked."""
    first = MARK.match(file.head.lstrip()) if file.encoding != "binary" else None
    if first is None:
        return None
    own = rb"[ \t]*" + re.escape(first["mark"]) + rb"(?:[ \t]|\r?$)"
    other, marked, lines = re.compile(rb"(?m)^(?!" + own + rb")[ \t]*[^\s]"), re.compile(rb"(?m)^" + own), 0
    for block, _ in file.blocks():
        whole = block[: block.rfind(b"\n") + 1]
        if other.search(whole):
            return None
        lines += len(list(islice(marked.finditer(whole), LEAST)))
    return first["mark"] if lines >= LEAST else None


def _inner(file: InputFile) -> tuple[Rewritten, Format, str] | None:
    """What is quoted, its format, and why."""
    plain = _unquoted(file)
    for form in formats() if plain is not None else ():
        if plain is not None and form.precedence > EXACT and form.name != WORDS and (reason := form.sniff(plain)):
            return plain, form, reason
    return None


def sniff(file: InputFile) -> str | None:
    """Asked last: all lines have one mark, and without it they are of another format."""
    found = _inner(file)
    return f"every line is quoted or commented out; without that: {found[1].name}, {found[2]}" if found else None


def read(file: InputFile) -> Reading:
    """What the format says that is quoted."""
    found = _inner(file)
    if found is None:
        return Reading(status="no metrics")
    reading = found[1].read(found[0])
    reading.state = None  # another line may have no mark
    return reading


FORMAT = Format(
    name="quoted",
    title="quoted or commented log",
    example="> step 100 train_loss=4.1012 val_loss=4.2012\n> step 200 train_loss=3.1012 val_loss=3.2012",
    clock="as in the format that is quoted",
    sniff=sniff,
    read=read,
    rank=90,
)
