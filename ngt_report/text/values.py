"""Values of settings as their own types."""

from __future__ import annotations

import re
from typing import Any

from ngt_report.text.late import late
from ngt_report.text.tokens import NUMBER

LISTED = late(r"^[\[(](?P<items>[^\[\](){}]*)[\])]$")  # [0.9, 0.95]
CHOICE = late(r"^<[\w.]+: (?P<value>[^<>]+)>$")  # <Act.GELU: 'gelu'>
MOST = 8  # items of a list that is a setting


def parsed(text: str) -> Any:
    """A scalar as its own type: 42, 3e-4, True, 'adamw'; None for nothing."""
    if re.fullmatch(r"[-+]?\d+(?:,\d{3})*", text):
        return int(text.replace(",", ""))
    if re.fullmatch(NUMBER, text):
        return float(text.replace(",", ""))
    words: dict[str, Any] = {"true": True, "false": False, "none": None, "null": None, "": None}
    return words.get(text.lower(), text[:200])


def value_of(text: str) -> Any:
    """A value as its own type; a short list is one, and a choice (<Act.GELU: 'gelu'>) is its value."""
    text = text.rstrip(",")
    if choice := CHOICE.match(text):
        text = choice["value"]
    listed = LISTED.match(text)
    items = [part.strip() for part in listed["items"].split(",") if part.strip()] if listed else []
    if 0 < len(items) <= MOST:
        return [parsed(item.strip("'\"")) for item in items]
    bare = text.strip("'\"*`")
    return bare if bare == "none" else parsed(bare)  # a choice: gate=none
