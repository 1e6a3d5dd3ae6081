"""Settings that stand in sections, encoder/num_layers and decoder/num_layers: named by their last part where one name is one value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ngt_report.names import clean

TOP = re.compile(r"^(?:config|cfg|args|hparams|params)/(?=.)")  # a section of all settings: what stands in it is at the top


def told_apart(short: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, str]:
    """Path -> a key with as much of the path as tells it from others, for settings in sections whose short key has several values.

    short: path, with / between its parts -> the key that its last part has.
    """
    groups: dict[str, list[str]] = {}
    for raw, key in short.items():
        groups.setdefault(key, []).append(raw)
    found: dict[str, str] = {}
    for own in groups.values():
        if len(own) > 1 and any(values[raw] != values[own[0]] for raw in own):
            bare = {raw: TOP.sub("", raw) for raw in own}
            paths = {raw: path.split("/") for raw, path in bare.items() if "/" in path}
            found |= {raw: _longer(raw, paths, values) for raw in paths}
    return found


def _longer(raw: str, paths: Mapping[str, list[str]], values: Mapping[str, Any]) -> str:
    """The shortest end of a path, of two parts at least, that no path of another value has."""
    parts = paths[raw]
    others = [own for other, own in paths.items() if values[other] != values[raw]]
    ends = (parts[-n:] for n in range(2, len(parts)))
    end = next((e for e in ends if all(own[-len(e) :] != e for own in others)), parts)
    return ".".join(("config", *map(clean, end)))
