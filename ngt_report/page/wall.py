"""The time of day at which lines were written: read off the lines that a page shows, where their file has it. No part of ingestion."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from ngt_report.files import InputFile

KEYS = (b"ts", b"timestamp", b"_timestamp", b"wall_time")  # of JSON lines: text, or seconds since 1970
STAMPS = (
    *(re.compile(rb'"%s"\s*:\s*"?([\dT:+.Z -]+)' % key) for key in KEYS),
    re.compile(rb"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,6})?(?:Z|[+-]\d\d:?\d\d)?)"),
)
HEAD = 16 << 10  # bytes that are looked at for a time
EARLIEST, LATEST = 1e8, 1e10  # seconds since 1970 (in 1973, in 2286): a smaller or larger number counts something else


def times(rows: list[dict[str, Any]], files: dict[int, InputFile], clocked: set[int]) -> list[list[float | None] | None]:
    """For each curve its points' seconds since the run began; None where nothing says it.

    A curve is a row of page/curves.sql; files are by source; the clock of sources in `clocked` is wall time.
    """
    wanted: dict[int, set[int]] = {}
    runs: dict[int, set[str]] = {}
    for row in rows:
        for source, line in zip(row["source"], row["line"], strict=True):
            if line is not None and source in files and source not in clocked:
                wanted.setdefault(source, set()).add(line)
                runs.setdefault(source, set()).add(row["run"])
    said = {source: stamps(files[source], lines) for source, lines in wanted.items()}
    at = [[said.get(s, {}).get(n) for s, n in zip(row["source"], row["line"], strict=True)] for row in rows]
    starts = _starts(rows, at, {source: min(found.values()) for source, found in said.items() if found and len(runs[source]) == 1})
    return [
        [None if t is None else t - starts[row["run"]] for t in own]
        if row["run"] in starts
        else row["clock"] if clocked.issuperset(row["source"]) else None
        for row, own in zip(rows, at, strict=True)
    ]  # fmt: skip


def _starts(rows: list[dict[str, Any]], at: list[list[float | None]], begun: dict[int, float]) -> dict[str, float]:
    """The first time of each run: of its points, and of its files where it has them for itself."""
    out: dict[str, float] = {}
    for row, own in zip(rows, at, strict=True):
        known = [t for t in own if t is not None]
        if known:
            first = min(known + [begun[s] for s in set(row["source"]) if s in begun])
            out[row["run"]] = min(first, out.get(row["run"], first))
    return out


def stamps(file: InputFile, lines: Iterable[int]) -> dict[int, float]:
    """Seconds since 1970 of those of the lines that say it, and of the first line of the file that does.

    A file that does not begin with a time is not read.
    """
    out: dict[int, float] = {}
    wanted = sorted(set(lines))
    head = file.head[:HEAD]
    stamp = next((s for s in STAMPS if any(_seconds(m[1]) is not None for m in s.finditer(head))), None)
    if stamp is None or not wanted:
        return out
    file.start = at = 0
    for block, first in file.blocks():
        if at == len(wanted) and out:
            break
        texts = block.split(b"\n")
        for i in () if out else range(len(texts)):
            if (found := stamp.search(texts[i])) and (said := _seconds(found[1])) is not None:
                out[first + i] = said
                break
        while at < len(wanted) and wanted[at] < first + len(texts):
            if (found := stamp.search(texts[wanted[at] - first])) and (said := _seconds(found[1])) is not None:
                out[wanted[at]] = said
            at += 1
    file.release()
    return out


def _seconds(text: bytes) -> float | None:
    """A time in seconds since 1970; text without a zone is taken for UTC. None where it is none."""
    said = text.decode("ascii").strip().replace(",", ".")
    try:
        value = float(said)
    except ValueError:
        try:
            when = datetime.fromisoformat(said)
        except ValueError:
            return None
        value = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    if 1000 * EARLIEST <= value < 1000 * LATEST:
        value /= 1000  # milliseconds
    return value if EARLIEST <= value < LATEST else None
