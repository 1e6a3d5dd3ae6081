"""The text engine: one tokenizer for `key=value`, `key: value` and `key value` logs; dialects only name keys.

Reading is by shape. The tokenizer takes the first line of each kind apart and turns it into a regular expression;
`findall` of all shapes over a block of lines then gives one row per line, so a line's number is its row's index.
Every line that no shape takes goes through the tokenizer, so a slow line is never a lost line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from msgspec import Struct

from ngt_report import names
from ngt_report.text.late import late
from ngt_report.text.printed import Printed

NUMBER = r"[-+]?(?:(?:[0-9]+(?:,[0-9]{3})*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[nN][aA][nN]|[iI][nN][fF](?:inity)?)"
FAST_NUMBER = r"-?[0-9]+\.[0-9]+|" + NUMBER  # the same language, the usual case first
THOUSANDS = r"[0-9]{1,3}(?:,[0-9]{3}){0,5}(?![0-9])|[0-9]{1,18}"  # no counter is longer
DURATION = r"(?:[0-9]+ days?, )?[0-9]+:[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?|(?:[0-9]+h ?)?[0-9]+m ?[0-9]+(?:\.[0-9]+)?s"
UNITS: dict[str, float] = {
    "": 1.0, "ms": 1e-3, "s": 1.0, "sec": 1.0, "secs": 1.0, "seconds": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "us": 1e-6,
    "%": 1.0, "GiB": 1.0, "GB": 1.0, "MiB": 1 / 1024, "MB": 1 / 1024, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9,
}  # fmt: skip
TIMES = frozenset("ms s sec secs seconds m min h us".split())
PHASES = {**dict.fromkeys(("val", "valid", "validation", "validate", "eval", "evaluation", "dev"), "val"), "test": "test"}
OF_LINES = {**PHASES, "saving dict": "val"}  # what a line begins with that is of an evaluation
PHASED = {
    "loss": "loss", "lm_loss_value": "loss", "ppl": "perplexity", "pp": "perplexity", "perplexity": "perplexity",
    "lm_loss_ppl": "perplexity",
    "lm_loss_ppl_value": "perplexity", "acc": "accuracy", "accuracy": "accuracy", "bpb": "bpb",
}  # fmt: skip
SPLIT_LOSSES = {"train": "train/loss", **dict.fromkeys(("val", "valid", "validation", "eval", "dev"), "val/loss")}
MEANS = re.compile(
    r"^(?:avg|average|mean|current|epoch|done|finished|completed?)_(?=(?:train|val(?:id(?:ation)?)?|eval|dev|test)(?:ing)?_)"
)

_PHASE = r"(?:validation|validate|valid|val|evaluation|eval|dev|training|train|test)"
# Quantifiers that need not give anything back do not (*+): a line of thousands of blanks would take minutes.
_LEVEL = r"(?:INFO|DEBUG|WARN(?:ING)?|ERROR|SUCCESS|root|__main__)"
_PREFIX = (
    r"(?:\[(?![^\]\n]*\bstep|[ \t]*" + _PHASE + r"[ \t]*\])[^\]\n]{1,60}\]"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:[.,][0-9]+)?Z?"
    r"|[0-9]{2}/[0-9]{2}/[0-9]{4}(?=[ ][0-9]{2}:)|[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?"
    r"|" + _LEVEL + r":(?!" + _PHASE + r"\b|best|final|global|step|iter|it\b|s\b|epoch|loss)[A-Za-z_][\w.]{0,60}+:(?=[^\s:])"  # logging's
    r"|(?:[\w.<>]{1,60}:[\w.<>]{1,60}:[0-9]+|" + _LEVEL + r"|[\w.]{1,60}\.py:[0-9]+)\b"  # loguru's place, a level, a file and line
    r"|[\w.]{1,60}+(?=[ \t]*[|:\-][ \t]*" + _LEVEL + r"\b)"  # a logger's name before its level
    r"|[IWEF][0-9]{4}[ ][0-9:.]{8,15}[ ]+[0-9]+[ ][\w./]{1,60}:[0-9]+\]"  # absl
    r"|\([\w.\- ]{1,60}+, pid=[0-9]+(?:, ip=[0-9.]+)?\)"  # ray
    r"|(?:[0-9]{1,4}|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[A-Za-z][\w\-]{0,40}[0-9]):(?=[ \t])(?=[^\n]{0,4000}\b(?:step|iter)))"  # srun, pdsh
    r"[ \t:|>\-]*+"
)
# a logger's name, after a time or a level
_LOGGER = r"(?:(?!" + _PHASE + r"\b|best|final|global|step|iter|it\b|s\b|epoch)[A-Za-z_][\w.]*+[ \t]*+[|:\-][ \t]++)?"
BEGIN = r"[ \t]*+(?:(?:" + _PREFIX + r"){1,8}" + _LOGGER + r")?"
_MARKS = r"[\[(|<*]*+(?:[^\w\s!-~]++[ \t]*+)*+[ \t]*+"  # brackets and symbols such as emoji
_COUNT = (
    r"(?P<step>" + THOUSANDS + r")(?![0-9.])(?:[ \t]*(?:/|of)[ \t]*(?P<total>" + THOUSANDS + r"))?[\])]*(?=$|[ \t|;\])]|[,:\-](?![0-9]))"
)
_OLD = r"(?!(?:best|final|lowest|min|minimum|prev|previous|last|new)\b)"  # a loss of that kind is not of the step it is told at
_BEFORE = (  # values in front of the step: iter_dt 7.4ms; iter 2 and Train loss 8.1 at step 100
    r"(?P<before>(?!ep|step|iter\b)[A-Za-z_][\w/]*[ \t:=]+[0-9.]+(?:m?s)?[ \t]*[;,|][ \t]*+"
    r"|" + _OLD + r"(?:[A-Za-z]{1,12}+[ _])?(?:loss|ppl|perplexity)[ \t]*+[:=]?[ \t]*+[0-9][0-9.eE+\-]*+[ \t]*+"
    r"[,;|(\[@]?[ \t]*+(?:(?:at|after|for)[ \t]++)?)?"
)
HEADER = re.compile(
    BEGIN + _BEFORE + _MARKS + r"(?:(?P<split>" + _PHASE + r")[\])][ \t:|,\-]*+(?=ep(?:och)?\b))?"  # [val] epoch 1 step 100
    r"(?:(?:train(?:ing)?|completed|finished|done|after)[ \t]++(?=ep|step|iter|global))?+"
    r"(?:ep(?:och)?[ \t:=\[]*+(?P<epoch>[0-9]{1,9})(?:[ \t]*/[ \t]*(?P<epochs>[0-9]{1,9}))?\]?[ \t,|:\-]*+[(\[]?)?"
    r"(?P<phase>" + _PHASE + r"?)(?P<what>[ \t]+loss)?(?:[ \t]+(?:results?|metrics?))?(?:[ \t]+#?[0-9]{1,6}(?=[ \t]+at[ \t]+step))?"
    r"[\])]*+[ \t:|@,\-]*+(?:(?:at|after)[ \t]++)?"
    r"(?:(?P<word>(?:global[_ ]?)?steps?|iter(?:ation|s)?|it)\b[ \t]*+(?:[:=#][ \t]*+)?(?:[\[(][ \t]*+)?|\bs:"
    r"|(?(epoch)(?<=[\[(])(?=[0-9]{1,9}[ ]?/[ ]?[0-9]{1,9}[\])])|(?!))"  # Epoch:[1/2](100/3000)
    r"|(?(epoch)(?!)|(?<![0-9])(?=[0-9]{1,9}[ ]\|[ ]loss[ ][0-9.]+[ ]\|)))" + _COUNT,  # 490 | loss 5.7543 | lr ...: llama2.c
    re.IGNORECASE,
)  # fmt: skip
COUNTS = re.compile(r"[0-9][ \t]+(?:steps|iterations|iters)\b", re.IGNORECASE)  # cheap, and true for every line that COUNTED accepts
COUNTED = late(  # After 1,000 iterations: ...
    BEGIN + r"(?P<before>)(?P<phase>)(?P<what>)(?P<epoch>(?!))?(?P<epochs>(?!))?(?P<total>(?!))?(?:(?:after|at)[ \t]++)?"
    r"(?P<step>" + THOUSANDS + r")[ \t]+(?P<word>steps|iterations|iters)\b(?=[ \t]*[:,|\-])", re.IGNORECASE,
)  # fmt: skip
SAVED = "Saving dict for global step "
SAVING = late(  # an evaluation of TensorFlow's estimators
    BEGIN + r"(?P<before>)(?P<what>)(?P<epoch>(?!))?(?P<epochs>(?!))?(?P<total>(?!))?"
    r"(?P<phase>Saving dict)[ ]for[ ]global[ ](?P<word>step)[ ](?P<step>" + THOUSANDS + r")(?=:[ ])"
)  # fmt: skip
EPOCHS = late(  # for logs whose lines count nothing but epochs; a line within an epoch is none
    BEGIN + r"(?P<before>)" + _MARKS + r"(?P<phase>" + _PHASE + r"?)(?P<what>[ \t]+loss)?[\])]*+[ \t:|@,\-]*+"
    r"(?:(?:end of|after|at)[ \t]++)?(?P<word>ep(?:och)?)\b[ \t]*+(?:[:=#][ \t]*+)?(?:[\[(][ \t]*+)?" + _COUNT +
    r"(?![ \t,|:\-(\[\])]*(?:(?:mini[\- ]?)?batch|step|iter|it\b|update|[0-9]+[ ]*(?:/|of)|[0-9]+%))"
    r"(?![^\n]*%\|[^|\n]*\|[ \t]*[0-9]+/[0-9]+[ \t]*\[[0-9:]+<[^\]\n]*loss=)"  # a progress bar that shows a loss
    r"(?![^\n]*\b(?:num_updates|global_step)\b)",  # fairseq: it counts steps, and its losses are in bits
    re.IGNORECASE,
)  # fmt: skip
_END = r"(?=$|[\s;|)\]}(]|[,/:](?![0-9]))"  # 4,7748 is not 4, and 1/0 is not 1
TOKEN = re.compile(
    r"(?<![\w@%])(?!(?:m?s|secs?|min)\.[ ])"
    r"(?P<key>[A-Za-z_%@][\w@%/.()\-]{0,80}+(?:[ ][A-Za-z_(][\w/%.()]{0,60}+){0,4}?)['\"]?[ \t]*+(?:[:=][ \t]*+|(?<=[ \t]))"
    r"(?:tensor\()?(?!nan[ ][a-z]+[ ]*:)(?:(?P<duration>" + DURATION + r")|(?P<number>" + NUMBER + r")"
    r"(?P<unit>ms|secs?|seconds|s|min|m|h|us|%|[GM]i?B|[kKMB])?)(?:, device='cuda:[0-9]+'\))?" + _END
)
LONE = late(r"[ \t]*+[:=|\-][ \t]*+(?P<number>" + NUMBER + r")" + _END)  # Validation loss at step 500: 4.2
_PAIR = r"['\"]?[A-Za-z_][\w/.\-]*+['\"]?[ \t]*+[:=][ \t]*+(?:" + NUMBER + r")[A-Za-z%]{0,3}"
PAIRS = late(
    r"[ \t]*+(?:" + _PREFIX + r"){0,8}(?:[({\[][ \t]*+)?(?P<body>" + _PAIR + r")"
    r"(?:(?:[ \t]*[,;|][ \t]*+|[ \t]++)" + _PAIR + r")+[ \t]*+(?:[)}\]][ \t]*+)?$"
)  # fmt: skip
# between two values, or before the first: what is said of the values that follow, plainly or not
SPLIT = late(r"(?<![\w./'\"\-])(" + _PHASE + r")(?![\w./'\"])(?=[ \t]*[:|\])]|[^\w]*$)", re.IGNORECASE)
EVALUATING = late(r"(?<![\w./\-])(?:" + "|".join(PHASES) + r")(?![\w./])", re.IGNORECASE)
PART_OF = late(r"(?<![\w./\-])(?:training|train)[ \t]+[A-Za-z_][^|,;:\[\](){}]*$", re.IGNORECASE)  # [Train cl  loss: 0.1]
VALUE_FIRST = late(r"[0-9][ \t]+[A-Za-z]+/s(?:ec)?\b(?![ \t]*[:=]?[ \t]*[-+.0-9])")  # 171.2 samples/sec 1.6 updates/sec
LOOKING_BACK = re.compile(
    r"(?:^|[\s\[(|:>\-])(?:best|final|loaded|restored|resum(?:ed|ing))(?:[ \t]+\w+){0,3}[\s\])|:>\-]*$", re.IGNORECASE
)
IMPROVED = re.compile(
    r"\b(?:improved|increased|decreased|went)(?: \w+)? from [0-9a-z.+\-]+ (?:to|->) |\bdid not improve from ", re.IGNORECASE
)
OTHER_STEP = re.compile(r"(?:at|best|last|max|total|warmup|on|from)_(?:steps?|iters?|iterations?)")
ON_TEST = re.compile(r"\b(?:on|for) (?:the )?test\b", re.IGNORECASE)  # validation loss at iteration 20 on test set
# a line that may hold data: cheap, and true for every line that HEADER and PAIRS accept
MAYBE = re.compile(
    rb"(?i)(?:step|iter|\bit\b|\bs:)s?(?:ation)?['\"]?[ \t]*+(?:[:=#][ \t]*+)?(?:[\[(][ \t]*+)?[0-9]"
    rb"|[0-9] (?:(?:steps|iterations|iters)[ :,|\-]|\| loss [0-9.]+ \|)"
    rb"|ep(?:och)?[ \t:=\[]*+[0-9]{1,9}(?:[ \t]*/[ \t]*[0-9]{1,9})?\]?[ \t,|:\-]*+[(\[][0-9]{1,9}[ ]?/"
)
MEAN_CLOCKS = frozenset(("elapsed_time_per_iteration_ms", "elapsed_time_per_iteration_s"))  # Megatron and its kin


class Dialect(Struct, frozen=True):
    """What one family of text logs calls things: raw cleaned keys, clock semantics and scope."""

    keys: dict[str, str] = {}  # cleaned raw key -> canonical name, '@clock', '@step_clock', '@mean_clock' or '@drop'
    totals: frozenset[str] = frozenset()  # settings that are the number of steps of a run
    scope: str = "unknown"  # what the clock counts: 'training', 'training and evaluation', 'unknown'
    line: re.Pattern[str] | None = None  # data lines of another build: groups step, key and number
    unnamed: re.Pattern[str] | None = None  # numbers without a name: the groups are keys of the dialect
    maybe: re.Pattern[bytes] = MAYBE  # true for every data line, and cheap
    header: re.Pattern[str] = HEADER  # how a line begins that says where the run is
    iterations: bool = False  # lines that only count iterations stand at the step that a line before gave for them


class Value(Struct):
    """One number of a line: what it is, where it stands, and how to turn it into canonical units."""

    name: str  # canonical metric, or '@step', '@iteration', '@total', '@clock', '@step_clock', '@mean_clock', '@tokens'
    start: int
    end: int
    scale: float = 1.0
    duration: bool = False  # 1:02:03 or 2m 3s, in seconds

    @property
    def counts(self) -> bool:
        """Whether it is a whole number without a sign: a step, an epoch, a total."""
        return self.name in COUNTERS


CLOCKS = ("@clock", "@step_clock", "@mean_clock")
COUNTERS = ("@step", "@iteration", "@total", "@epoch", "@epochs")


def tokenize(line: str, dialect: Dialect) -> list[Value] | None:
    """The values of a data line, the step first; None when the line holds no metric at a step."""
    if dialect.line is not None:
        return _own_line(line, dialect)
    head = dialect.header.match(line) or (_otherwise(line) if dialect.header is HEADER else None)
    if head and head["word"] is None and (beside := dialect.header.match(line, head.end())):
        head = beside  # s:0 step:100/600
    values = _after_header(line, head, dialect) if head else _pairs(line, dialect)
    if not any(v.name[0] != "@" and not v.name.startswith(("best/", "final/")) or v.name in CLOCKS for v in values):
        return None
    return values


def _otherwise(line: str) -> re.Match[str] | None:
    """The beginning of a line that gives its step in other words."""
    return SAVING.match(line) if SAVED in line else COUNTED.match(line) if COUNTS.search(line) else None


def _own_line(line: str, dialect: Dialect) -> list[Value] | None:
    """A line that a dialect's own pattern takes apart."""
    match = dialect.line.fullmatch(line) if dialect.line else None
    name = meaning(names.clean(match["key"]), "", "", dialect)[0] if match else "@drop"
    return [Value("@step", *match.span("step")), Value(name, *match.span("number"))] if match and name[0] != "@" else None


