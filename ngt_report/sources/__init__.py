"""Log formats, one module each: a file in this folder IS the registration.

Each module has `FORMAT`, a `Format` whose `sniff` looks at content, never at names, and whose `read` fills a Reading.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec

from msgspec import Struct

from ngt_report.files import InputFile
from ngt_report.waist import Reading


class Format(Struct, frozen=True):
    """A log format: how it is recognised, how it is read, and what its documentation says."""

    name: str
    title: str
    example: str  # a few lines, written by us
    clock: str  # what its elapsed time means
    sniff: Callable[[InputFile], str | None]  # the reason to believe it is this format, or None
    read: Callable[[InputFile], Reading]
    rank: int = 50  # the smaller is asked first
    sums: bool = False  # its clock is a sum of printed times of steps, which no line prints
    grows: bool = False  # read() goes on from file.state when a file was appended to
    precedence: int = 3  # of equal values: 1 events, 2 full-precision CSV or JSON, 3 text
    version: int = 1  # raise it when read() changes: files are then read anew


@cache
def formats() -> tuple[Format, ...]:
    """All formats, in the order in which they are asked."""
    modules = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__) if m.name[0] != "_"]
    return tuple(sorted((m.FORMAT for m in modules), key=lambda f: (f.rank, f.name)))


@cache
def named(name: str | None) -> Format | None:
    """A format by its name, which is its module's: the others need not be loaded."""
    there = name is not None and name.isidentifier() and name[0] != "_" and find_spec(f"{__name__}.{name}")
    form: Format | None = importlib.import_module(f"{__name__}.{name}").FORMAT if there else None
    return form


def choose(file: InputFile) -> tuple[Format | None, str]:
    """The format of a file and why; (None, why not) when nobody claims it."""
    for form in formats():
        reason = form.sniff(file)
        if reason:
            return form, reason
    return None, "no known format: " + file.describe()


def read(file: InputFile, form: Format | None) -> Reading:
    """Read a file in the format that was chosen; of one that no format claims, the account of its lines."""
    if form is not None:
        return form.read(file)
    from ngt_report.unclaimed import read_unclaimed  # with the patterns of text logs, which events do without

    return read_unclaimed(file)
