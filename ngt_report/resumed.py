"""Folders of one W&B run that was resumed: `run-DATE_TIME-ID` and, later, another of that ID. They are parts of one run."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ngt_report.text.late import late

if TYPE_CHECKING:
    from ngt_report.identity import Piece, Run

FOLDER = late(r"(?P<above>(?:.*/)?)(?:offline-)?run-(?P<when>\d{8}_\d{6})-(?P<id>[^/]+)/")
Said = tuple[str, str, str | None, str, str, int | None]  # a finding
Key = tuple[str, str]  # the folder that holds those of the runs, and W&B's id


def part_of(path: str) -> tuple[Key, str] | None:
    """Which W&B run a file is of, and when that part of it began; None for other files."""
    match = FOLDER.match(path) if "run-" in path else None
    return ((match["above"], match["id"]), match["when"]) if match else None


def last_summaries(pieces: list[Piece]) -> tuple[list[Piece], list[Piece], list[Said]]:
    """The pieces that count, the summaries of earlier parts, which the last part's goes on from, and a finding for each run."""
    logged = {part for p in pieces if p.kind == "curve" and (part := part_of(p.path))}
    earlier: dict[int, Piece] = {}
    said: list[Said] = []
    for (_, id), parts in _several([p for p in pieces if p.format == "wandb_summary"]).items():
        last = max(parts, key=lambda p: (_has_loss(p), _when(p)))
        old = [p for p in parts if p is not last and (part_of(p.path) not in logged or part_of(last.path) not in logged)]
        earlier.update((p.source, last) for p in old)
        if old:
            more = f"{old[0].path} is an earlier part" if len(old) == 1 else f"{old[0].path} and {len(old) - 1} more are earlier parts"
            text = f"{more} of W&B's run {id}, which was resumed and is counted once, with the closing values of {last.path}"
            said.append(("info", "repeated", None, text, old[0].path, old[0].line))
    return [p for p in pieces if p.source not in earlier], [p for p in pieces if p.source in earlier], said


def owner(runs: list[Run], summary: Piece) -> Run | None:
    """The run of the log of an earlier part, where the part that a summary ends has no log of its own."""
    part = part_of(summary.path)
    logs = [(_when(r.main), r) for r in runs if part and r.main.kind == "curve" and (own := part_of(r.main.path)) and own[0] == part[0]]
    return max(logs, key=lambda pair: pair[0])[1] if logs else None


def link(runs: list[Run]) -> list[Said]:
    """Have each log of a later part continue the one before it; a finding for each pair."""
    said: list[Said] = []
    mains = {id(r.main): r for r in runs}
    for (_, name), parts in _several([r.main for r in runs]).items():
        for before, after in pairwise(parts):
            run, first = mains[id(after)], mains[id(before)]
            text = f"run {first.id} and run {run.id} are parts of one W&B run ({name})"
            if _goes_on(before, after):
                run.resumes = first.id
                text += f", which was resumed: what the whole run reached is told by its last part, run {mains[id(parts[-1])].id}"
            else:
                text += ", but the later does not go on where the earlier was; they are counted as two"
            said.append(("warning", "resumed", run.id, text, after.path, after.line))
    return said


def _goes_on(before: Piece, after: Piece) -> bool:
    """Whether a log begins after the first step of an earlier one, so that it is no new start."""
    starts = before.first_step, after.first_step
    return before.kind == after.kind == "curve" and None not in starts and starts[1] > starts[0]  # type: ignore[operator]


def _several(pieces: list[Piece]) -> dict[Key, list[Piece]]:
    """The pieces of each W&B run that has several folders, in the order of time."""
    found: dict[Key, list[Piece]] = {}
    for piece in pieces:
        if part := part_of(piece.path):
            found.setdefault(part[0], []).append(piece)
    return {key: sorted(own, key=_when) for key, own in found.items() if len({_when(p) for p in own}) > 1}


def _when(piece: Piece) -> str:
    part = part_of(piece.path)
    return part[1] if part else ""


def _has_loss(piece: Piece) -> bool:
    return piece.final is not None or piece.stated_best is not None or piece.best is not None