def _after_header(line: str, head: re.Match[str], dialect: Dialect) -> list[Value]:
    """The values of a line that begins with its step."""
    if LOOKING_BACK.search(line, 0, max(head.start("word"), 0)) or IMPROVED.search(line, head.end()):
        return []  # such a line repeats an earlier step
    word = (head["word"] or "s").lower()
    values = [Value("@iteration" if dialect.iterations and word[:2] == "it" else "@step", *head.span("step"))]
    values += [Value(f"@{g}", *head.span(g)) for g in ("total", "epoch", "epochs", "clock") if head.groupdict().get(g)]
    phase = OF_LINES.get((head["phase"] or head.groupdict().get("split") or "").lower(), "")
    phase = "test" if phase and ON_TEST.search(line, head.end()) else phase
    if head["what"] and (lone := LONE.match(line, head.end())):
        values.append(Value(f"{phase or 'train'}/loss", *lone.span("number")))
    before = [(token, phase) for token in TOKEN.finditer(line, *head.span("before"))]
    for token, said in (*before, *_split_up(line, head.end(), phase)):
        value = _value(token, said, dialect)
        if value is not None and value.name == "@step":
            beside = word[:2] == "it" or word == "s"
            if beside and not line[head.end() : token.start()].strip(" \t,|"):  # 'iter 10 step 2': the step is the step
                values = [*(v for v in values[:1] if dialect.iterations), value]
            elif "global" in token["key"].lower():  # 'iteration 0/99 | global_step: 300': the step is that of the whole run
                values = [value, *(v for v in values if v.name not in COUNTERS)]
        elif value is not None and value.name not in {v.name for v in values}:
            values.append(value)
    if dialect.unnamed and (rest := dialect.unnamed.search(line, head.end())):
        values += [Value(name, *rest.span(key), scale) for key in rest.groupdict() for name, scale in (meaning(key, "", phase, dialect),)]
    if word in ("iters", "iterations") and not any("loss" in v.name for v in values):
        return []  # a setting: iters: 1000, lr: 0.1
    return _in_company(values)


