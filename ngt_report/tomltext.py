"""Plain data as TOML: what a configuration file of the bundled trainer is written with."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

BARE = re.compile(r"[A-Za-z0-9_-]+")


def to_toml(tree: Mapping[str, Any], place: str = "") -> str:
    """Nested tables, scalars before tables; keys without a value are left out, for TOML has no null."""
    scalars = {k: v for k, v in tree.items() if v is not None and not isinstance(v, Mapping)}
    head = [f"[{place}]"] if place and (scalars or not tree) else []
    text = "".join(f"{line}\n" for line in [*head, *(f"{_key(k)} = {_value(v)}" for k, v in scalars.items())])
    for key, value in tree.items():
        if isinstance(value, Mapping):
            inner = to_toml(value, f"{place}.{_key(key)}" if place else _key(key))
            text += ("\n" if text and inner else "") + inner
    return text


def _key(key: str) -> str:
    return key if BARE.fullmatch(key) else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(k))} = {_value(v)}" for k, v in value.items()) + " }"
    return repr(value)
