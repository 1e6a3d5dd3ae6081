"""Regular expressions that are compiled when they are first asked: a long one costs more than reading a small log."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, cast


class _Late:
    """Looks like a compiled pattern."""

    def __init__(self, text: str, flags: int) -> None:
        self.text = text
        self.flags = flags

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        return re.compile(self.text, self.flags)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.compiled, name)


def late(text: str, flags: int = 0) -> re.Pattern[str]:
    """`re.compile`, put off."""
    return cast("re.Pattern[str]", _Late(text, flags))
