"""Lines that a terminal draws again and again: every drawing on its own, with the number of its line, and the account of all lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ngt_report.files import InputFile
from ngt_report.sources._lines import lines_of, torn_line
from ngt_report.waist import Reading

ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x00")


def drawings(file: InputFile, reading: Reading) -> Iterator[tuple[int, list[str]]]:
    """(line, its drawings) of whole lines; the torn last one waits."""
    torn, held = torn_line(file), None
    for line, text in lines_of(file, reading):
        if held is not None:
            yield held
        held = line, [d for d in re.split(r"[\r\b]+", ANSI.sub("", text)) if d.strip()]
    if held is not None and torn and held[0] == reading.lines_read:
        reading.pending += 1
    elif held is not None:
        yield held
