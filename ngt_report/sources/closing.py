"""Closing words alone: `Best validation loss: 3.21 at step 4000`, `Final train loss: 3.1`, where nothing of the curve was kept."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from ngt_report import names
from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._lines import lines_of, torn_line
from ngt_report.sources._rewritten import STAMP, shows
from ngt_report.text import loglines
from ngt_report.text.late import late
from ngt_report.text.tokens import NUMBER, THOUSANDS
from ngt_report.waist import Block, Column, Reading, Trial

_SPLIT = r"(?:validation|valid|val|dev|evaluation|eval|training|train|test)"
SAID = late(  # the whole line; one with more words may be of anything
    STAMP.decode() + r"[^\w\n\"'{}\[\]<`$|]*+(?:(?:training|done|finished|completed?)\b[^\n:.!,\d]{0,40}[.!:,][ \t]+)?(?:the[ \t]+)?"
    r"(?P<end>best|lowest|min(?:imum)?(?=[ ])|final|last)[ _]+(?P<split>" + _SPLIT + r")[ _]+loss[*_`]*[ \t]*(?:[:=]|is|was)?[ \t*_`]*"
    rf"(?P<value>{NUMBER})[*_`]*(?:[ \t,;(|]+(?:ppl|perplexity)[ \t:=]*{NUMBER}\)?)?"
    r"(?:[ \t,;(|@\[]+(?:(?:at|in|from|after)[ \t]+)?(?P<word>global[_ ]step|step|iter(?:ation)?|epoch)[ \t:=#]*"
    r"(?P<step>" + THOUSANDS + r")(?:[ ]?/[ ]?[0-9,]+)?)?[)\]]?[ \t.!*_]*",
    re.IGNORECASE,
)  # fmt: skip
AT = late(
    STAMP.decode() + r"[^\w\n\"'{}\[\]<`$|]*+best[ _](?:step|iter(?:ation)?)[ \t]*[:=][ \t]*(?P<step>[0-9]{1,12})[ \t]*",
    re.IGNORECASE,
)
SIGN = late(rb"(?i)(?:best|lowest|min(?:imum)?|final|last)[ _]+" + _SPLIT.encode() + rb"[ _]+loss")
DOCUMENT = late(r"(?:#{1,6}|>) |\|.*\||```|<[a-z!]")  # how lines of a document begin, which may speak of many runs
NAMES = {  # how it is called of the end and of the best
    "train": ("final/train_loss", ""), "training": ("final/train_loss", ""), "test": ("test/loss", ""),
}  # fmt: skip
RECORDED = (*loglines.ENDINGS, "time")
ONLY_BEST = "The log tells the best validation loss only: what the run ended with is not known, and its best stands for it."
SEVERAL = "Closing values are stated that differ from each other, with no curve: of which run each is, is not said, and none is read."


class Stated(Struct, frozen=True):
    """A closing value."""

    line: int
    name: str
    text: str
    step: int | None
    by_epoch: bool


def _stated(line: int, text: str) -> Stated | None:
    """What a line states."""
    found = SAID.fullmatch(text) if "oss" in text or "OSS" in text else None
    if found is None:
        return None
    ending = found["end"].lower() in ("final", "last")
    name = NAMES.get(found["split"].lower(), ("final/loss", "best/loss"))[not ending]
    step = int(found["step"].replace(",", "")) if found["step"] else None
    return Stated(line, name, found["value"], step, (found["word"] or "").lower() == "epoch") if name else None


def sniff(file: InputFile) -> str | None:
    """Asked last: a line that says how a run ended and nothing else, in no document."""
    if not shows(file, b"oss", SIGN):
        return None
    first = None
    for line, text in lines_of(file, Reading()):
        text = loglines.plain(text)
        if DOCUMENT.match(text):
            return None
        first = first or _stated(line, text)
    return f"line {first.line} states how a run ended" if first else None


def read(file: InputFile) -> Reading:
    """One run of stated values, where they do not differ."""
    reading = Reading()
    torn = torn_line(file)
    lines = list(lines_of(file, reading))
    if torn and lines:
        lines.pop()
        reading.pending += 1
    stated = [s for line, text in lines if (s := _stated(line, loglines.plain(text)))]
    values = {(s.name, s.text, s.step) for s in stated}
    if len({name for name, _, _ in values}) < len(values):
        reading.note("warning", "no_run", SEVERAL, None, stated[0].line)
        stated = []
    places = [(line, found) for line, text in lines if (found := AT.fullmatch(loglines.plain(text)))] if stated else []
    if stated:
        stated = _of_one_kind(_placed(stated, places))
        _run(reading, {s.name: s for s in reversed(stated)}.values())
    _account(reading, lines, {s.line for s in stated} | {line for line, _ in places})
    reading.status = "read" if stated else "no metrics"
    return reading


def _placed(stated: list[Stated], places: list[tuple[int, re.Match[str]]]) -> list[Stated]:
    """The best at the step that a line of its own tells, if only one does."""
    steps = {int(m["step"]) for _, m in places}
    if len(steps) != 1:
        return stated
    return [replace(s, step=min(steps)) if s.name == "best/loss" and s.step is None else s for s in stated]


def _of_one_kind(stated: list[Stated]) -> list[Stated]:
    """Steps and epochs are not mixed: where both are told, epochs are left out."""
    if len({s.by_epoch for s in stated if s.step is not None}) < 2:
        return stated
    return [Stated(s.line, s.name, s.text, None, False) if s.by_epoch else s for s in stated]


def _run(reading: Reading, stated: Iterable[Stated]) -> None:
    """A row with each value at its own line."""
    found = sorted(stated, key=lambda s: s.line)
    reading.trials.append(Trial(0, "row", None, found[0].line))
    for s in found:
        column = Column([float(s.text.replace(",", ""))], names.decimals(s.text))
        reading.blocks.append(Block(0, 0, [s.step], {s.name: column}, [s.line]))
    if any(s.by_epoch for s in found):
        reading.note("info", "epochs_as_steps", "No step is given; epochs count as steps.")
    told = {s.name: s.line for s in found}
    if "best/loss" in told and "final/loss" not in told:
        reading.note("warning", "only_best", ONLY_BEST, None, told["best/loss"])


def _account(reading: Reading, lines: list[tuple[int, str]], used: set[int]) -> None:
    """What became of every line; how long a run took and why it broke off are kept."""
    end = max(used, default=0)
    for line, text in lines:
        kind = loglines.kind_of(loglines.plain(text).encode()) if used and line not in used else None
        if kind in RECORDED:
            loglines.record(reading, 0, str(kind), loglines.plain(text), line, None)
        if line in used or kind in RECORDED:
            reading.lines_used += 1
        else:
            reading.ignore("no metrics" if text.strip() else "blank")
    causes = [f.value for f in reading.facts if f.key == "crash" and (f.line or 0) > end]
    if causes:  # it broke off after these values
        named = [c for c in causes if c["kind"] != "traceback"] or causes
        reading.fact("status", {"status": "crashed", "reason": named[0]["cause"][:160]})


FORMAT = Format(
    name="closing",
    title="closing words of a log",
    example="Training finished.\nBest validation loss: 3.2112 at step 4000\nFinal validation loss: 3.2312",
    clock="`Training time:` is the time of the whole run",
    sniff=sniff,
    read=read,
    rank=95,
)
