"""One screen of `ngtreport status`: a table where there is room, else a few short lines a run; ASCII where the locale says no more."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

from ngt_report.formatting import decimals_text, plain
from ngt_report.terminal import cells, paint, shorten, table
from ngt_report.watching.status import Row, Screen

TABLE = 96  # columns that a table needs
BLOCKS = ("▁▂▃▄▅▆▇█", "_.-=+*%#")
STYLES = {"crashed": "red", "stalled": "yellow", "going": "bold", "finished": "dim", "stopped": "dim", "waiting": "dim", "quiet": "dim"}
SILENT = ("stalled", "quiet")  # states that are said with how long nothing was written
QUIET = "quiet: the log declares no total and nothing was written lately, so the run may have ended"
QUIET_SHORT = "quiet: no total declared; maybe ended"


def ascii_only(wanted: bool = False) -> bool:
    """Whether the terminal may show nothing else: its locale does not say UTF-8."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    if wanted or encoding not in ("utf8", "utf16"):
        return True
    if sys.platform == "win32":
        return False
    said = next((v for k in ("LC_ALL", "LC_CTYPE", "LANG") if (v := os.environ.get(k)) and not _of_python(k, v)), "")
    return "utf" not in said.lower()


def _of_python(name: str, value: str) -> bool:
    """LC_CTYPE as Python itself sets it where the locale is C."""
    return name == "LC_CTYPE" and value in ("C.UTF-8", "C.utf8", "UTF-8") and os.environ.get("LANG", "C") in ("", "C", "POSIX")


def to_text(screen: Screen, width: int | None, height: int | None, plain_ascii: bool) -> str:
    """The screen, fitted; without a height all runs are on it."""
    width = width or 120
    head = _head(screen, width)
    if not screen.rows:
        return f"{head}\nno run yet: `ngtreport explain FILE` says how a file is read"
    wide = width >= TABLE
    notes = [QUIET if wide else QUIET_SHORT] if any(row.state.state == "quiet" for row in screen.rows) else []
    room = None if height is None else max(1, height - 2 - wide - len(notes))
    lines, shown = (_table if wide else _blocks)(screen.rows, width, room, plain_ascii)
    if shown < len(screen.rows):
        lines.append(paint(shorten(f"and {len(screen.rows) - shown} more; --all shows them", width), "dim"))
    return "\n".join([head, *lines, *(paint(shorten(note, width), "dim") for note in notes)])


def _head(screen: Screen, width: int) -> str:
    clock = time.strftime("%H:%M:%S", time.localtime(screen.now))
    said = ", ".join(f"{count} {state}" for state, count in screen.counts().items()) or "no runs"
    return paint(shorten(f"{clock}  {said}", width), "bold")


# -- wide ----------------------------------------------------------------------------------------------------------------
def _table(rows: Sequence[Row], width: int, room: int | None, plain_ascii: bool) -> tuple[list[str], int]:
    picture = min(24, max(8, width - 90))
    shown: list[Row] = []
    used = 0
    for row in rows:
        size = 1 + bool(row.state.cause)
        if room is not None and used + size > room and shown:
            break
        shown.append(row)
        used += size
    head = ("run", "state", "step", "last", "best", "steps/s", "ETA", "")
    body = [(r.name, _word(r), _steps(r), _last(r), _best(r), _rate(r), _eta(r), spark(r, picture, plain_ascii)) for r in shown]
    lines = table(head, body, "llrrrrrl", width, elastic=0, droppable=("steps/s", "ETA"))
    out = [paint(lines[0], "dim")]
    for row, line in zip(shown, lines[1:], strict=True):
        out.append(line.replace(f"  {row.state.state}", "  " + paint(row.state.state, STYLES[row.state.state]), 1))
        if row.state.cause:
            out.append(paint(shorten(f"  {plain(row.state.cause)}", width), "dim"))
    return out, len(shown)


# -- narrow --------------------------------------------------------------------------------------------------------------
def _blocks(rows: Sequence[Row], width: int, room: int | None, plain_ascii: bool) -> tuple[list[str], int]:
    out: list[str] = []
    for count, row in enumerate(rows):
        lines = _block(row, width, plain_ascii)
        if room is not None and len(out) + len(lines) > room and out:
            return out, count
        out += lines
    return out, len(rows)


def _block(row: Row, width: int, plain_ascii: bool) -> list[str]:
    """A run in lines of at most `width`: what it is, how far and how good, how long still."""
    word = _word(row)
    name = shorten(plain(row.name), max(8, width - len(word) - 1))
    out = [f"{name}{' ' * max(1, width - cells(name) - len(word))}{paint(word, STYLES[row.state.state])}"]
    if row.curve.step is not None:
        told = [_steps(row), _last(row), f"best {_best(row)}" if row.curve.best else ""]
        out.append(shorten(" " + " ".join(s for s in told if s and s != "-"), width))
    if row.state.cause:
        out.append(paint(shorten(f" {plain(row.state.cause)}", width), "dim"))
    said = " ".join(s for s in (f"{_rate(row)}/s" if row.rate else "", f"ETA {_eta(row)}" if row.eta_s is not None else "") if s)
    last = f" {said} {spark(row, max(4, width - len(said) - 3), plain_ascii)}"[:width].rstrip()
    return [*out, last] if last else out


# -- cells ---------------------------------------------------------------------------------------------------------------
def _word(row: Row) -> str:
    """The state, with how long nothing came where that matters."""
    return f"{row.state.state} {ago(row.state.silent_s)}" if row.state.state in SILENT else row.state.state


def _steps(row: Row) -> str:
    c = row.curve
    if c.step is None:
        return "-"
    return f"{c.step}/{c.total}" if c.total else str(c.step)


def _last(row: Row) -> str:
    c = row.curve
    if c.last:
        return decimals_text(c.last[1], None)
    return f"train {decimals_text(c.train[1], None)}" if c.train else "-"


def _best(row: Row) -> str:
    return decimals_text(row.curve.best[1], None) if row.curve.best else "-"


def _rate(row: Row) -> str:
    return f"{row.rate:.3g}" if row.rate else "-"


def _eta(row: Row) -> str:
    return "-" if row.eta_s is None else ago(row.eta_s)


def ago(seconds: float) -> str:
    """A time in six columns: 42s, 12m, 3h 5m, 2d 4h."""
    if seconds < 60:
        return f"{seconds:.0f}s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes}m"
    return f"{minutes // 60}h {minutes % 60}m" if minutes < 1440 else f"{minutes // 1440}d {minutes % 1440 // 60}h"


def spark(row: Row, width: int, plain_ascii: bool) -> str:
    """The curve in a few characters, the newest at the right; each is the mean of its stretch of steps."""
    points = row.curve.drawn
    if len(points) < 2 or width < 2:
        return ""
    first, last = points[0][0], max(p[0] for p in points)
    buckets: list[list[float]] = [[] for _ in range(min(width, len(points)))]
    for step, loss in points:
        place = (step - first) / max(1, last - first)
        buckets[min(len(buckets) - 1, int(max(0.0, place) * len(buckets)))].append(loss)
    means = [sum(b) / len(b) for b in buckets if b]
    low, high = min(means), max(means)
    marks = BLOCKS[plain_ascii]
    return "".join(marks[round((m - low) / (high - low) * (len(marks) - 1)) if high > low else 0] for m in means)