def _split_up(line: str, at: int, phase: str) -> Iterator[tuple[re.Match[str], str | None]]:
    """The values of a line from a place on, each with the phase that is said before it; None where a name alone would mean too little."""
    said: str | None = phase
    unit_after = bool(VALUE_FIRST.search(line, at))
    for token in TOKEN.finditer(line, at):
        said = _said_between(line[at : token.start()], said)
        at = token.end()
        if not (unit_after and "/s" in token["key"] and line[token.end("key")] in " \t"):
            yield token, said


def _said_between(gap: str, phase: str | None) -> str | None:
    """The phase of the values behind a piece of text between values."""
    if not (EVALUATING.search(gap) or "train" in gap.lower()):
        return phase
    found = list(SPLIT.finditer(gap))
    rest = gap[found[-1].end() :] if found else gap
    plain = PHASES.get(found[-1][1].lower(), "") if found else phase
    if PART_OF.search(rest) or any(PHASES[word.lower()] != plain for word in EVALUATING.findall(rest)):
        return None
    return plain


def _in_company(values: list[Value]) -> list[Value]:
    """`train 5.12 | val 5.22`, with nothing between the name of a split and its number, is a pair of losses; a bare
    perplexity beside an evaluation is its own."""
    if any(v.name in ("eval_loss", "val/loss") for v in values) and not any(v.name in ("train/loss", "val/perplexity") for v in values):
        for value in values:
            value.name = "val/perplexity" if value.name == "train/perplexity" else value.name
    bare = {v.name: SPLIT_LOSSES[v.name] for v in values if v.name in SPLIT_LOSSES}
    if set(bare.values()) == {"train/loss", "val/loss"} and not any(v.name in bare.values() for v in values):
        for value in values:
            value.name = bare.get(value.name, value.name)
    return values


