"""The text engine: one tokenizer for `key=value`, `key: value` and `key value` logs; dialects only name keys.

Reading is by shape. The tokenizer takes the first line of each kind apart and turns it into a regular expression;
`findall` of all shapes over a block of lines then gives one row per line, so a line's number is its row's index.
Every line that no shape takes goes through the tokenizer, so a slow line is never a lost line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

from ngt_report import names

NUMBER = r"[-+]?(?:\d+(?:,\d{3})*(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|[nN]a[nN]|[iI]nf(?:inity)?)"
FAST_NUMBER = r"-?\d+\.\d+|" + NUMBER  # the same language, the usual case first
UNITS: dict[str, float] = {
    "": 1.0, "ms": 1e-3, "s": 1.0, "sec": 1.0, "secs": 1.0, "seconds": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "us": 1e-6,
    "%": 1.0, "GiB": 1.0, "GB": 1.0, "MiB": 1 / 1024, "MB": 1 / 1024, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9,
}  # fmt: skip
TIMES = frozenset("ms s sec secs seconds m min h us".split())
PHASES = {"val": "val", "valid": "val", "validation": "val", "validate": "val", "eval": "val", "evaluation": "val", "test": "test"}
PHASED = {"loss": "loss", "ppl": "perplexity", "perplexity": "perplexity", "acc": "accuracy", "accuracy": "accuracy", "bpb": "bpb"}

_PREFIX = (
    r"(?:\[(?![^\]\n]*\bstep)[^\]\n]{1,60}\]|\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?Z?|\d\d:\d\d:\d\d(?:[.,]\d+)?"
    r"|(?:INFO|DEBUG|root|[\w.]+\.py:\d+)\b)[ \t:|>\-]*"
)
HEADER = re.compile(
    r"[ \t]*(?:" + _PREFIX + r"){0,5}[\[(|<*]*[ \t]*(?:epoch[ \t:=]*\d+(?:[ \t]*/[ \t]*\d+)?[ \t,|:\-]*)?"
    r"(?P<phase>(?:validation|validate|valid|val|evaluation|eval|training|train|test)?)(?:[ \t]+loss)?[ \t:|@,\-]*(?:at[ \t]+)?"
    r"(?:(?:global[_ ]?)?(?:steps?|iter(?:ation)?|it)\b[ \t]*[:=#]?[ \t]*|\bs:)"
    r"(?P<step>\d[\d,]*)(?![\d.])(?:[ \t]*(?:/|of)[ \t]*(?P<total>\d[\d,]*))?[\])]?(?=$|[ \t:,|;\-\])])",
    re.IGNORECASE,
)
TOKEN = re.compile(
    r"(?P<key>[A-Za-z_%@][\w@%/.()\-]*(?:[ ][A-Za-z_(][\w/%.()]*){0,4}?)[ \t]*(?:[:=][ \t]*|[ \t])"
    r"(?P<number>" + NUMBER + r")(?P<unit>ms|secs?|seconds|s|min|m|h|us|%|[GM]i?B|[kKMB])?(?=$|[\s,;|)\]}(/])"
)
# a line that may hold data: cheap, and true for every line that HEADER and TOKEN accept
MAYBE = re.compile(rb"(?i)(?:step|iter|\bit\b|\bs:)s?(?:ation)?[ \t]*[:=#]?[ \t]*\d")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one family of text logs calls things: raw cleaned keys, clock semantics and scope."""

    keys: dict[str, str] = field(default_factory=dict)  # cleaned raw key -> canonical name, '@clock', '@step_clock' or '@drop'
    scope: str = "unknown"  # what the clock counts: 'training', 'training and evaluation', 'unknown'


@dataclass(slots=True)
class Value:
    """One number of a line: what it is, where it stands, and how to turn it into canonical units."""

    name: str  # canonical metric, or '@step', '@total', '@clock', '@step_clock', '@tokens'
    start: int
    end: int
    scale: float = 1.0
    unit: str = ""


def tokenize(line: str, dialect: Dialect) -> list[Value] | None:
    """The values of a data line, the step first; None when the line holds no metric at a step."""
    head = HEADER.match(line)
    if not head:
        return None
    values = [Value("@step", *head.span("step"))]
    if head["total"]:
        values.append(Value("@total", *head.span("total")))
    phase = PHASES.get((head["phase"] or "").lower(), "")
    for token in TOKEN.finditer(line, head.end()):
        value = _value(token, phase, dialect)
        if value is None or value.name == "@drop" or value.name in {v.name for v in values if v.name != "@step"}:
            continue
        if value.name == "@step":
            values[0] = value  # 'iter 10 step 2': the step is the step
            continue
        values.append(value)
    return values if any(v.name[0] != "@" or v.name in ("@clock", "@step_clock") for v in values) else None


