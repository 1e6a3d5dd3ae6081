"""The curves of a page: every metric of every run, thinned in SQL where there is no room for all, packed for a JSON island."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ngt_report.files import InputFile
from ngt_report.names import METRICS
from ngt_report.page import wall
from ngt_report.store import Store, finite, sql

ROOM = 100_000  # points of a page: about 3 MB
LEAST = 40  # points of a curve, whatever the room
NATS = "nats per token"
UNITS = {  # docs/metrics.md
    metric: unit
    for unit, metrics in (
        (NATS, ("val/loss", "eval_loss", "train/loss", "test/loss", "final/loss", "final/train_loss")),
        ("bits per byte", ("val/bpb",)),
        ("bits", ("val/bits_per_token", "val/bits_per_char")),
        ("tokens per second", ("tokens_per_s",)),
        ("milliseconds", ("step_ms",)),
        ("GiB", ("memory_gib",)),
    )
    for metric in metrics
}
IN_BITS = "SELECT count(*) FROM runs WHERE regexp_matches(lower(json_extract_string(config, '$.val_loss_unit')), 'bit|bp[bct]')"


def curves(store: Store, names: dict[str, int], place: Callable[[str], int], files: Iterable[InputFile]) -> dict[str, Any]:
    """The island `curves`: metrics in the order of importance, and their curves."""
    store.run("SET threads = 1")  # of equal values the first is kept, whatever the number of threads was
    rows = store.rows(sql("page/curves.sql"), {"budget": ROOM, "least": LEAST})
    paths: dict[int, str] = dict(store.run("SELECT id, path FROM sources"))
    restarts: dict[str, list[int]] = {}
    for run, step in store.run(sql("page/restarts.sql")):
        restarts.setdefault(str(names[run]), []).append(step)
    known = list(METRICS)
    metrics = sorted({r["metric"] for r in rows}, key=lambda m: (known.index(m) if m in known else len(known), m))
    by_path = {f.rel: f for f in files}
    clocked = {source for (source,) in store.run(sql("page/wall_clocks.sql"))}
    times = wall.times(rows, {s: by_path[path] for s, path in paths.items() if path in by_path}, clocked)
    packed = [
        _packed(r, names[r["run"]], metrics.index(r["metric"]), lambda s: place(paths[s]), t) for r, t in zip(rows, times, strict=True)
    ]
    ((in_bits,),) = store.run(IN_BITS)
    units = ["" if in_bits and UNITS.get(m) == NATS else UNITS.get(m, "") for m in metrics]
    return {"metrics": metrics, "units": units, "restarts": restarts, "series": sorted(packed, key=lambda s: (s["m"], s["r"]))}


def _packed(row: dict[str, Any], run: int, metric: int, path: Callable[[int], int], times: list[float | None] | None) -> dict[str, Any]:
    """One curve: r run, m metric, n points in the logs, bad values that are no numbers, d decimals, v values; s steps, l lines, k tokens,
    w tenths of a second of wall time: as differences; c clock in seconds; f the files, as [place in paths, points] one after the other."""
    out = {
        "r": run, "m": metric, "n": row["n"], "bad": row["bad"], "d": row["decimals"], "v": finite(row["value"]), "s": _steps(row["step"]),
        "l": _steps(row["line"]), "k": _steps(row["tokens"]), "c": row["clock"] if any(c is not None for c in row["clock"]) else None,
        "w": _steps([None if t is None else round(10 * t) for t in times or []]),
        "f": _runs([path(s) for s in row["source"]]),
    }  # fmt: skip
    return {key: value for key, value in out.items() if value is not None and (key != "bad" or value)}


def _steps(values: list[int | None]) -> list[Any] | None:
    """Whole numbers as differences to the one before, equal ones in a row as [difference, how many] where that is shorter.

    None when there are no numbers at all; a missing one stays None.
    """
    if all(v is None for v in values):
        return None
    out: list[int | None] = []
    before = 0
    for value in values:
        out.append(None if value is None else value - before)
        before = before if value is None else value
    short = _runs(out)
    return short if 2 * len(short) < len(out) else out


def _runs(values: list[Any]) -> list[list[Any]]:
    """[value, how often in a row]."""
    out: list[list[Any]] = []
    for value in values:
        if out and out[-1][0] == value:
            out[-1][1] += 1
        else:
            out.append([value, 1])
    return out
