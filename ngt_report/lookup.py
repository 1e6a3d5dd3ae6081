"""Looks things up in the database for compare and trace: runs by name, curves by step, numbers with their place."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from msgspec import Struct, field

from ngt_report.store import Store, finite, sql

Row = dict[str, Any]
STEP = re.compile(r"(?s)(.+)@(\d[\d_,]*)")


class Number(Struct):
    """A number, where it was printed, or the formula and the numbers it was made from."""

    what: str
    value: float | int | None
    shown: str
    path: str | None = None
    line: int | None = None
    pointer: str | None = None
    text: str | None = None  # the cited line
    note: str | None = None  # why there is no line, or how the value differs from what the line says
    formula: str | None = None
    inputs: list[Number] = field(default_factory=list)
    source: int | None = None


def select(store: Store, name: str, values: dict[str, Any]) -> list[Row]:
    """Rows of one of the queries of sql/trace."""
    return store.rows(sql(f"trace/{name}.sql"), values)


def run_names(store: Store) -> list[tuple[str, str]]:
    """(id, display name) of every run."""
    return [(str(run), str(name)) for run, name in store.run("SELECT run, name FROM runs ORDER BY run")]


def curve(store: Store, run: str, metric: str) -> list[Row]:
    """The live values of a metric, by step; superseded ones are left out."""
    return select(store, "curve", {"run": run, "metric": metric})


def split_step(text: str, names: list[str]) -> tuple[str, int | None]:
    """NAME@STEP as name and step; a whole name may hold an @ itself."""
    match = STEP.fullmatch(text)
    if not match or text in names:
        return text, None
    return match[1], int(re.sub("[_,]", "", match[2]))


def nearest(evaluated: Iterable[int | None], step: int) -> str:
    """The evaluated steps around a step, in words."""
    steps = sorted(s for s in evaluated if s is not None)
    if not steps:
        return "its values have no steps"
    at = bisect_left(steps, step)
    around = [str(s) for s in steps[max(0, at - 1) : at + 1]]
    return f"the nearest {'is' if len(around) == 1 else 'are'} {' and '.join(around)}"


def shown_value(value: float, decimals: int | None) -> str:
    """A value as its source printed it; at full precision when that is not known."""
    if finite(value) is None:
        return str(value)
    return f"{value:.9g}" if decimals is None else f"{value:.{max(0, decimals)}f}"


def number_at(what: str, row: Row) -> Number:
    """The value of a row with its place."""
    shown = shown_value(row["value"], row["decimals"])
    return Number(what, row["value"], shown, row["path"], row["line"], row["pointer"], source=row["source"])


def made(what: str, value: float | int, formula: str, inputs: list[Number], places: int) -> Number:
    """A number that is computed from others."""
    return Number(what, value, f"{value:.{places}f}", formula=formula, inputs=inputs)


def at_step(step: int | None) -> str:
    """' @500', or nothing where there are no steps."""
    return "" if step is None else f" @{step}"
