"""The data of a page, out of its text."""

from __future__ import annotations

import json
import re
from typing import Any


def island(page: str, name: str) -> Any:
    """An island's JSON, out of the page's text."""
    return json.loads(re.findall(rf'<script type="application/json" id="data-{name}">(.*?)</script>', page, re.DOTALL)[0])


def undone(packed: list[Any] | None, count: int) -> list[int | None]:
    """Whole numbers out of their differences."""
    if packed is None:
        return [None] * count
    steps = [d for p in packed for d in ([p[0]] * p[1] if isinstance(p, list) else [p])]
    out: list[int | None] = []
    before = 0
    for step in steps:
        before += step or 0
        out.append(None if step is None else before)
    return out
