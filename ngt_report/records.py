"""Values printed below the line that says their step: `[step=1/739]`, then an indented line for each metric."""

from __future__ import annotations

import re

_ROW = rb"[ \t]+[A-Za-z][\w/ .()%\-]*+[:=][ \t]*[-+]?(?:[0-9][0-9.,]*(?:[eE][-+]?[0-9]+)?|nan|inf)[ \t]*\n"
ROWS = re.compile(rb"(?<=\n)(?:" + _ROW + rb")+")
HEAD = re.compile(rb"\b(?P<step>(?:global[_ ]?)?(?:step|iter(?:ation)?)s?[ \t]*[:=#]?[ \t]*[0-9][0-9,]*(?:/[0-9]+)?)(?![0-9.])", re.I)
VALUES = re.compile(rb"loss|ppl|perplexity|accuracy", re.I)  # a line with values of its own: what is below it may be anything
SPLIT = re.compile(rb"\b(?:(?P<val>val|valid|validation|eval|evaluation)|(?P<test>test))\b", re.I)


def spread(block: bytes) -> bytes:
    """The block with the step of its record in front of every indented value; as many lines as before."""
    if b"\n " not in block and b"\n\t" not in block:
        return block
    out, at = [], 0
    for rows in ROWS.finditer(block):
        head = block[block.rfind(b"\n", 0, rows.start() - 1) + 1 : rows.start()]
        step = HEAD.search(head) if len(head) < 400 and not VALUES.search(head) else None
        if step:
            split = SPLIT.search(head)
            front = (b"" if not split else b"test " if split["test"] else b"val ") + step["step"] + b" "
            out += [block[at : rows.start()], *(front + row.lstrip() for row in rows[0].splitlines(keepends=True))]
            at = rows.end()
    return b"".join([*out, block[at:]]) if out else block


def open_record(block: bytes) -> bool:
    """Whether the block ends within a record, so that more of its values may follow."""
    lines = block[-4000:].rstrip(b"\n").split(b"\n")
    while lines and re.fullmatch(_ROW, lines[-1] + b"\n"):
        lines.pop()
    return bool(lines and HEAD.search(lines[-1]) and not VALUES.search(lines[-1]))
