"""What stands in the brackets of a call or a dict that a log prints: its members, those of calls and dicts within it, and short lists."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

from ngt_report.text.late import late
from ngt_report.text.values import MOST

MOST_LINES = 500  # of one call or dict
TOKEN = late(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|[()\[\]{}]|,|\n|[^'\"()\[\]{},\n]+|['\"]")
CALL = late(r"(?<![\w.])\w*(?:[Nn]amespace|[Cc]onfig|Args|Arguments|H[Pp]arams|Settings|Options)\(")
DICT = late(r"\{[ \t]*(?=['\"][A-Za-z_][\w.\-/]*['\"][ \t]*:)")
MEMBER = late(r"^\s*['\"]?(?P<key>[A-Za-z_][\w.\-/]*)['\"]?\s*[=:]\s*(?P<value>.*?)\s*$")
OWNER = late(r"^\s*['\"]?(?P<key>[A-Za-z_][\w.\-/]*)['\"]?\s*[=:]\s*[\w.]*$")  # before a bracket that holds members
KEY = late(r"^\s*['\"][A-Za-z_][\w.\-/]*['\"]\s*:")  # of a dict that begins on the line before


class _Open(Struct):
    """A bracket: the path before its members, or of the list that it is."""

    above: str | None
    listed: str | None = None
    items: list[str] = field(default_factory=list)


def opening(text: str, below: str) -> int | None:
    """Where the members of a call or a dict begin that starts on a line; the line below tells of which kind a bare { is."""
    if "(" in text and (call := CALL.search(text)):
        return call.end()
    if "{" not in text:
        return None
    if found := DICT.search(text):
        return found.start() + 1
    return len(text) if text.rstrip().endswith("{") and KEY.match(below) else None


def members_of(text: str) -> Iterator[tuple[int, str | None, str]]:
    """(lines below the first, path, value) of what stands in brackets that were opened before a text; where they close, no path."""
    stack = [_Open("")]
    over, piece = 0, ""
    for match in TOKEN.finditer(text):
        token = match[0]
        if token in ("(", "[", "{"):
            stack.append(_opened(stack[-1], token, piece))
            piece = ""
        elif token in (")", "]", "}", ","):
            yield from ((over - value.count("\n"), path, value) for path, value in _said(stack[-1], piece, token))
            piece = ""
            if token != ",":
                stack.pop()
                if not stack:
                    yield over, None, ""
                    return
        else:
            over += token == "\n"
            piece += token


def _opened(outer: _Open, token: str, piece: str) -> _Open:
    """A bracket within another, after what stands before it."""
    owner = OWNER.match(piece)
    if outer.above is None or owner is None:
        outer.listed = None  # a list of more than values
        return _Open(None)
    path = f"{outer.above}{owner['key']}"
    bare = piece.rstrip().endswith(("=", ":"))
    if token == "{" or token == "(" and not bare:
        return _Open(f"{path}/")
    return _Open(None, path if bare else None)


def _said(inner: _Open, piece: str, token: str) -> Iterator[tuple[str, str]]:
    """The member that ends here, or the list."""
    if inner.above is not None and (member := MEMBER.match(piece)):
        yield f"{inner.above}{member['key']}", member["value"]
    if inner.listed is not None:
        inner.items += [piece.strip()] if piece.strip() else []
        if token != "," and 0 < len(inner.items) <= MOST:
            yield inner.listed, f"[{', '.join(inner.items)}]"
