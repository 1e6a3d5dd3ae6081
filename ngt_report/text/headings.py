"""Values printed below a heading that says their epoch: they are read as if the epoch stood in front of them.

    Epoch 3/10
    Train Loss: 3.1023
    Val Loss: 3.2011

A bar of an epoch (`Epoch 3: 100%|###|`) is a heading too, and so is Sockeye's `Checkpoint [6]  Updates=6000`, which says the step.
"""

from __future__ import annotations

import re

from ngt_report.text.late import late
from ngt_report.text.records import has_bare, spread_bare
from ngt_report.text.spans import Span
from ngt_report.text.tokens import BEGIN, MAYBE, PHASES

HINTS = (b"poc", b"POC", b"poque", b"Updates=")  # a heading has one of them: cheap to look for
_BEGIN = rb"(?P<begin>" + BEGIN.encode() + rb")[^\w\n]*+"
_SAID = (  # what a heading may say beside the epoch; a line that says anything else is none
    rb"(?:summary|results?|metrics?|stats|statistics|report|done|completed?|finished|ended|end|start(?:ed|ing)?|begins?|train(?:ing)?"
    rb"|validation|evaluation|and|in|learning[ ]rate|lr|time|took|elapsed|eta|seconds|secs?|minutes|min"
    rb"|[0-9][0-9.:]*+(?:e[+\-]?[0-9]+)?(?:ms|s|m|h)?)(?!\w)"
)
HEADING = late(
    _BEGIN + rb"(?:(?<=[\x80-\xff])[0-9]{1,3}[ \t]++)?"  # a name that is not in Latin letters, and its number
    rb"(?:(?:summary|results|metrics|end|start|training|train)[ ](?:of[ ]|for[ ])?|after[ ])?"
    rb"(?:epoch(?P<many>s)?|(?:e|\xc3[\x89\xa9]|(?<=\xc3[\x89\xa9]))po(?:ca|que))[ \t]*+[:=#]?[ \t]*+[\[(]?[ \t]*+"
    rb"(?P<number>[0-9]{1,9})(?![0-9.,%])(?:[ \t]*+(?:/|of)[ \t]*+(?P<total>[0-9]{1,9}))?+"
    rb"(?:[\])]?[: \t]*+[0-9]{1,3}%\|[^=\n]*+|(?:[^\w\n]++|" + _SAID + rb")*+)",
    re.IGNORECASE,
)  # fmt: skip
UPDATES = late(_BEGIN + rb"Checkpoint[ \t]*+\[[0-9]{1,9}\][ \t]++Updates=(?P<number>[0-9]{1,12})\b[^\n]*+")
COUNT = re.compile(rb"po(?:chs?|ca|que)[ \t:=#\[(]*+(?P<number>[0-9]{1,9})(?![0-9.])", re.IGNORECASE)  # an epoch anywhere on a line
VALUES = late(  # a line that begins with whose values it has
    _BEGIN + rb"(?:Checkpoint[ \t]*+\[[0-9]{1,9}\][ \t]++)?(?P<values>(?:(?:average|avg|mean)[ _.]++)?"
    rb"(?:(?P<phase>validation|validate|valid|val|evaluation|eval|dev|training|train|test)(?=[\W_])|loss(?=[^\n]*[\W_]val)))",
    re.IGNORECASE,
)
STEPS = late(  # a line of a step, which may be one within its epoch
    _BEGIN + rb"(?P<line>(?:(?:validation|valid|val|evaluation|eval|dev|training|train|test)[\])]*+[ \t:|@,\-]++)?"
    rb"(?:step|iter(?:ation)?|it)\b[ \t]*+[:=#]?[ \t]*+[\[(]?[ \t]*+[0-9])",
    re.IGNORECASE,
)
AT_ONCE = re.compile(rb"(?:step|iter(?:ation)?)[ \t]*+[:=#]?[ \t]*+[\[(]?[ \t]*+[0-9]", re.IGNORECASE)  # most lines of steps
ENDED = re.compile(rb"summary|results?|metrics|stat|report|done|complete|finish|\bend|after|%\|", re.IGNORECASE)  # steps below are others
DONE = re.compile(rb"done|complete|finish|\bend|took", re.IGNORECASE)
NAMED = re.compile(rb"(?P<what>loss|ppl|perplexity|nll)(?P<of>[^0-9\n]{0,40}?)(?:[0-9]|\bnan\b|\binf\b)", re.IGNORECASE)
ODD = re.compile(rb"\b(?:best|lowest|prev|previous|improved?|decreased|increased|saved|saving|epoch|from)\b|%\||->|--", re.IGNORECASE)
BESIDE = re.compile(
    rb"[\W_](?:val|valid|validation|eval|dev)[\W_][^0-9\n]{0,40}?(?P<what>loss|ppl|perplexity|nll)(?P<of>[^0-9\n]{0,40}?)(?=[0-9])",
    re.IGNORECASE,
)
LETTERS = re.compile(rb"[^A-Za-z]+")
DIGITS = re.compile(rb"[0-9]+")
LONGEST = 1000
Looked = tuple[bool, bool]


def look(head: bytes) -> Looked:
    """Whether steps stand alone above their values, and whether headings are to be followed, by the cleaned head of a text."""
    if not any(hint in head for hint in HINTS):
        return has_bare(head), True
    lines = head.split(b"\n")
    told = [line for line in lines if any(hint in line for hint in HINTS)]
    # where most lines say their epoch, values below them stand at it in any case
    return has_bare(head), 2 * len(told) < len(lines) or any(HEADING.fullmatch(line) or UPDATES.fullmatch(line) for line in told)