def _pairs(line: str, dialect: Dialect) -> list[Value]:
    """The values of a line of pairs that has its step among them: loss=3.2 lr=1e-4 step=100."""
    match = PAIRS.match(line) if _paired(line) else None
    if not match:
        return []
    values: dict[str, Value] = {}
    for token in TOKEN.finditer(line, match.start("body")):
        value = _value(token, "", dialect)
        if value is not None and (value.name != "@step" or token["key"].lower() != "s"):  # seconds, or a seed
            values.setdefault(value.name, value)
    looks_back = any(name.startswith(("best/", "final/")) for name in values)
    return list(values.values()) if "@step" in values and not looks_back else []


def _paired(line: str) -> bool:
    """Cheap, and true for every line that PAIRS accepts: what stands before its last pair is a number."""
    found = line.replace(":", "=").rsplit("=", 2)
    return len(found) == 3 and found[1].lstrip(" \t")[:1] in set("+-.0123456789nNiI")


def _value(token: re.Match[str], phase: str | None, dialect: Dialect) -> Value | None:
    raw = token["key"]
    key = MEANS.sub("", names.clean(raw if ")" in raw else raw.rpartition("(")[2]))
    if phase is None and key in PHASED:
        return None
    name, scale = meaning(key, token["unit"] or "", phase or "", dialect)
    if token["duration"]:
        return Value(name, *token.span("duration"), duration=True) if name in CLOCKS else None
    if name == "@drop" or name == "@step" and not token["number"].replace(",", "").isdigit():
        return None
    return Value(name, *token.span("number"), scale)