def _value(token: re.Match[str], phase: str, dialect: Dialect) -> Value | None:
    key = names.clean(token["key"])
    unit = token["unit"] or ""
    name, scale = _meaning(key, unit, phase, dialect)
    if name == "@step" and not token["number"].replace(",", "").isdigit():
        return None
    return Value(name, *token.span("number"), scale, unit)


def _meaning(key: str, unit: str, phase: str, dialect: Dialect) -> tuple[str, float]:
    """The canonical name and the factor of a raw key with a unit."""
    scale = UNITS[unit]
    if (name := dialect.keys.get(key)) is not None:
        return name, scale
    if (per_unit := names.clock_scale(key)) is not None:
        return "@clock", scale if unit in TIMES else per_unit
    if (counter := names.role(key)) is not None:
        return ("@" + counter if counter != "total" else "@drop"), scale
    if phase and key in PHASED:
        return f"{phase}/{PHASED[key]}", scale
    name = names.metric(key)
    if name == "step_ms":
        return name, scale * 1e3 if unit in TIMES else 1.0
    return name, scale


Row = tuple[bytes, ...]


@dataclass(slots=True)
class Shape:
    """A kind of data line: its pattern, and what each captured group is."""

    pattern: str
    values: list[Value]
    first_group: int = 0


@cache
def _literal(text: str) -> str:
    """A pattern for the text between captured numbers: blanks may vary, and so may numbers that belong to no word."""
    pieces = re.split(r"([ \t]+|(?<![A-Za-z_\d])\d+(?![A-Za-z_\d]))", text)
    return "".join(" " if p == " " else r"[ \t]+" if p[0] in " \t" else r"\d+" if p.isdigit() else re.escape(p) for p in pieces if p)


def _counter(text: str) -> str:
    return r"(\d[\d,]*)" if "," in text else r"(\d+)"


def shape_of(line: str, values: Sequence[Value]) -> Shape:
    """The shape of a tokenized line."""
    ordered = sorted(values, key=lambda v: v.start)
    pieces, at = [], 0
    for value in ordered:
        pieces.append(_literal(line[at : value.start]))
        pieces.append(_counter(line[value.start : value.end]) if value.name in ("@step", "@total") else f"({FAST_NUMBER})")
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

    def rows(self, block: bytes) -> list[Row]:
        """One row per line: the groups of the shape that took it, or the line itself in the last group."""
        if not self.known:
            return [(line,) for line in block[:-1].split(b"\n")]
        if self._findall is None:
            alternatives = "|".join([s.pattern for s in self.known] + [r"([^\n]*)"])
            self._findall = re.compile(f"(?:{alternatives})\n".encode()).findall
        return self._findall(block)


def numbers(texts: Sequence[bytes], scale: float) -> list[float]:
    """Printed numbers as floats in canonical units."""
    try:
        values = list(map(float, texts))
    except ValueError:  # 1,234
        values = [float(t.replace(b",", b"")) for t in texts]
    return values if scale == 1.0 else [_scaled(v, scale) for v in values]


def _scaled(value: float, scale: float) -> float:
    """v * scale, dividing where that is exact: 616917 ms is 616.917 s."""
    return value / round(1 / scale) if scale < 1 else value * scale


def integers(texts: Sequence[bytes]) -> list[int]:
    """Printed whole numbers."""
    try:
        return list(map(int, texts))
    except ValueError:
        return [int(t.replace(b",", b"")) for t in texts]


def printed_decimals(texts: Sequence[bytes], scale: float) -> list[int | None] | int | None:
    """Decimals as printed: one number when all agree. A scaled value (110K, 12 ms) has them shifted."""
    shift = round(-math.log10(scale)) if scale != 1.0 else 0
    places = names.decimals(texts[0].decode())
    if places is not None:  # do all have as many?
        pattern = rb"(?:[-+]?\d+\.\d{%d} )*" % places if places else rb"(?:[-+]?\d+ )*"
        if re.fullmatch(pattern, b" ".join(texts) + b" "):
            return places + shift
    return [None if (d := names.decimals(t.decode())) is None else d + shift for t in texts]