class Headings:
    """Follows the headings of a text, from its beginning."""

    def __init__(self, looked: Looked, counted: bool = False) -> None:
        self.bare, self.followed = looked
        self.counted = counted  # whether steps are looked for too
        self.front = ""  # what belongs in front of the values below; nothing where no heading is open
        self.inside = False  # steps below are of this epoch
        self.frail = False  # `epochs: 12` may be a setting, unless values follow at once
        self.seen: set[str] = set()  # the validations and tests below the latest, as they are called
        self.record = 0  # how many headings came in this block
        self.waiting: dict[tuple[int, str], list[tuple[int, bytes, bytes]]] = {}  # validations, by heading and kind

    @property
    def state(self) -> tuple[str, bool, bool]:
        """What a later reading needs to go on from here."""
        return self.front, self.inside, self.frail

    def restore(self, front: str = "", inside: bool = False, frail: bool = False) -> None:
        """Go on where another reading stopped."""
        self.front, self.inside, self.frail = front, inside, frail

    @property
    def open(self) -> bool:
        """Whether what was read may have to be read otherwise when more follows."""
        return bool(self.seen or self.frail)

    def spread(self, block: bytes) -> bytes:
        """The block with the step or the epoch of its heading in front of every line of values; as many lines as before."""
        block = spread_bare(block) if self.bare else block
        if not self.followed or not self.front and not any(hint in block for hint in HINTS):
            return block
        lines = block.split(b"\n")
        above = b""
        for at, line in enumerate(lines):
            if len(line) <= LONGEST:
                lines[at] = self._line(at, line, above)
            above = line if line.strip() else above
        self._settle(lines)
        return b"\n".join(lines)

    def _line(self, at: int, line: bytes, above: bytes) -> bytes:
        if (b"po" in line or b"PO" in line or b"Updates=" in line) and self._heading(line, above) or not self.front:
            return line
        if self.inside and AT_ONCE.match(line):
            return self.front.encode() + b" " + line
        low = line.lower()
        if self.inside and (b"step" in low or b"it" in low) and (found := STEPS.match(line)):
            return found["begin"] + f"{self.front} ".encode() + line[found.start("line") :]
        found = VALUES.match(line) if b"loss" in low or b"pp" in low or b"perp" in low or b"nll" in low else None
        named = NAMED.search(line, found.start("values")) if found and not ODD.search(line) and not MAYBE.search(line) else None
        if found and named:
            return self._fronted(at, line, found, named)
        if self.frail and line.strip():
            self._open("", False)
        return line

    def passed(self, span: Span, line: bytes) -> None:
        """Equal lines that were read together, and the first of them."""
        told = {epoch for epoch in span.counters("@epoch") if epoch is not None} if self.front else set()
        if self.frail or told - {self._epoch()}:
            self._open("", False)
        elif self.inside and not told and STEPS.match(line):
            epochs = int(self.front.partition("/")[2] or 0)
            span.told = {"@epoch": self._epoch(), "@epochs": epochs or None}

    def _epoch(self) -> int | None:
        """The epoch of the heading that is open."""
        return int(self.front.partition("/")[0][6:]) if self.front.startswith("Epoch") else None

    def _heading(self, line: bytes, above: bytes) -> bool:
        """Whether the line says an epoch; it opens, or ends what another opened."""
        if found := HEADING.fullmatch(line):
            if not self.front and DONE.search(line) and VALUES.match(above):  # the values stand above it
                return True
            total = f"/{int(found['total'])}" if found["total"] else ""
            self._open(f"Epoch {int(found['number'])}{total}", bool(found["many"]) and not total)
            self.inside = self.counted and not ENDED.search(line)
        elif found := UPDATES.fullmatch(line):
            self._open(f"step {int(found['number'])}", False)
        else:
            others = [int(m["number"]) for m in COUNT.finditer(line)]
            if self._epoch() is not None and any(epoch != self._epoch() for epoch in others):
                self._open("", False)
            return bool(others)
        return True

    def _open(self, front: str, frail: bool) -> None:
        """Another heading, or none; one that is said again stays what it was."""
        self.record += front != self.front
        self.front, self.frail, self.inside = front, frail, False

    def _fronted(self, at: int, line: bytes, found: re.Match[bytes], named: re.Match[bytes]) -> bytes:
        """A line of values with its heading in front; a validation waits until it is known whether another one follows."""
        self.frail = False
        phase = PHASES.get((found["phase"] or b"").decode().lower(), "")
        front = f"{phase} {self.front} ".lstrip().encode()
        fronted = found["begin"] + front + line[found.start("values") :]
        if not phase and (other := BESIDE.search(line, found.end("values"))):  # train loss 5.1, val loss 5.2
            phase, named = "val", other
        if not phase:
            return fronted
        kind = f"{phase} {named['what'].decode()} {LETTERS.sub(b' ', named['of']).decode()}".lower().strip()
        name = DIGITS.sub(b"0", line[found.start("values") : named.end("of")])
        self.waiting.setdefault((self.record, kind), []).append((at, name, fronted))
        return line

    def _settle(self, lines: list[bytes]) -> None:
        """Of validations below one heading the first is the epoch's, unless they follow each other: then they are of batches."""
        before = self.seen
        for (record, kind), found in self.waiting.items():
            at, name, fronted = found[0]
            row = len(found) == 2 and name == found[1][1] and not any(line.strip() for line in lines[at + 1 : found[1][0]])
            if not row and len(found) < 3 and (record or kind not in before):
                lines[at] = fronted
        self.seen = {kind for record, kind in self.waiting if record == self.record} | (set() if self.record else before)
        self.record, self.waiting = 0, {}
