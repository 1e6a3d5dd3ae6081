"""Dataclasses that cost little to define: a build of a few logs spends more on defining classes than on reading the logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(field_specifiers=(field,))
def plainclass(*, frozen: bool = False) -> Callable[[type[T]], type[T]]:
    """A dataclass with slots whose instances are equal only to themselves.

    `frozen` holds for the type checker alone. What is left out are the five methods that dataclasses compile for comparison,
    representation and refusal: three quarters of the cost of the class.
    """
    return dataclass(slots=True, eq=False, repr=False, match_args=False)


__all__ = ["field", "plainclass"]