def meaning(key: str, unit: str, phase: str, dialect: Dialect) -> tuple[str, float]:
    """The canonical name and the factor of a raw key with a unit."""
    scale = UNITS[unit]
    if (name := dialect.keys.get(key)) is not None:
        return name, 1e-3 if name in CLOCKS and key.endswith("_ms") and not unit else scale
    if key in MEAN_CLOCKS:
        return "@mean_clock", scale * (1e-3 if key.endswith("_ms") and unit not in TIMES else 1.0)
    if (per_unit := names.clock_scale(key)) is not None:
        return "@clock", scale if unit in TIMES else per_unit
    if OTHER_STEP.fullmatch(key) or key.endswith("_took"):  # Val took 0.7s
        return "@drop", scale
    if (counter := names.role(key)) is not None:
        return ("@" + counter if counter != "total" else "@drop"), scale
    if phase and key in PHASED:
        return f"{phase}/{PHASED[key]}", scale
    name = names.metric(key)
    if name == "step_ms":
        return name, scale * 1e3 if unit in TIMES else 1.0
    return name, scale


Row = tuple[bytes, ...]


class Shape(Struct):
    """A kind of data line: its pattern, and what each captured group is."""

    pattern: str
    values: list[Value]
    first_group: int = 0


@cache
def _literal(text: str) -> str:
    """A pattern for the text between captured numbers: blanks may vary, and so may numbers that belong to no word."""
    pieces = re.split(r"([ \t]+|(?<![A-Za-z_0-9])[0-9]+(?![A-Za-z_0-9]))", text)
    return "".join(
        " " if p == " " else r"[ \t]+" if p[0] in " \t" else r"[0-9]+" if p.isdecimal() and p.isascii() else re.escape(p)
        for p in pieces
        if p
    )


