"""Settings that stand above the data of a log whose reader looks at nothing but its data."""

from __future__ import annotations

from ngt_report.files import InputFile
from ngt_report.sources._lines import lines_of
from ngt_report.text.late import late
from ngt_report.text.loglines import plain
from ngt_report.text.preamble import Preamble
from ngt_report.waist import Reading

BAR = late(r"\d%\||\[=*>?\.*\]|\b(?:it|s|step|batch)/(?:s|it|step|batch)\b")  # what a bar shows is measured


def settings_above(file: InputFile, reading: Reading) -> None:
    """Put into the reading what the lines above the first point say of the first run."""
    first = min((block.line[0] for block in reading.blocks if block.trial == 0 and block.line), default=0)
    preamble = Preamble()
    for line, text in lines_of(file, Reading()) if first > 1 else ():
        if line >= first:
            break
        if not BAR.search(text):
            preamble.keep([(line, plain(text))])
    preamble.end(reading, 0)
