"""Dicts as Python prints them: any number on a line, each perhaps broken over several lines."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from itertools import accumulate

from msgspec import Struct

from ngt_report.sources._scalars import is_result
from ngt_report.text.late import late
from ngt_report.text.tokens import NUMBER

Line = tuple[int, str]
MOST_LINES = 50  # that one dict may go over
PAIR = late(rf"'(?P<key>[A-Za-z_][\w/.@\- ]*)': '?(?P<number>{NUMBER})'?(?=[,}}])")
OUT_OF = late(r"'(?P<step>[A-Za-z_]*step)/(?P<total>[A-Za-z_]*steps)': '(?P<at>\d+)/(?P<of>\d+)'")  # 'global_step/max_steps': '22/94'
PRINTED = late(r"\{'[A-Za-z_][^{}]*\}")
OPEN = late(r"\{'[A-Za-z_][^'{}]*': [^{}]*\Z")


class Printed(Struct):
    """The numbers of a dict as printed, the line where it begins and the one where it ends."""

    line: int
    last: int
    values: dict[str, str]


class Stretch(Struct):
    """A line, with those over which its dicts go on."""

    lines: list[Line]
    dicts: list[Printed]
    cut: int | None = None  # the line where a dict with a loss begins that is never closed


def values_of(text: str) -> dict[str, str]:
    """The numbers of one printed dict."""
    values = {m["key"]: m["number"] for m in PAIR.finditer(text)}
    if (found := OUT_OF.search(text)) and found["step"] not in values:
        values |= {found["step"]: found["at"], found["total"]: found["of"]}
    return values


def stretches(lines: Iterator[Line]) -> Iterator[Stretch]:
    """Each line by itself, or with those that its last dict needs to be closed."""
    ahead: deque[Line] = deque()
    while (at := _next(ahead, lines)) is not None:
        taken, begun = [at], 0 if _open(at[1]) else None
        while begun is not None and len(taken) - begun < MOST_LINES and (more := _next(ahead, lines)) is not None:
            closed = more[1].find("}")
            if "{" in more[1][: closed if closed >= 0 else None]:  # another begins
                ahead.appendleft(more)
                break
            taken.append(more)
            if closed >= 0:
                begun = len(taken) - 1 if _open(more[1]) else None
        cut = None
        if begun is not None:
            cut = taken[begun][0] if is_result(values_of((_open(taken[begun][1]) or "") + "}")) else None
            ahead.extendleft(reversed(taken[begun + 1 :]))
            del taken[begun + 1 :]
        yield Stretch(taken, _dicts(taken), cut)


def _next(ahead: deque[Line], lines: Iterator[Line]) -> Line | None:
    return ahead.popleft() if ahead else next(lines, None)


def _open(text: str) -> str | None:
    """The dict that a line begins and does not close."""
    found = OPEN.search(text, text.rfind("}") + 1) if "{'" in text else None
    return found[0] if found else None


def _dicts(lines: list[Line]) -> list[Printed]:
    """The dicts of lines that belong together; one that is drawn again on them counts once."""
    if not any("}" in text for _, text in lines):
        return []
    starts = [0, *accumulate(len(text) for _, text in lines)]
    found: list[Printed] = []
    for match in PRINTED.finditer("".join(text for _, text in lines)):
        first, last = (lines[bisect_right(starts, at) - 1][0] for at in (match.start(), match.end() - 1))
        values = values_of(match[0])
        if values and all(values != f.values for f in found):
            found.append(Printed(first, last, values))
    return found