def _captured(value: Value, text: str) -> str:
    """The group that captures a value."""
    if value.counts:
        return f"({THOUSANDS})" if "," in text else r"([0-9]{1,18})"
    return f"({DURATION if value.duration else FAST_NUMBER})"


def shape_of(line: str, values: Sequence[Value]) -> Shape:
    """The shape of a tokenized line."""
    ordered = sorted(values, key=lambda v: v.start)
    pieces, at = [], 0
    for value in ordered:
        pieces.append(_literal(line[at : value.start]))
        pieces.append(_captured(value, line[value.start : value.end]))
        at = value.end
    body = "".join(pieces) + _literal(line[at:].rstrip(" \t"))
    return Shape(body + ("" if line[-1:] not in " \t" else r"[ \t]*"), ordered)


class Shapes:
    """The shapes seen so far, compiled into one pattern that takes exactly one line per match."""

    LIMIT = 24

    def __init__(self) -> None:
        self.known: list[Shape] = []
        self.by_pattern: dict[str, Shape] = {}
        self.groups = 0
        self._findall: Callable[[bytes], list[Row]] | None = None

    def learn(self, shape: Shape) -> Shape:
        """The known shape of this pattern; a new one joins the compiled pattern while there is room."""
        known = self.by_pattern.setdefault(shape.pattern, shape)
        if known is shape and len(self.known) < self.LIMIT:
            shape.first_group = self.groups
            self.groups += len(shape.values)
            self.known.append(shape)
            self._findall = None
        return known

    def takes(self, line: bytes) -> bool:
        """Whether a known shape takes a line."""
        return bool(self.known) and not self.rows(line + b"\n")[0][-1]

    def rows(self, block: bytes) -> list[Row]:
        """One row per line: the groups of the shape that took it, or the line itself in the last group."""
        if not self.known:
            return [(line,) for line in block[:-1].split(b"\n")]
        if self._findall is None:
            alternatives = "|".join([s.pattern for s in self.known] + [r"([^\n]*)"])
            self._findall = re.compile(f"(?:{alternatives})\n".encode()).findall
        return self._findall(block)


