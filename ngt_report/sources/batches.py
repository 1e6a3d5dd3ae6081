"""Text whose lines count the batches of an epoch: `Epoch 1 Batch 200/372 loss 3.2`, `| epoch 1 | 200/2983 batches | loss 5.1`."""

from __future__ import annotations

import re
from functools import partial

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._rewritten import Rewritten, rewritten, shows
from ngt_report.text.epochsteps import RESTART, without_steps
from ngt_report.text.firstdata import first_data_line
from ngt_report.text.late import late
from ngt_report.text.reader import read_text
from ngt_report.text.tokens import Dialect
from ngt_report.waist import Reading

DIALECT = Dialect(keys={"time": "@drop", "epoch_time": "@drop"})  # a time beside a batch may be its own
LINE = late(
    rb"(?im)^(?P<front>[^\n]{0,120}?\bep(?:och)?[ \t:=#\[(]*+(?P<epoch>[0-9]{1,9})"
    rb"(?:[ \t]*/[ \t]*[0-9]{1,9})?[\])]?[ \t,|:;\-]*+[\[(]?[ \t]*+)"
    rb"(?:(?:mini[\- ]?)?batch(?:es)?(?:[ _]?idx)?(?P<count>[ \t]*+[:=#]?[ \t]*+[\[(]?[ \t]*+[0-9]{1,9}(?![0-9.]))"
    rb"|(?P<at>[0-9]{1,9})[ \t]*/[ \t]*(?P<of>[0-9]{1,9})[ \t]+batches\b)"
)


def _line(firsts: list[int], found: re.Match[bytes]) -> bytes:
    """The line with `step` for the batch."""
    firsts[:] = firsts or [int(found["epoch"])]
    return found["front"] + (b"step" + found["count"] if found["count"] else b"step %s/%s" % (found["at"], found["of"]))


def _plain(file: InputFile, firsts: list[int]) -> Rewritten:
    """The file in words of steps; the number of its first epoch goes to `firsts`."""
    return rewritten(file, lambda: lambda block: LINE.sub(partial(_line, firsts), block) if b"atch" in block or b"ATCH" in block else block)


def sniff(file: InputFile) -> str | None:
    """Asked after the formats whose lines say `step`, and after that of epochs."""
    found = first_data_line(_plain(file, []), DIALECT) if shows(file, b"atch", LINE) else None
    return f"line {found[0]} has an epoch, a batch and named numbers" if found else None


def read(file: InputFile) -> Reading:
    """Batches count on over the epochs; where a log begins at a later one, how many came before is not known."""
    firsts: list[int] = []
    reading = read_text(_plain(file, firsts), DIALECT)
    reading.state = None
    if reading.trials:
        reading.note("info", "batches_as_steps", "No step is given; batches count as steps.", None, reading.trials[0].line)
    if firsts and firsts[0] > 1 and not any(f.kind == "steps_restart" for f in reading.findings):
        without_steps(reading, range(len(reading.trials)), RESTART)
    return reading


FORMAT = Format(
    name="batches",
    title="text log of batches",
    example="Epoch 1 Batch 186/372 loss 4.1012\nEpoch 1 Batch 372/372 loss 3.9012\nValidation loss: 4.0012",
    clock="elapsed and the like, cumulative; a time beside a batch may be its own and is not read",
    sniff=sniff,
    read=read,
    rank=66,
)
