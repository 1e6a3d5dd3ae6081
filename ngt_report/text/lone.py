"""Evaluations on lines that give no step: each stands where the steps around it say, and what closes a run is kept apart."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct, field

from ngt_report import names
from ngt_report.text.epochsteps import EpochSteps
from ngt_report.text.late import late
from ngt_report.text.tokens import BEGIN, LONE, PHASES, TOKEN, Dialect, Shape, meaning
from ngt_report.waist import Block, Column, Reading

KEPT = frozenset("val/loss eval_loss val/perplexity val/accuracy val/bpb test/loss test/perplexity test/accuracy".split())
CLOSING = {"val/loss": "final/loss", "eval_loss": "final/loss", "test/loss": "test/loss"}
PHASED = late(
    BEGIN + r"[^\w\n]*+(?P<phase>validation|validate|valid|val|evaluation|eval|dev|test)(?P<what>[ \t]+loss)?(?=[\W_])", re.IGNORECASE
)
AT_EPOCH = late(BEGIN + r"[^\w\n]*+(?:(?:end of|after)[ \t]++)?ep(?:och)?[ \t:=#\[(]*+(?P<epoch>[0-9]{1,9})\b", re.IGNORECASE)
_COMMON = "loss|ppl|perplexity|acc|accuracy|bpb|ce|nll|results?|metrics?|set|summary|stats|scores?|after|at|epoch"
OF_SET = late(rf"[ \t]++(?:on[ \t]++)?(?!(?:{_COMMON})\b)(?P<name>[\w.\-]{{1,60}}+)[ \t]*+:", re.IGNORECASE)  # Eval wikitext: ...
EPOCH_COUNT = re.compile(r"(?<!st)ep(?:och)?[ \t:=#\[(]*+[0-9]", re.IGNORECASE)  # cheap, and true for every line that AT_EPOCH accepts
EPOCH = late(r"\bep(?:och)?[ \t:=#\[(]*+(?P<epoch>[0-9]{1,9})\b", re.IGNORECASE)
_EPOCH_PHRASE = late(r"[ \t](?:after|at|for|in)[ ](?:the )?(?:end of )?epoch[ ]?[0-9]{1,9}(?:[ ]?/[ ]?[0-9]{1,9})?", re.IGNORECASE)
PLAIN = Dialect()
Values = list[tuple[str, str]]  # canonical name, number as printed
Held = tuple[int, Values, int | None]  # line, values, the epoch that it names


def values_of(text: str) -> Values:
    """The results of a validation or a test on a line that begins with its name, or with an epoch; else nothing."""
    low = text.lower()
    if "%|" in low:  # a bar shows a batch's, again and again
        return []
    head = PHASED.match(text) if "val" in low or "test" in low or "dev" in low else None
    if head is None and not (EPOCH_COUNT.search(text) and AT_EPOCH.match(text)):
        return []
    text = _EPOCH_PHRASE.sub("", text)
    phase = PHASES[head["phase"].lower()] if head else ""
    found: dict[str, str] = {}
    for token in TOKEN.finditer(text, head.start("phase") if head else 0):
        name = meaning(names.clean(token["key"]), token["unit"] or "", phase, PLAIN)[0] if token["number"] else ""
        if name in KEPT:
            found.setdefault(name, token["number"])
    if head and not head["what"] and (one := OF_SET.match(text, head.end())):  # one of several sets
        found = {name.replace("/", f"/{names.clean(one['name'])}_").replace("eval_loss", "val/eval_loss"): v for name, v in found.items()}
    if head and head["what"] and "val/loss" not in found and (bare := LONE.match(text, head.end())):
        found.setdefault(f"{phase}/loss", bare["number"])
    return list(found.items()) if any(name.endswith(("loss", "perplexity")) or name == "val/bpb" for name in found) else []


def epoch_of(text: str) -> int | None:
    """The epoch that such a line names."""
    found = EPOCH.search(text)
    return int(found["epoch"]) if found else None


class Lone(Struct):
    """The evaluations of one trial that wait for the steps around them."""

    held: list[Held] = field(default_factory=list)
    leading: bool = False  # the first came before the first step
    ahead: bool = False  # steps are counted from 0: each comes before the line of its step
    curve: bool = False  # more data came after one: they are the curve
    stepped: bool = False  # lines with a step evaluate too: then these are something else
    told: bool = False  # such lines give a perplexity
    closed: bool = False  # a closing value was said
    named: bool = False  # one was placed that names its epoch
    loose: bool = False  # evaluations of several epochs followed each other: no step is known
    said: bool = False  # in this file
    first: int | None = None  # line of the first that was placed

    def open_trial(self) -> None:
        """Begin with another run; what is held stays."""
        self.leading = self.ahead = self.curve = self.stepped = self.told = self.closed = self.named = self.loose = False

    @property
    def open(self) -> bool:
        """Whether what was read may have to be read otherwise when more follows."""
        return bool(self.held) or self.named

    def see(self, columns: Iterable[str]) -> None:
        """Note what lines with a step evaluate."""
        self.stepped = self.stepped or "val/loss" in columns or "eval_loss" in columns
        self.told = self.told or "val/perplexity" in columns

    def step_before(self, step: int, shape: Shape, first: int | None, last: int | None) -> int:
        """The step printed before this one; a later one where a run that was closed evaluated only here: another run begins."""
        again = self.closed and self.stepped and step == first == last
        if again and any(value.name in ("val/loss", "eval_loss") for value in shape.values):
            return step + 1
        return step if last is None else last

    def before_first(self, steps: list[int], own: bool) -> int | None:
        """The step of what came before the first data line of a run; where that evaluates step 0 itself, no step."""
        self.leading = self.curve = True
        first, gap = steps[0], steps[1] - steps[0] if len(steps) > 1 else 0
        if first <= 1:
            self.ahead = first == 0 and not own
            return None if first == 0 and own else 0
        return first - 1 if gap == 1 else max(0, first - gap) if gap > 0 else None

    def after_last(self, last: int | None, gap: int) -> int | None:
        """The step of what comes after the last data line of a run."""
        if not self.ahead or last is None:
            return last
        return last + 1 if gap == 1 else None

    def put(
        self,
        reading: Reading,
        trial: int,
        segment: int,
        at: tuple[int | None, float | None],
        closing: bool,
        held: list[Held],
        epochs: EpochSteps,
    ) -> None:
        """Hand them over at a step and a clock, and say once that steps come from elsewhere."""
        neighbour, clock = at
        several = len(held) > 1 and not self.stepped and len({epoch for _, _, epoch in held} - {None}) > 1
        if several and not self.loose and any(epochs.end_of(epoch, None) is None for _, _, epoch in held if epoch is not None):
            self._loosen(reading, trial, held[0][0])
        for line, values, epoch in held:
            closes = closing and not (several and epoch is not None)
            step = epochs.end_of(epoch, None if self.loose and not closes else neighbour)
            self.named = self.named or epoch is not None
            for name, text in self._closing(values) if closes else self._evaluated(values):
                column = Column([float(text.replace(",", ""))], names.decimals(text))
                reading.blocks.append(
                    Block(
                        trial, segment, [step], {name: column}, [line], None, [clock] if clock is not None and step == neighbour else None
                    )
                )
            if not closes and not self.said and not self.loose:
                self.said = True
                where = "the next step printed, as steps are counted from 0" if self.ahead else "the step printed before them"
                said = f"Evaluations are printed without a step; they stand at {where}."
                reading.note("info", "steps_of_neighbours", said, trial, line)

    def _evaluated(self, values: Values) -> Values:
        """What an evaluation tells; a perplexity alone is another one's where lines with a step give theirs."""
        return [] if self.told and not _has_loss(values) else values

    def _closing(self, values: Values) -> Values:
        """What closes a run; a perplexity stands for it where it is all there is."""
        if not self.told and not self.stepped and not _has_loss(values):
            return [(name, text) for name, text in values if name.endswith("perplexity")]
        return [(CLOSING[name], text) for name, text in values if name in CLOSING]

    def _loosen(self, reading: Reading, trial: int, line: int) -> None:
        """Evaluations of several epochs with no step between them: where an epoch ends is not known, here and elsewhere in the run."""
        self.loose = True
        for block in reading.blocks:
            if block.trial == trial and len(block.columns) == 1 and not KEPT.isdisjoint(block.columns):
                block.step = [None] * len(block.step)
        said = "Evaluations of several epochs are printed with no step between them: they have no step, only their order."
        reading.note("info", "steps_of_neighbours", said, trial, line)


def _has_loss(values: Values) -> bool:
    return any(name.endswith("loss") or name == "val/bpb" for name, _ in values)
