"""Regular expressions that are compiled when they are first asked: a long one costs more than reading a small log."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, AnyStr, cast


class _Late:
    """Looks like a compiled pattern."""

    def __init__(self, text: Any, flags: int) -> None:
        self.text = text
        self.flags = flags

    @cached_property
    def compiled(self) -> re.Pattern[Any]:
        return re.compile(self.text, self.flags)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.compiled, name)


def late(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """`re.compile`, put off."""
    return cast("re.Pattern[AnyStr]", _Late(text, flags))
