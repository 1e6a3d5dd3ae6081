"""Plain data as TOML: what a configuration file of the bundled trainer is written with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def to_toml(tree: Mapping[str, Any]) -> str:
    """Nested tables; keys without a value are left out, for TOML has no null."""
    import tomli_w

    return tomli_w.dumps(_said(tree))


def _said(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _said(value) if isinstance(value, Mapping) else value for key, value in tree.items() if value is not None}
