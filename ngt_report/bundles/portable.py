"""Names of files that every system can hold: which are refused in an archive, and what a bundle calls a file with another name."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from ngt_report.formatting import CONTROL

NUMBERS = (*"0123456789", "\u00b9", "\u00b2", "\u00b3")
DEVICES = frozenset(("con", "prn", "aux", "nul", "conin$", "conout$", *(f"{port}{n}" for port in ("com", "lpt") for n in NUMBERS)))
# Windows opens a device under these names, whatever their extension
NOT_ON_WINDOWS = re.compile(r'[<>:"|?*\\]')
LONGEST_NAME = 255  # bytes of one component
LONGEST_PATH = 1000
DEEPEST = 40


def problem(path: str) -> str | None:
    """Why a relative path with / cannot be a file's on every system; None when it can."""
    if path.startswith("/"):
        return "it is an absolute path"
    if len(path.encode("utf-8", "surrogateescape")) > LONGEST_PATH:
        return f"its name is longer than {LONGEST_PATH:,} bytes"
    parts = path.split("/")
    if len(parts) > DEEPEST:
        return f"it lies more than {DEEPEST} folders deep"
    return next((why for part in parts if (why := _problem(part))), None)


def _problem(part: str) -> str | None:
    """Why a component of a path cannot be."""
    if part in ("", "."):
        return "its path has an empty part"
    if part == "..":
        return "it leads out of the folder with `..`"
    if any("\ud800" <= c <= "\udfff" for c in part):
        return "its name is not UTF-8"
    if len(part.encode()) > LONGEST_NAME:
        return f"a part of its name is longer than {LONGEST_NAME} bytes"
    if CONTROL.search(part) or "\n" in part or "\t" in part:
        return "its name has a control or invisible character"
    if match := NOT_ON_WINDOWS.search(part):
        return f"its name has {match[0]!r}, which Windows does not allow"
    if part[-1] in ". " or part[0] == " ":
        return "its name begins with a space or ends with a space or dot, which Windows drops"
    if part.partition(".")[0].rstrip(" ").lower() in DEVICES:
        return f"Windows takes {part!r} for a device"
    return None


def same(path: str) -> str:
    """Equal for names that are one file on Windows or macOS."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def alias(path: str, taken: set[str]) -> str:
    """A portable name for a file: its own where that can be, else one like it with a part of its hash; `taken` has `same` of all before."""
    found = path
    if problem(path) or same(path) in taken:
        mark = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        folder = "/".join(_plain(part) for part in path.split("/")[:-1][: DEEPEST - 2])
        stem, dot, end = path.rpartition("/")[2].rpartition(".")
        name = f"{_plain(stem or end)[:100]}~{mark}{dot if stem else ''}{_plain(end)[:20] if stem and dot else ''}"
        found = f"{folder}/{name}" if folder and len(folder) < 600 else name
    taken.add(same(found))
    return found


def _plain(part: str) -> str:
    """A component in letters, digits and what else is harmless."""
    text = re.sub(r"[^A-Za-z0-9._+=-]", "_", part).strip(". ") or "_"
    return f"_{text}" if _problem(text) else text[:100]
