"""Progress bars as text: what the label says, how far a bar is and what it shows; and the steps of bars that follow each other."""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct, field

from ngt_report import names
from ngt_report.sources._scalars import SPLITS, STRONG, duration, metrics_of
from ngt_report.text.late import late
from ngt_report.text.tokens import NUMBER

BAR = late(
    r"[0-9]{1,3}%\|[^|\n]{0,200}\|[ \t]*(?P<at>[0-9]{1,12})/(?P<of>[0-9]{1,12})[ \t]*"
    r"\[(?P<time>[0-9:]{4,12})<[^,\]\n]{1,20},(?P<rate>[^,\]\n]{1,30})(?:,[ \t]*(?P<shown>[^\]\n]{1,400}))?\]"
)
VALUE = late(rf"(?:^|, ?)(?P<key>[A-Za-z_][\w/. ]{{0,60}}?)=(?P<number>{NUMBER})(?=,|$)")
EPOCH = late(r"\bep(?:och)?[ :#=\[(]*(?P<epoch>[0-9]{1,9})\b(?:[ ]?/[ ]?(?P<epochs>[0-9]{1,9}))?", re.IGNORECASE)
PHASE = late(  # a word for what the bar does; not the name of a value in the label: `val loss 4.2`, `val 4.2`
    r"\b(?P<word>train(?:ing)?|val(?:id(?:ation|ate|ating)?)?|eval(?:uat(?:ion|e|ing))?|dev|test(?:ing)?|sanity|predict(?:ion|ing)?"
    r"|infer(?:ence|ring)?|generat(?:ion|e|ing))\b(?![ \t/]*(?:loss|ppl|perplexity|acc|accuracy|bpb)\b)(?![ \t]*[:=]?[ \t]*[0-9]*\.[0-9])",
    re.IGNORECASE,
)
OF_EPOCHS = late(r"\bepochs?\W*$", re.IGNORECASE)
RUNNING = re.compile(r"[0-9]*\.[0-9]+|[ \t]+")  # what changes in a label while the bar goes on
WORDS = {"validate": "val", "validating": "val", "evaluate": "val", "evaluating": "val", "testing": "test"}
EVALUATED = ("val/", "test/")


class Label(Struct, frozen=True):
    """What stands in front of a bar."""

    text: str  # without what changes while the bar goes on
    phase: str  # train, val or test; empty where the label says something else, or several
    epoch: int | None
    epochs: int | None
    counts_epochs: bool


class Bar(Struct):
    """One drawing of a bar."""

    label: Label
    at: int
    of: int
    seconds: float | None
    values: dict[str, str]  # raw key -> number as printed
    counts_epochs: bool

    @property
    def phase(self) -> str:
        """What the bar does."""
        return self.label.phase

    @property
    def epoch(self) -> int | None:
        """The epoch that it names."""
        return self.label.epoch

    @property
    def full(self) -> bool:
        """Whether it came to its end."""
        return self.at >= self.of

    def metrics(self) -> dict[str, str]:
        """Raw -> canonical for the results that it shows."""
        return {raw: name for raw, name in metrics_of(tuple(self.values)).items() if name in STRONG}


def bars_in(text: str) -> tuple[list[Bar], str]:
    """The bars of a drawing, several where they were drawn without a return between, and the text after the last."""
    if "%|" not in text:
        return [], text
    bars, end = [], 0
    for found in BAR.finditer(text):
        bars.append(_bar(found, text[max(end, found.start() - 80) : found.start()]))
        end = found.end()
    rest = text[end:]
    return bars, "" if "%|" in rest else rest


def _bar(found: re.Match[str], before: str) -> Bar:
    """A drawing, with the text before it."""
    label, shown = label_of(before), found["shown"]
    values = {m["key"].strip(): m["number"] for m in VALUE.finditer(shown)} if shown else {}
    counts_epochs = label.epoch is None and (label.counts_epochs or "epoch" in found["rate"].lower())
    return Bar(label, int(found["at"]), int(found["of"]), duration(found["time"]), values, counts_epochs)


@lru_cache(maxsize=256)
def label_of(text: str) -> Label:
    """What a label says; a bar is drawn many times with the same."""
    epoch = EPOCH.search(text)
    number, of = (int(epoch["epoch"]), int(epoch["epochs"]) if epoch["epochs"] else None) if epoch else (None, None)
    return Label(RUNNING.sub("", text), phase_of(text), number, of, bool(OF_EPOCHS.search(text)))


def phase_of(label: str) -> str:
    """What a bar does by its label: train where it says nothing, empty where it says something else, or several."""
    words = [m["word"].lower() for m in PHASE.finditer(label)]
    if not words or words[0] == "training":
        return "train"
    found = {WORDS.get(w) or (SPLITS.get(w, "") if w != "predict" else "") for w in words}
    return found.pop() if len(found) == 1 else ""


def evaluated(bar: Bar) -> tuple[dict[str, str], bool]:
    """Canonical name -> number of what an evaluation's bar shows, and whether its own names say that these are results of one."""
    found: dict[str, str] = {}
    named = False
    for raw, name in bar.metrics().items():
        if name.startswith("train/") and not names.clean(raw).startswith("train"):
            found.setdefault(bar.phase + name.removeprefix("train"), bar.values[raw])
        elif name.startswith(bar.phase + "/"):
            found[name], named = bar.values[raw], True
    return found, named


