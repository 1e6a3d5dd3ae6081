"""Configurations that a log prints whole, as a call, a dict, or pairs that fill their lines: each setting counts, whatever its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ngt_report import names
from ngt_report.text.brackets import MOST_LINES, members_of, opening
from ngt_report.text.flags import command_of
from ngt_report.text.indented import Sections
from ngt_report.text.late import late
from ngt_report.text.owned import of_evaluation

Line = tuple[int, str]
Said = tuple[int, str, str]  # line, path with / between its parts, value as written

MOST_OPEN = 5  # calls and dicts that are never closed, after which none is looked for
FEWEST = 3  # pairs that make a block
COLUMNS = 4  # lines of two columns that make one
KNOWN = 2  # settings among them that are known by name
_LEVEL = r"(?:(?:INFO|DEBUG|WARNING):[\w.]+:|.{0,60}?\b(?:INFO|DEBUG|WARNING)\b[\]\s:\-|>]*(?:[\w.<>]+:[\w<>]+:\d+[ \t]*[\-|][ \t]*)?)"
PREFIX = late(
    rf"^(?:{_LEVEL}|I\d{{4}} [\d:.]+[ \t]+\d+ [\w.\-]+:\d+\][ \t]*"
    r"|[\[(]?\d{1,4}[-/:.]\d\d[\d\-/:., T]*[\])]?[\s:\-|>]*|\[rank ?0\]:?\s*)"
)
HEADING = late(r"^[\W_]*(?:[A-Za-z][\w ]{0,30}(?::|\]|->|=>)|[A-Za-z]{1,20}(?: [A-Za-z]{1,12}){0,3}(?=\s))\s*(?=[A-Za-z_][\w.\-]*=)")
JOINED = late(r"(?P<key>[A-Za-z_][\w.\-/]*)=(?P<value>'[^']*'|\"[^\"]*\"|[^\s,;|]+)(?:[\s,;|]+|$)")  # lr=0.1, seed=3
BETWEEN = late(r"[|;]|,\s+(?=[A-Za-z_])")
APART = late(
    r"^[\s#>*\-]*['\"`*]*(?P<key>[A-Za-z_][\w.\-/]*(?: [A-Za-z_][\w.\-/]*){0,3})['\"`*]*"
    r"\s*[:=](?!=)\s*(?P<value>[^\s:=](?:[^:=]*[^\s:=])?)?\s*$"
)  # learning rate: 0.1

TWO = late(r"^[ \t>]*(?:--)?(?P<key>[A-Za-z_][\w.\-]*)(?P<between>[ \t]+)(?P<value>\S(?:.*\S)?)[ \t]*$")  # lr      0.1
BARS = frozenset("|\u2502\u2503")
_BAR = r"[ \t]*[|\u2502\u2503]"
ROW = late(rf"^\W*?{_BAR}[ \t]*(?P<key>[A-Za-z][^|\u2502\u2503]{{1,60}}?){_BAR}[ \t]*(?P<value>[^|\u2502\u2503]+?)(?:{_BAR}\W*)?$")
DOTTED = late(r"^[ \t>]*(?P<key>[A-Za-z][\w\-]+)[ \t]*\.{3,}[ \t]*(?P<value>\S.*)$")
ASIDE = late(r"(?<=\w)[ \t]*\([^()]*\)(?=[ \t]*[:=])")  # Total train batch size (w. parallel) = 32
SYMBOL = late(r"(?:[ \t]+[A-Z][A-Za-z]?|[ \t]*\([^()]*\))$")  # sequence length T, learning rate (LR)


def whole(lines: Sequence[Line]) -> list[Said]:
    """The settings of all configurations that are printed whole."""
    found: list[Said] = []
    block, columns = _Block(), _Columns()
    at = left_open = 0
    while at < len(lines):
        members, over = _bracketed(lines, at) if left_open < MOST_OPEN else ([], 1)
        left_open += not over
        if not members:
            members, over = command_of(lines, at)
        if members or not block.add(*lines[at]):
            found += block.close()
        if members or not columns.add(*lines[at]):
            found += columns.close()
            columns.add(*lines[at])
        found += _configured(members, 1)
        at += over or 1
    return found + block.close() + columns.close()


class _Block:
    """Lines that are pairs throughout, one below the other."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.sections = Sections()

    def add(self, at: int, text: str) -> bool:
        """Take a line that is made of pairs, an item of a list below one, or drawn; False: it holds anything else."""
        if self.said and (item := self.sections.item(text)):
            if self.said[-1][1] == item[0]:
                self.said[-1] = (self.said[-1][0], *item)
            return True
        indent, pairs = _pairs(text)
        if len(pairs) == 1:
            pairs = [(self.sections.path(indent, *pairs[0]), pairs[0][1])]
        self.said += [(at, path, value) for path, value in pairs]
        return bool(pairs) or not any(map(str.isalnum, text))

    def close(self) -> list[Said]:
        """The settings of the lines so far, of which the next ones are no more."""
        said, self.said, self.sections = self.said, [], Sections()
        return _configured(said, FEWEST)