def numbers(texts: Sequence[bytes], value: Value) -> Sequence[float]:
    """Printed numbers as floats in canonical units."""
    if isinstance(texts, Printed):
        found: Any = scaled(texts.values, value.scale)
        return found.tolist() if value.name[0] == "@" else found  # type: ignore[no-any-return]
    if value.duration:
        return [_seconds(t.decode()) for t in texts]
    try:
        values = list(map(float, texts))
    except ValueError:  # 1,234
        values = [float(t.replace(b",", b"")) for t in texts]
    return values if value.scale == 1.0 else [scaled(v, value.scale) for v in values]


def _seconds(text: str) -> float:
    """1 day, 2:03:04 or 2h 3m 4s in seconds."""
    days, _, rest = text.rpartition(",")
    parts = [float(p) for p in re.findall(r"[0-9.]+", rest)]
    return sum(p * unit for p, unit in zip(reversed(parts), (1, 60, 3600), strict=False)) + (86400 * int(days.split()[0]) if days else 0)


def scaled(value: Any, scale: float) -> Any:
    """v * scale, dividing where that is exact: 616917 ms is 616.917 s."""
    return value if scale == 1.0 else value / round(1 / scale) if scale < 1 else value * scale


def integers(texts: Sequence[bytes]) -> list[int]:
    """Printed whole numbers."""
    if isinstance(texts, Printed):
        return texts.values.astype("int64").tolist()  # type: ignore[no-any-return]
    try:
        return list(map(int, texts))
    except ValueError:
        return [int(t.replace(b",", b"")) for t in texts]


def printed_decimals(texts: Sequence[bytes], scale: float) -> list[int | None] | int | None:
    """Decimals as printed: one number when all agree. A scaled value (110K, 12 ms) has them shifted."""
    shift = round(-math.log10(scale)) if scale != 1.0 else 0
    if isinstance(texts, Printed):
        return (texts.places or 0) + shift
    places = names.decimals(texts[0].decode())
    if places is not None:  # do all have as many?
        pattern = rb"(?:[-+]?\d+\.\d{%d} )*" % places if places else rb"(?:[-+]?\d+ )*"
        if re.fullmatch(pattern, b" ".join(texts) + b" "):
            return places + shift
    return [None if (d := names.decimals(t.decode())) is None else d + shift for t in texts]
