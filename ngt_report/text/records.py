"""Values printed below the line that says their step: `[step=1/739]`, then an indented line for each metric."""

from __future__ import annotations

import re

from ngt_report.text.late import late

_ROW = rb"[ \t]++[A-Za-z][\w/ .()%\-]*+[:=][ \t]*+[-+]?(?:[0-9][0-9.,]*+(?:[eE][-+]?[0-9]+)?|nan|inf)[ \t]*+\n"
ROWS = late(rb"\n(?P<rows>(?:" + _ROW + rb")++)")
INDENTED = re.compile(rb"\n(?=[ \t])")
HEAD = late(rb"\b(?P<step>(?:global[_ ]?)?(?:step|iter(?:ation)?)s?[ \t]*[:=#]?[ \t]*[0-9][0-9,]*(?:/[0-9]+)?)(?![0-9.])", re.I)
VALUES = late(rb"loss|ppl|perplexity|accuracy", re.I)  # a line with values of its own: what is below it may be anything
SPLIT = late(rb"\b(?:(?P<val>val|valid|validation|eval|evaluation|dev)|(?P<test>test))\b", re.I)


_BARE_NUMBER = rb"[-+]?(?:[0-9][0-9.,]{0,40}+(?:[eE][-+]?[0-9]{1,4})?|nan|inf)"
_BARE_ROW = rb"[A-Za-z][\w/ .()%\-]{0,80}+[:=][ \t]{0,20}" + _BARE_NUMBER + rb"[ \t]{0,4}(?:m?s|%)?[ \t]{0,40}"
_BARE = (  # a line with a step and nothing else
    rb"[^\w\n]{0,40}+(?P<step>(?:global[_ ]?)?(?:step|iter(?:ation)?)s?[ \t]{0,4}+"
    rb"[:=#]?+[ \t]{0,12}+[0-9][0-9,]{0,20}+(?:[ ]?/[ ]?[0-9]{1,18}+)?+)"
    rb"[^\w\n]{0,40}+"
)
BARE = re.compile(rb"\n" + _BARE + rb"(?P<rows>(?:\n" + _BARE_ROW + rb")+)(?=\n)", re.IGNORECASE)
BARE_LINE = re.compile(_BARE, re.IGNORECASE)


def has_bare(head: bytes) -> bool:
    """Whether some step stands alone on its line, above lines of one value each."""
    return BARE.search(b"\n" + head) is not None


def spread_bare(block: bytes) -> bytes:
    """The block with a step that stands alone on its line in front of every value below it; as many lines as before."""

    def rows(found: re.Match[bytes]) -> bytes:
        return found[0][: found.start("rows") - found.start()] + found["rows"].replace(b"\n", b"\n" + found["step"] + b" ")

    return BARE.sub(rows, b"\n" + block)[1:]


def spread(block: bytes) -> bytes:
    """The block with the step of its record in front of every indented value; as many lines as before."""
    if not INDENTED.search(block):
        return block
    out, at = [], 0
    for rows in ROWS.finditer(block):
        start = rows.start("rows")
        head = block[block.rfind(b"\n", 0, start - 1) + 1 : start]
        step = HEAD.search(head) if len(head) < 400 and not VALUES.search(head) else None
        if step:
            split = SPLIT.search(head)
            front = (b"" if not split else b"test " if split["test"] else b"val ") + step["step"] + b" "
            out += [block[at:start], *(front + row.lstrip() for row in rows["rows"].splitlines(keepends=True))]
            at = rows.end()
    return b"".join([*out, block[at:]]) if out else block


def open_record(block: bytes) -> bool:
    """Whether the block ends within a record, so that more of its values may follow."""
    lines = block[-4000:].rstrip(b"\n").split(b"\n")
    bare = list(lines)
    while bare and re.fullmatch(_BARE_ROW, bare[-1]):
        bare.pop()
    if bare and BARE_LINE.fullmatch(bare[-1]):
        return True
    while lines and re.fullmatch(_ROW, lines[-1] + b"\n"):
        lines.pop()
    return bool(lines and HEAD.search(lines[-1]) and not VALUES.search(lines[-1]))
