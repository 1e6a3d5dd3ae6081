"""Configurations that a log prints whole, as a call, a dict, or pairs that fill their lines: each setting counts, whatever its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ngt_report import names
from ngt_report.text.late import late
from ngt_report.text.owned import ELSEWHERE

Line = tuple[int, str]
Said = tuple[int, str, str]  # line, path with / between its parts, value as written

MOST_LINES = 500  # of one call or dict
MOST_OPEN = 5  # calls and dicts that are never closed, after which none is looked for
FEWEST = 3  # pairs that make a block
KNOWN = 2  # settings among them that are known by name
TOKEN = late(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|[()\[\]{}]|,|\n|[^'\"()\[\]{},\n]+|['\"]")
CALL = late(r"(?<![\w.])\w*(?:[Nn]amespace|[Cc]onfig|Args|Arguments|H[Pp]arams|Settings|Options)\(")
DICT = late(r"\{[ \t]*(?=['\"][A-Za-z_][\w.\-/]*['\"][ \t]*:)")
MEMBER = late(r"^\s*['\"]?(?P<key>[A-Za-z_][\w.\-/]*)['\"]?\s*[=:]\s*(?P<value>.*?)\s*$")
OWNER = late(r"^\s*['\"]?(?P<key>[A-Za-z_][\w.\-/]*)['\"]?\s*[=:]\s*[\w.]*$")  # before a bracket that holds members
PREFIX = late(r"^(?:.{0,60}?\b(?:INFO|DEBUG|WARNING)\b[\]\s:\-|>]*|[\[(]?\d{1,4}[-/:.]\d\d[\d\-/:., T]*[\])]?[\s:\-|>]*)")
HEADING = late(r"^[\W_]*(?:[A-Za-z][\w ]{0,30}(?::|\]|->|=>)|[A-Za-z]{1,20}(?=\s))\s*(?=[A-Za-z_][\w.\-]*=)")
JOINED = late(r"(?P<key>[A-Za-z_][\w.\-/]*)=(?P<value>'[^']*'|\"[^\"]*\"|[^\s,;|]+)(?:[\s,;|]+|$)")  # lr=0.1, seed=3
BETWEEN = late(r"[|;]|,\s+(?=[A-Za-z_])")
APART = late(
    r"^[\s#>*\-]*['\"`*]*(?P<key>[A-Za-z_][\w.\-/]*(?: [A-Za-z_][\w.\-/]*){0,3})['\"`*]*"
    r"\s*[:=](?!=)\s*(?P<value>[^\s:=](?:[^:=]*[^\s:=])?)?\s*$"
)  # learning rate: 0.1

_BAR = r"[ \t]*[|\u2502\u2503]"
ROW = late(rf"^\W*?{_BAR}[ \t]*(?P<key>[A-Za-z][^|\u2502\u2503]{{1,60}}?){_BAR}[ \t]*(?P<value>[^|\u2502\u2503]+?)(?:{_BAR}\W*)?$")
DOTTED = late(r"^[ \t>]*(?P<key>[A-Za-z][\w\-]+)[ \t]*\.{3,}[ \t]*(?P<value>\S.*)$")
ASIDE = late(r"(?<=\w)[ \t]*\([^()]*\)(?=[ \t]*[:=])")  # Total train batch size (w. parallel) = 32
SYMBOL = late(r"(?:[ \t]+[A-Z][A-Za-z]?|[ \t]*\([^()]*\))$")  # sequence length T, learning rate (LR)


def whole(lines: Sequence[Line]) -> list[Said]:
    """The settings of all configurations that are printed whole."""
    found: list[Said] = []
    block: list[Said] = []
    at = left_open = 0
    while at < len(lines):
        members, over = _bracketed(lines, at) if left_open < MOST_OPEN else ([], 1)
        left_open += not over
        pairs = [] if members else _pairs(lines[at][1])
        if not pairs and (members or any(map(str.isalnum, lines[at][1]))):  # not a line that is drawn
            found += _configured(block, FEWEST)
            block = []
        block += [(lines[at][0], key, value) for key, value in pairs]
        found += _configured(members, 1)
        at += over or 1
    return found + _configured(block, FEWEST)


def _configured(said: list[Said], fewest: int) -> list[Said]:
    """These settings, if they are a configuration and no result: enough are known by name, and none is a loss or a step."""
    if len(said) < fewest:
        return []
    ends = [path.rpartition("/")[2] for _, path, _ in said]
    if any((metric := names.known_metric(end)) and metric.endswith("/loss") or names.role(end) == "step" for end in ends):
        return []
    return said if len({key for end in ends if (key := names.known_config(end))}) >= KNOWN else []


# -- in brackets ------------------------------------------------------------------------------------------------------
def _bracketed(lines: Sequence[Line], at: int) -> tuple[list[Said], int]:
    """The members of a call or a dict that begins on a line, and how many lines it takes: 0 where it is never closed."""
    text = lines[at][1]
    if "(" not in text and "{" not in text:
        return [], 1
    begun = CALL.search(text) or DICT.search(text)
    if begun is None:
        return [], 1
    start = begun.end() if text[begun.end() - 1] == "(" else begun.start() + 1
    rest = "\n".join([text[start:], *(t for _, t in lines[at + 1 : at + MOST_LINES])])
    members: list[Said] = []
    for over, path, value in _members(rest):
        if path is None:
            return members, over + 1
        members.append((lines[at + over][0], path, value))
    return [], 0


def _members(text: str) -> Iterator[tuple[int, str | None, str]]:
    """(lines below the first, path, value) of what stands in brackets that were opened before a text; where they close, no path."""
    stack: list[str | None] = [""]  # paths of what is open; of a list, nothing is a member
    over, piece = 0, ""
    for match in TOKEN.finditer(text):
        token = match[0]
        if token in ("(", "[", "{"):
            owner = OWNER.match(piece) if token != "[" else None
            above = stack[-1]
            inside = owner is not None and (token == "{" or not piece.rstrip().endswith(("=", ":")))
            stack.append(f"{above}{owner['key']}/" if above is not None and owner and inside else None)
            piece = ""
        elif token in (")", "]", "}", ","):
            member = MEMBER.match(piece) if stack[-1] is not None else None
            if member:
                yield over - member["value"].count("\n"), f"{stack[-1]}{member['key']}", member["value"]
            piece = ""
            if token != ",":
                stack.pop()
                if not stack:
                    yield over, None, ""
                    return
        else:
            over += token == "\n"
            piece += token


# -- pairs ------------------------------------------------------------------------------------------------------------
def as_pair(text: str) -> str:
    """A row of a table of settings, a dotted line, or a name with an aside in brackets as `key: value`; other lines as they are."""
    for pattern, mark in ((ROW, "|"), (ROW, "\u2502"), (ROW, "\u2503"), (DOTTED, "...")):
        if mark in text and (match := pattern.match(text)):
            return f"{SYMBOL.sub('', match['key'])}: {match['value']}"
    return ASIDE.sub("", text) if ")" in text else text


def _pairs(text: str) -> list[tuple[str, str]]:
    """The pairs that a line is made of; none where it holds anything else."""
    text = as_pair(PREFIX.sub("", text.strip(), count=1))
    if ":" not in text and "=" not in text or " --" in text:
        return []
    if "=" in text and (joined := _joined(HEADING.sub("", text, count=1))):
        return joined
    matches = [APART.match(part) for part in BETWEEN.split(text)]
    return [(m["key"], m["value"] or "") for m in matches if m] if all(matches) else []


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
    """The key of a setting; None for one of other data than that of the training, or that says where things are."""
    above, _, end = path.rpartition("/")
    if value is None or names.role(end) or ELSEWHERE.intersection(above.split("/")):
        return None
    return names.known_config(end) or names.other_config(end, value)
