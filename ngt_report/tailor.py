"""Leaves out statements, and parts of them, that would find nothing in these inputs.

What the inputs hold is said in words such as `clock` or `metric test/loss`; present.py has them all.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from fnmatch import fnmatchcase

HEADER = re.compile(r"(?m)^-- (\w+): (.+(?:\n--   .+)*)$")


def headers(text: str) -> list[tuple[str, str]]:
    """The lines `-- key: value` of a statement's header; a value goes on in comments that are indented by three blanks."""
    return [(key, re.sub(r"\n--\s+", " ", value)) for key, value in HEADER.findall(text)]


def header(text: str, needed: Collection[str], file: str) -> dict[str, str]:
    """A header as a dictionary; an error that names the file where it lacks a line that is needed."""
    found = dict(headers(text))
    if missing := [key for key in needed if key not in found]:
        raise ValueError(f"{file} has no line `-- {missing[0]}: ...` in its header; it needs {', '.join(needed)}")
    return found


def applies(text: str, present: Collection[str]) -> bool:
    """Whether a statement can find anything: of each `-- when:` line of its header, one thing is present."""
    return all(any(_there(what, present) for what in value.split(" | ")) for key, value in headers(text) if key == "when")


def tailored(text: str, present: Collection[str]) -> str:
    """A statement without the parts that would find nothing: they stand between lines `-- with WORDS:` and `-- end`.

    After a line `-- else:` in between stands what is simpler without them. A part may hold others.
    """
    kept, parts = [], []  # parts: whether each that is open is wanted
    for line in text.splitlines(keepends=True):
        mark = line.strip()
        if mark.startswith("-- with ") and mark.endswith(":"):
            parts.append(any(_there(what, present) for what in mark[8:-1].split(" | ")))
        elif mark == "-- else:":
            parts[-1] = not parts[-1]
        elif mark == "-- end":
            parts.pop()
        elif all(parts):
            kept.append(line)
    if parts:
        raise ValueError(f"a part of this statement has no `-- end`: {text[:80]!r}")
    return "".join(kept)


def _there(what: str, present: Collection[str]) -> bool:
    return any(fnmatchcase(p, what) for p in present) if "*" in what else what in present
