"""Every printed number with its value, its unit and how exactly it is printed; names and dates that hold digits are none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

SCALES = {"k": 1e3, "K": 1e3, "M": 1e6, "m": 1e6, "B": 1e9, "b": 1e9, "G": 1e9, "T": 1e12, "bn": 1e9, "mn": 1e6}
WORDS = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
SECONDS = {
    "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3,
    "us": 1e-6, "m": 60.0, "min": 60.0, "mins": 60.0, "minute": 60.0, "minutes": 60.0, "h": 3600.0, "hr": 3600.0, "hrs": 3600.0,
    "hour": 3600.0, "hours": 3600.0, "d": 86400.0, "day": 86400.0, "days": 86400.0,
    "week": 604800.0, "weeks": 604800.0,
}  # fmt: skip

MOST = 1e18  # nothing is counted or measured beyond it
DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:_\d{3})*(?:\.\d+)?|\.\d+"
NUMBER = re.compile(
    rf"(?P<approx>~\s?|\b(?:about|around|approximately|approx\.?|roughly|circa|nearly|almost)\s+)?(?P<sign>[+-])?(?P<money>[$€£])?"
    rf"(?<![\d_])(?P<digits>{DIGITS})(?P<exp>[eE][+-]?\d{{1,2}}(?![\w-]))?"
)
CLOCK = re.compile(
    r"(?P<approx>~\s?)?(?<![\w.:])(?:(?P<d>\d+)\s?d(?:ays?)?\s+)?(?:"
    r"(?P<h>\d+)\s?h(?:ours?|rs?)?\s*(?P<m>\d{1,2})(?:\s?m(?:in(?:utes?|s)?)?)?(?:\s*(?P<s>\d{1,2}(?:\.\d+)?)\s?s(?:ec(?:onds?|s)?)?)?"
    r"|(?P<m2>\d+)\s?m(?:in(?:utes?|s)?)?\s*(?P<s2>\d{1,2}(?:\.\d+)?)\s?s(?:ec(?:onds?|s)?)?"
    r"|(?P<h3>\d{1,3}):(?P<m3>[0-5]\d):(?P<s3>[0-5]\d(?:\.\d+)?)"
    r")(?![\w:])"
)
AFTER = re.compile(
    r"(?P<percent>\s?(?:%|percent\b|per cent\b)(?P<points>\s?(?:points?|pts?)\b|\s?pp\b)?)|(?P<pp>\s?pp\b|\s(?:percentage\s)?points?\b)"
    r"|(?P<ratio>\s?x(?![\w/-])|-?fold\b)"
    r"|(?P<scale>[kKMBGTb]|bn|mn)(?P<plus>\+)?(?![\w%/.-]|\s?(?:tokens\s?)?bytes?\b)|\s(?P<scaled>thousand|million|billion|trillion|M|B|K)\b"
    r"|(?P<time>\s?(?:ms|us|s|secs?|seconds?|mins?|minutes?|hrs?|hours?|h|days?|weeks?)\b(?!\s?/))"
)
NAME = re.compile(r"[A-Za-z0-9_][\w./\\:@#-]*")
DATE = re.compile(r"\b\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b|\b\d{1,2}[./]\d{1,2}[./]\d{4}\b|\b\d{1,2}:\d{2}\b(?!:)")
MONTHS = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
DAY = re.compile(rf"(?i)\b{MONTHS}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?\b|\b\d{{1,2}}(?:st|nd|rd|th)?\s+{MONTHS}\s*(?:\d{{4}})?\b")
PLACE = re.compile(r"[\w-]\.[A-Za-z][A-Za-z0-9]{1,7}:\d+\b(?!\.\d)")  # a line of a file: budget15k.out:12
BOUND = re.compile(r"(?:<=|>=|<|(?<![-=])>|≤|≥|\b(?:at least|at most|more than|less than|over|under|above|below|up to|within))\s*$", re.I)


IN_COMMAS = re.compile(r"(?<![\w.,])\d{1,3},(?:\d{1,2}|\d{4,})(?![\w,.]\w)(?!\d)")
IN_POINTS = re.compile(r"(?<![\w.,])\d+\.\d+(?![\w,.]\w)(?!\d)")
GROUPED = re.compile(r"(?<![\w.,/\\-])\d+(?:[.,]\d+)+(?![\w/\\])(?![.,-]\w)")
SWAPPED = str.maketrans(",.", ".,")


def decimal_points(source: str) -> str:
    """A text whose decimals stand behind commas (4,5554; 1.500,0) with points instead, place for place; any other text as it is."""
    commas = len(IN_COMMAS.findall(source))
    if commas < 2 or commas <= 2 * len(IN_POINTS.findall(source)):
        return source
    return GROUPED.sub(lambda m: m[0].translate(SWAPPED) if "," in m[0] or re.fullmatch(r"\d{1,3}(?:\.\d{3})+", m[0]) else m[0], source)


class Number(Struct, frozen=True):
    """A printed number. `half` is half a unit of its last printed digit: what a valid rounding may be off by."""

    text: str
    start: int
    end: int  # with its unit
    value: float
    half: float
    kind: str = "plain"  # plain, percent, points, ratio, time
    sign: str = ""
    approx: bool = False
    bound: str = ""  # '<', 'at least', ...: the number is a limit, not a value
    plus: bool = False  # 48+
    scaled: bool = False
    scale: float = 1.0  # of its unit

    def rounds(self, value: float) -> bool:
        """Whether the number is a valid rounding of a value."""
        return abs(self.value - value) <= self.half * (1 + 1e-9) + 4e-16 * abs(value)

    def overlaps(self, low: float, high: float) -> bool:
        """Whether it is a valid rounding of something strictly between two values."""
        tolerance = 1e-6 * self.half
        return low + tolerance < self.value + self.half and self.value - self.half < high - tolerance


@lru_cache(maxsize=8192)
def find(text: str) -> Sequence[Number]:
    """The numbers of a text in order; digits inside names, paths, versions and dates are left out."""
    taken = [m.span() for pattern in (DATE, DAY, PLACE) for m in pattern.finditer(text)]
    found: list[Number] = []
    for match in CLOCK.finditer(text):
        if not _overlaps(match.span(), taken) or match["h3"]:
            if (clock := _clock(match, text)).value < MOST:
                found.append(clock)
            taken.append(match.span())
    for match in NUMBER.finditer(text):
        if not _overlaps(match.span("digits"), taken) and _free(text, match):
            number = _number(match, text)
            if abs(number.value) < MOST:
                found.append(number)
            taken.append((match.start("digits"), number.end))
    return tuple(_ranges(sorted(found, key=lambda n: n.start), text))


def _ranges(found: list[Number], text: str) -> list[Number]:
    """The lower end of a range has the unit of the upper: 5.8-6.0x, 10-20K."""
    for i, (low, high) in enumerate(pairwise(found)):
        joined = re.fullmatch(r"\s?(?:-|to)\s?", text[low.end : high.start])
        if joined and low.kind == "plain" and not low.scaled and (high.kind != "plain" or high.scaled):
            unit = high.scale if high.scaled or high.kind == "time" else 1.0
            found[i] = replace(low, kind=high.kind, scaled=high.scaled, value=low.value * unit, half=low.half * unit)
    return found


def _overlaps(span: tuple[int, int], taken: list[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in taken)


def _free(text: str, match: re.Match[str]) -> bool:
    """Whether the digits stand on their own: not in a name such as wikitext103, GPT-2, v1.2, a/b_3.log or 2026-11."""
    start, end = match.start("digits"), match.end()
    before, after = text[:start], text[end:]
    if re.search(r"[A-Za-z_§#]\+?$", before) or re.search(r"[A-Za-z]-$", before) and not match["approx"]:
        return False
    if (
        re.search(r"[\d.][.,:]$|\w[./\\]$|\d\.$", before)
        and not re.search(r"\d/$", before)
        or re.match(r"\.\d", text[match.start("digits") :])
        and re.search(r"\w$", before)
    ):
        return False
    if re.search(r"[A-Za-z_][\w.-]*/$", before):
        return False
    if re.match(r"[A-Za-z_]", after) and not AFTER.match(after):
        return False
    return not re.match(r"\.\d|/[A-Za-z_]\w*[/.]|_\w|:\d|-[A-Z]|-[A-Za-z]{2,}(?!fold)\w*[._/]", after)


def _number(match: re.Match[str], text: str) -> Number:
    digits = match["digits"].replace(",", "").replace("_", "")
    exponent = int(match["exp"][1:]) if match["exp"] else 0
    value = float(digits + (match["exp"] or ""))
    decimals = len(digits.partition(".")[2])
    after = AFTER.match(text, match.end())
    kind, scale, end = _unit(after, match.end())
    sign = match["sign"] or ""
    if sign == "-" and re.search(r"[\d%KMBx]$", text[: match.start("sign")]):
        sign = ""  # the dash of a range
    half = 0.5 * 10.0 ** (exponent - decimals) * scale
    approx = bool(match["approx"])
    if approx and decimals == 0 and digits.endswith("0") and digits.strip("0"):
        half *= 10 ** (len(digits) - len(digits.rstrip("0")))
    start = match.start("sign") if sign else match.start("digits")
    return Number(
        text[start:end], start, end, (-value if sign == "-" else value) * scale, half, kind, sign, approx, _bound(text[: match.start()]),
        bool(after and after["plus"]) or text[end : end + 1] == "+", bool(after and (after["scale"] or after["scaled"])), scale,
    )  # fmt: skip


def _bound(before: str) -> str:
    found = BOUND.search(before)
    return found[0].strip() if found else ""


def _unit(after: re.Match[str] | None, end: int) -> tuple[str, float, int]:
    """Kind, scale and end of a number by what follows it."""
    if after is None:
        return "plain", 1.0, end
    if after["percent"] or after["pp"]:
        return ("points" if after["points"] or after["pp"] else "percent"), 1.0, after.end()
    if after["ratio"]:
        return "ratio", 1.0, after.end()
    if after["time"]:
        return "time", SECONDS[after["time"].strip().lower()], after.end()
    if after["scaled"]:
        return "plain", {**WORDS, **SCALES}[after["scaled"]], after.end()
    return "plain", SCALES[after["scale"]], after.end()


def _clock(match: re.Match[str], text: str) -> Number:
    days, hours = int(match["d"] or 0), int(match["h"] or match["h3"] or 0)
    minutes = int(match["m"] or match["m2"] or match["m3"] or 0)
    seconds = match["s"] or match["s2"] or match["s3"]
    half = 30.0 if seconds is None else 0.5 * 10.0 ** -len(seconds.partition(".")[2])
    value = 86400 * days + 3600 * hours + 60 * minutes + float(seconds or 0)
    start = match.end("approx") if match["approx"] else match.start()
    return Number(
        text[start : match.end()],
        start,
        match.end(),
        value,
        half,
        "time",
        approx=bool(match["approx"]),
        bound=_bound(text[: match.start()]),
    )
