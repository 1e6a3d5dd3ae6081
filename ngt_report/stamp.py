"""The stamp beside everything that a build wrote; read with distrust, for a folder may come from anywhere."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from msgspec import Struct, ValidationError, convert, field
from msgspec.structs import asdict

STAMP = ".ngtreport.json"
PART = r"[^/\\:\x00-\x1f]+"  # of a name: no separator of any system
OF_REPORT = re.compile(
    rf"(?:Summary|NOTES|Handoff|PR_comment)\.md|results\.csv|summary\.json|(?:dashboard|coords_{PART})\.html|resume_{PART}\.toml"
)
EDITED = re.compile(r"(?P<stem>.+)\.edited(?:-\d+)?(?P<end>\.[a-z]+)")  # what a build or a handoff put aside
SUM = re.compile(r"[0-9a-f]{64}")


class Stamp(Struct):
    """What the last build left."""

    version: str = ""
    inputs: str = ""  # equal as long as a build has nothing to do
    outputs: dict[str, Any] = field(default_factory=dict)  # name: sha256
    beside: dict[str, Any] = field(default_factory=dict)  # the same, of files that no build writes
    root: str | None = None  # where the inputs lie, seen from here
    paths: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)


def stamp_of(folder: Path) -> Stamp:
    """What the last build in this folder left; an empty one where there was none, and nothing that only claims to be ours."""
    try:
        made = convert(json.loads((folder / STAMP).read_text(encoding="utf-8")), Stamp)
    except (OSError, ValueError, RecursionError, ValidationError):
        return Stamp()
    made.outputs, made.beside = _ours(made.outputs), _ours(made.beside)
    return made


def _ours(names: dict[str, Any]) -> dict[str, Any]:
    """Those with a name that a report's file can have: none leads out of the folder."""
    return {n: d for n, d in names.items() if OF_REPORT.fullmatch(n) and isinstance(d, str) and SUM.fullmatch(d)}


def original(name: str) -> str | None:
    """The name that a file had before it was put aside under this one; None for any other file's."""
    found = EDITED.fullmatch(name)
    before = f"{found['stem']}{found['end']}" if found else ""
    return before if OF_REPORT.fullmatch(before) else None


def to_bytes(stamp: Stamp) -> bytes:
    """The file."""
    document = asdict(stamp)
    if not stamp.beside:
        del document["beside"]
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()