def alike(one: str | None, other: str) -> bool:
    """Whether two printed numbers may be the same, one of them rounded."""
    if one is None:
        return False
    a, b = (float(t.replace(",", "")) for t in (one, other))
    places = [d for d in map(names.decimals, (one, other)) if d is not None]
    return a == b or len(places) == 2 and abs(a - b) <= 0.501 * 10.0 ** -min(places) or a != a and b != b


class Steps(Struct):
    """How far training is, in steps over the bars of a run."""

    base: int = 1  # the number of the first epoch
    started: int | None = None  # the run's first epoch
    bar: Bar | None = None  # the latest drawing
    before: int = 0  # steps of the bars before
    seconds: float | None = 0.0  # their time; None where it is not known
    whole: bool = False  # the bar was never seen before its end
    uneven: bool = False  # epochs differ in length
    unknown: bool = False  # how many steps came before cannot be known
    others: set[int] = field(default_factory=set)  # totals of bars that stand beside those that train

    def aside(self, bar: Bar) -> bool:
        """Whether it is a second bar of an epoch that others follow: what it does is not said."""
        last = self.bar
        same = last is not None and bar.epoch is not None and (bar.epoch, bar.label.epochs) == (last.epoch, last.label.epochs)
        if last is None or not same or bar.of == last.of:
            return False
        if last.full and (bar.label.epochs or 0) > (bar.epoch or 0):
            self.others.add(bar.of)
        return bar.of in self.others

    def follow(self, bar: Bar, between: bool) -> bool:
        """Go on with a drawing; whether it is of another run. `between`: an evaluation came since the drawing before."""
        last, before, self.bar = self.bar, self.before, bar
        if last is None:
            self._start(bar)
            another = False
        elif bar.epoch is None and last.epoch is None:
            another = self._unnumbered(last, bar, between)
        else:
            another = self._numbered(last, bar, between)
        self.whole = bar.full and (self.whole or another or last is None or self.before != before)
        return another

    def _start(self, bar: Bar) -> None:
        """From here the steps are those of this bar's epoch."""
        self.base = min(self.base, self.base if bar.epoch is None else bar.epoch)
        self.started, self.seconds, self.uneven, self.unknown = bar.epoch, 0.0, False, False
        self.before = 0 if bar.epoch is None else (bar.epoch - self.base) * bar.of

    def _numbered(self, last: Bar, bar: Bar, between: bool) -> bool:
        """Bars of which one at least names its epoch; another run where epochs start again with other numbers, or after the first."""
        if bar.epoch is not None and last.epoch is not None and bar.epoch > last.epoch:
            self._next_epoch(last, bar)
            return False
        if bar.epoch is None or last.epoch is None:
            another = last.full
        elif bar.of != last.of or bar.label.epochs != last.label.epochs:
            another = True
        elif bar.epoch == last.epoch:
            fell = (bar.seconds or 0.0) < (last.seconds or 0.0)
            another = last.full and last.epoch == self.started and (fell or self._anew(last, bar, between))
        else:
            another = False  # it goes back: how far says whether it is another run
        if another or bar.epoch != last.epoch:
            self._start(bar)
        return another

    def _anew(self, last: Bar, bar: Bar, between: bool) -> bool:
        """Whether a full bar after a full one, neither seen before its end, is another bar."""
        if not (self.whole and bar.full and last.full):
            return False
        return bar.label.text != last.label.text or between and any(bar.values.get(key, text) != text for key, text in last.values.items())

    def _next_epoch(self, last: Bar, bar: Bar) -> None:
        """A later epoch, of as many steps or of others."""
        epoch, before = bar.epoch or 0, last.epoch or 0
        if bar.of == last.of and not self.uneven:
            self.before = (epoch - self.base) * bar.of
            return
        self.unknown = self.unknown or epoch != before + 1 or not last.full
        self.before += last.of * (epoch - before)
        self.uneven = True

    def _unnumbered(self, last: Bar, bar: Bar, between: bool) -> bool:
        """Bars that name no epoch: one that starts again where the same was done is the next epoch."""
        fell = bar.at < last.at or bar.at == last.at and (bar.seconds or 0.0) < (last.seconds or 0.0)
        if not (fell or bar.of != last.of or self._anew(last, bar, between)):
            return False
        same = bar.of == last.of and bar.label.text == last.label.text
        if same and (last.full or between and last.at * 10 >= last.of * 9):
            self.before += last.of
            self.seconds = self.seconds + last.seconds if last.full and self.seconds is not None and last.seconds is not None else None
            return False
        unknown = same and self.before > 0  # one of several epochs was left: where it goes on is not said
        self._start(bar)
        self.unknown = unknown
        return last.full

    @property
    def reached(self) -> int:
        """The step of the latest drawing."""
        return self.before + (self.bar.at if self.bar else 0)

    def end_of(self, epoch: int | None, shift: int) -> int:
        """The step at which an evaluation stands that names its epoch: the end of one that is over, else where training is."""
        if epoch is None or self.bar is None or self.bar.epoch is None or self.uneven or epoch + shift >= self.bar.epoch:
            return self.reached
        return max(0, epoch + shift - self.base + 1) * self.bar.of

    def clock(self) -> float | None:
        """Seconds of all bars so far, where none names its epoch."""
        seconds = self.bar.seconds if self.bar and self.bar.epoch is None else None
        return None if seconds is None or self.seconds is None else self.seconds + seconds
