"""Documents that people wrote: headings among prose, in Markdown. The numbers that they tell are of no run of theirs."""

from __future__ import annotations

from ngt_report.files import InputFile
from ngt_report.text.late import late

HEADING = late(rb"(?m)^#{1,6}[ \t]+[^\s#]")
FENCE = late(rb"[ \t]*(?:```|~~~)")
WORD = late(rb"[A-Za-z\xc3-\xf4][A-Za-z'\x80-\xf4]+")
FEWEST = 2  # headings
CODE = late(
    rb"(?:import [\w.]+(?: as \w+)?|from [\w.]+ import [\w(*].*|def \w+\(.*:)[ \t]*$"
)  # of a program pasted into a log, with its comments
WORDS = 6  # in a line of prose
SHARE = 0.4  # of the lines that say something: so much of a document is prose


def is_document(file: InputFile) -> bool:
    """Whether the head of a text is a document; looked at once."""
    if "document" not in file.notes:
        head = file.head[: file.head.rfind(b"\n") + 1]
        few = b"# " not in head or sum(1 for _ in zip(range(FEWEST), HEADING.finditer(head), strict=False)) < FEWEST
        file.notes["document"] = not few and _reads_as_one(head)
    return bool(file.notes["document"])


def _reads_as_one(head: bytes) -> bool:
    """Whether headings stand after blank lines, and prose is a large part of the rest."""
    headings = alone = prose = said = code = 0
    fenced, above = False, b""
    for line in head.split(b"\n"):
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced and HEADING.match(line):
            headings += 1
            alone += not above.strip()
        elif line.strip():
            said += 1
            prose += not fenced and _is_prose(line)
            code += not fenced and CODE.match(line) is not None
        above = line
    return headings >= FEWEST and 2 * alone > headings and prose >= SHARE * said and prose > 0 and code < FEWEST


def _is_prose(line: bytes) -> bool:
    """Whether a line is one of sentences: words, and few numbers or signs."""
    words = WORD.findall(line)
    return not line.lstrip().startswith(b"|") and len(words) >= WORDS and sum(map(len, words)) >= 0.6 * len(line.strip().replace(b" ", b""))
