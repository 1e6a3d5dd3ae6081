"""Plain data as TOML: what a configuration file of the bundled trainer is written with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def to_toml(tree: Mapping[str, Any]) -> str:
    """Nested tables; keys without a value are left out, for TOML has no null."""
    import tomli_w

    return tomli_w.dumps(_said(tree))


def _said(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _said(item) for key, item in value.items() if item is not None}
    return [_said(item) for item in value if item is not None] if isinstance(value, list | tuple) else value
