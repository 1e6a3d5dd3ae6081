"""Values of a JSON document that somebody else wrote, each held against what it must be; ValueError says what it is instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
LARGEST = 2**62


def whole(value: Any) -> int:
    """A count."""
    if type(value) is not int or not 0 <= value < LARGEST:
        raise ValueError(f"{value!r:.40} is no count")
    return value


def number(value: Any) -> float:
    """A number; NaN is one."""
    if type(value) not in (int, float):
        raise ValueError(f"{value!r:.40} is no number")
    return float(value)


def text(value: Any) -> str:
    """A text that can be written as UTF-8."""
    if type(value) is not str:
        raise ValueError(f"{value!r:.40} is no text")
    return value.encode("utf-8", "replace").decode("utf-8")


def flag(value: Any) -> bool:
    """True or false."""
    if type(value) is not bool:
        raise ValueError(f"{value!r:.40} is neither true nor false")
    return value


def items(value: Any) -> list[Any]:
    """A list."""
    if type(value) is not list:
        raise ValueError(f"{value!r:.40} is no list")
    return value


def table(value: Any) -> dict[str, Any]:
    """An object."""
    if type(value) is not dict:
        raise ValueError(f"{value!r:.40} is no object")
    return value


def one_of(value: Any, known: tuple[Any, ...]) -> Any:
    """One of a few."""
    if value not in known:
        raise ValueError(f"{value!r:.40} is none of {', '.join(map(str, known))}")
    return value


def maybe(made: Callable[[Any], T], value: Any) -> T | None:
    """The value, or null."""
    return None if value is None else made(value)
