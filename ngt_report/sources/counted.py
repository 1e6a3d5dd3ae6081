"""Text whose lines begin with a count of a total in brackets, train and validation on each: `[  1/50] loss=3.2 | (val) loss=3.1`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ngt_report import names
from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._rewritten import STAMP, Rewritten, rewritten, shows
from ngt_report.text.firstdata import first_data_line
from ngt_report.text.late import late
from ngt_report.text.reader import read_text
from ngt_report.text.tokens import TOKEN, Dialect, tokenize
from ngt_report.waist import Reading, Trial

DIALECT = Dialect(keys={"time": "@drop", "epoch_time": "@drop"})  # a time on such a line may be its own
LINE = late(
    rb"(?im)^(?P<front>" + STAMP + rb")[\[(][ \t]*(?P<at>[0-9]{1,9})[ \t]*/[ \t]*(?P<of>[0-9]{1,9})[ \t]*[\])][ \t:,|\-]*+"
    rb"(?P<rest>[^\n]{0,4000}?\b(?:val|valid|validation|eval|dev)(?:_|\b)[^\n]{0,4000})$"
)
WORDS = frozenset("train training val valid validation eval evaluation dev ms min sec secs seconds it best new saved".split())
EVALUATED = frozenset(("val/loss", "eval_loss"))
AGAIN = "A count in brackets comes again with another validation loss: what it counts is not said, and no line is read."
ANEW = "Counts in brackets begin again, and not with the first: whether epochs or runs do is not said, and no line is read."


def _line(found: re.Match[bytes]) -> bytes:
    """A line that says nothing but losses of both kinds, and other values, as that of a step."""
    rest = found["rest"].decode("utf-8", "replace")
    line = f"step {int(found['at'])}/{int(found['of'])} {rest}"
    values = {value.name for value in tokenize(line, DIALECT) or ()}
    if "train/loss" not in values or not values & EVALUATED or int(found["at"]) > int(found["of"]):
        return found[0]
    first = TOKEN.search(rest)
    told = {word.lower() for word in re.findall(r"[A-Za-z]{2,}", TOKEN.sub(" ", rest))}
    setting = first is not None and names.known_config(first["key"])  # of a sweep: [3/12] lr=0.1 ...
    return found[0] if setting or told - WORDS else line.encode()


def _plain(file: InputFile) -> Rewritten:
    return rewritten(file, lambda: lambda block: LINE.sub(_line, block) if b"/" in block else block)


def sniff(file: InputFile) -> str | None:
    """Asked after the formats that have a word for what they count."""
    found = first_data_line(_plain(file), DIALECT) if shows(file, b"/", LINE) else None
    return f"line {found[0]} on: `[count/total]`, a training loss and a validation loss" if found else None


def read(file: InputFile) -> Reading:
    """As any text log; a count that comes again with another value is no step."""
    reading = read_text(_plain(file), DIALECT)
    reading.state = None
    seen: dict[tuple[int, int | None], float] = {}
    for block in reading.blocks:
        column = next((block.columns[name] for name in EVALUATED if name in block.columns), None)
        for step, value in zip(block.step, column.values if column else (), strict=False):
            if repr(seen.setdefault((block.trial, step), value)) != repr(value):
                return _nothing(reading, AGAIN)
    if any(trial.name is None and first > 1 for trial, first in _firsts(reading)):
        return _nothing(reading, ANEW)
    if reading.trials:
        text = "No word says what the count in front of the lines is; it counts as the step."
        reading.note("info", "count_as_step", text, None, reading.trials[0].line)
    return reading


def _firsts(reading: Reading) -> Iterator[tuple[Trial, int]]:
    """The runs of a file that has several, and the first count of each."""
    for trial in reading.trials if len(reading.trials) > 1 else ():
        steps = [s for b in reading.blocks if b.trial == trial.index for s in b.step if s is not None]
        yield trial, min(steps, default=0)


def _nothing(reading: Reading, why: str) -> Reading:
    """The account of the lines, and why none of them counts."""
    empty = Reading(lines_read=reading.lines_read, ignored=reading.ignored, bad=reading.bad, pending=reading.pending, status="no metrics")
    empty.ignore("no metrics", reading.lines_used)
    empty.note("warning", "no_run", why)
    return empty


FORMAT = Format(
    name="counted",
    title="text log with a count of a total in brackets",
    example="[ 1/50] loss=4.1012 | (val) loss=4.2012\n[ 2/50] loss=3.1012 | (val) loss=3.2012",
    clock="elapsed and the like, cumulative; a time on a line may be its own and is not read",
    sniff=sniff,
    read=read,
    rank=67,
)
