"""Checkpoint folders of one run, each with the curve up to there: the longest counts, named after the folder that holds them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ngt_report.store import Store, sql

if TYPE_CHECKING:
    from ngt_report.identity import Piece

STATE = re.compile(r"^checkpoint-\d+$")
Said = tuple[str, str, str | None, str, str, int | None]  # a finding


def longest(store: Store, pieces: list[Piece]) -> tuple[list[Piece], list[Piece], list[Said]]:
    """The pieces that count, those that a longer one holds, and a finding for each run that had some."""
    folders: dict[str, list[Piece]] = {}
    for piece in pieces:
        if piece.kind == "curve" and piece.format == "hf_json":
            folders.setdefault(_home(piece), []).append(piece)
    earlier: dict[int, Piece] = {}
    said: list[Said] = []
    for home, found in folders.items():
        if any(_is_state(p) for p in found):
            said += _settle(store, home, found, earlier)
    return [p for p in pieces if p.source not in earlier], [p for p in pieces if p.source in earlier], said


def _is_state(piece: Piece) -> bool:
    return bool(STATE.match(PurePosixPath(piece.path).parent.name))


def _step(piece: Piece) -> int:
    return int(PurePosixPath(piece.path).parent.name.rpartition("-")[2]) if _is_state(piece) else 0


def _home(piece: Piece) -> str:
    """The folder that holds a run's checkpoints."""
    folder = PurePosixPath(piece.path).parent
    return str(folder.parent if _is_state(piece) else folder)


def _settle(store: Store, home: str, found: list[Piece], earlier: dict[int, Piece]) -> list[Said]:
    """Sort out one folder: which curves others hold, and what the only one that is left is called."""
    kept: list[Piece] = []
    for piece in sorted(found, key=lambda p: (-(p.last_step or 0), _is_state(p), -_step(p))):
        holder = next((k for k in kept if _holds(store, k, piece)), None)
        if holder is None:
            kept.append(piece)
        elif _is_state(piece):
            earlier[piece.source] = holder
    if len(kept) == 1 and _is_state(kept[0]) and "/" in kept[0].base:
        kept[0].base = kept[0].base.rpartition("/")[0]
    return [said for k in kept if (said := _finding(k, [p for p in found if earlier.get(p.source) is k]))]


def _holds(store: Store, whole: Piece, part: Piece) -> bool:
    """Whether every point of a curve is in another one too."""
    points, equal = store.run(sql("identity/held.sql"), [whole.source, whole.trial, part.source, part.trial])[0]
    return bool(points and points == equal)


def _finding(run: Piece, parts: list[Piece]) -> Said | None:
    if not parts:
        return None
    more = f" and {len(parts) - 1} more are earlier states" if len(parts) > 1 else " is an earlier state"
    first = min(p.path for p in parts)
    return ("info", "repeated", run.base, f"{first}{more} of run {run.base}, which is counted once", first, 1)