class _Columns:
    """Lines of a name and a value that begins in the same column on each, with nothing but blanks between."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.column: int | None = None
        self.apart = False  # more than a blank stands between them somewhere

    def add(self, at: int, text: str) -> bool:
        """Take a line of two columns; False: it is none, or begins another table."""
        match = TWO.match(text)
        column = match and (-1 if "\t" in match["between"] else match.start("value"))
        if match is None or self.said and column != self.column:
            return False
        self.column = column
        self.apart = self.apart or match["between"] != " "
        self.said.append((at, match["key"], match["value"]))
        return True

    def close(self) -> list[Said]:
        """The settings of the table so far."""
        said = _configured(self.said, COLUMNS) if self.apart else []
        self.said, self.apart = [], False
        return said


def _configured(said: list[Said], fewest: int) -> list[Said]:
    """These settings, if they are a configuration and no result: enough are known by name, and none is a measured loss or a step."""
    if len(said) < fewest:
        return []
    ends = [(path.rpartition("/")[2], value) for _, path, value in said]
    if any(value[:1].isdigit() and _measured(end) for end, value in ends):
        return []
    return said if len({key for end, _ in ends if (key := names.known_config(end))}) >= KNOWN else []


def _measured(end: str) -> bool:
    return (names.known_metric(end) or "").endswith("/loss") or names.role(end) == "step"


def _bracketed(lines: Sequence[Line], at: int) -> tuple[list[Said], int]:
    """The members of a call or a dict that begins on a line, and how many lines it takes: 0 where it is never closed."""
    start = opening(lines[at][1], lines[at + 1][1] if at + 1 < len(lines) else "")
    if start is None:
        return [], 1
    members: list[Said] = []
    for over, path, value in members_of("\n".join([lines[at][1][start:], *(text for _, text in lines[at + 1 : at + MOST_LINES])])):
        if path is None:
            return members, over + 1
        members.append((lines[at + over][0], path, value))
    return [], 0


# -- pairs ------------------------------------------------------------------------------------------------------------
def as_pair(text: str) -> str:
    """A row of a table of settings, a dotted line, or a name with an aside in brackets as `key: value`; other lines as they are."""
    for pattern, mark in ((ROW, "|"), (ROW, "\u2502"), (ROW, "\u2503"), (DOTTED, "...")):
        if mark in text and (match := pattern.match(text)):
            return f"{SYMBOL.sub('', match['key'])}: {match['value']}"
    return ASIDE.sub("", text) if ")" in text else text


def _pairs(text: str) -> tuple[int, list[tuple[str, str]]]:
    """How far a line is indented, and the pairs that it is made of; none where it holds anything else."""
    if ":" not in text and "=" not in text and "..." not in text and not BARS.intersection(text) or " --" in text:
        return 0, []
    prefix = PREFIX.match(text)
    body = text[prefix.end() :] if prefix and prefix.end() < len(text) else text
    indent = max(0, len(text[: len(text) - len(body)]) - len(text[: len(text) - len(body)].rstrip()) - 1) if prefix else 0
    stripped = body.strip()
    indent += len(body) - len(body.lstrip())
    text = as_pair(stripped)
    if "=" in text and (joined := _joined(HEADING.sub("", text, count=1))):
        return indent, joined
    matches = [APART.match(part) for part in BETWEEN.split(text)]
    return indent, [(m["key"], m["value"] or "") for m in matches if m] if all(matches) else []


def _joined(text: str) -> list[tuple[str, str]]:
    """The pairs of a line that is key=value throughout."""
    found, at = [], 0
    while at < len(text):
        match = JOINED.match(text, at)
        if match is None:
            return []
        found.append((match["key"], match["value"]))
        at = match.end()
    return found


def setting(path: str, value: Any) -> str | None:
    """The key of a setting; None for one of an evaluation, or that says where things are."""
    above, _, end = path.rpartition("/")
    if value in (None, "Value", "value") or names.role(end) or of_evaluation(above):
        return None
    return names.known_config(end) or names.other_config(path, value)
