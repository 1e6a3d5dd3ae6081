"""coords_NAME.html: where a gravity model puts the tokens of a text, projected to three dimensions, drawn by Plotly."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ngt_report.errors import ReportError, UsageError
from ngt_report.files import InputFile
from ngt_report.page import shell
from ngt_report.page.model import Coords

if TYPE_CHECKING:
    from ngt_report.store import Store

SCRIPTS = ("base.js", "coords.js")
STYLES = ("page.css", "coords.css")
MOST_STEPS = 24  # samples over training that a page holds
MOST_TOKENS = 2_000
MOST_DIMENSIONS = 4_096


class Sample(Struct, frozen=True):
    """The tokens of one text in one layer at one step: n labels, positions and masses, n points of the same dimension."""

    run: str
    line: int
    step: int
    layer: int
    labels: list[str]
    positions: list[int]
    masses: list[float | None]
    points: list[list[float]]


# -- reading ----------------------------------------------------------------------------------------------------------
def events(file: InputFile, wanted: frozenset[int] | None = None) -> Iterator[tuple[int, Any]]:
    """The `coords` events of a log with their lines: those of the given lines, or all."""
    file.start = 0
    for block, first in file.blocks():
        if wanted is None and b'"coords"' not in block:
            continue
        for line, text in enumerate(block.split(b"\n"), first):
            if (wanted is None and b'"coords"' in text) or (wanted is not None and line in wanted):
                try:
                    yield line, json.loads(text)
                except (ValueError, RecursionError):
                    yield line, None


def sample(line: int, event: Any) -> Sample | None:
    """A checked sample; None when the event does not hold one."""
    if not isinstance(event, dict) or event.get("kind") != "coords":
        return None
    labels, positions, masses, points = (event.get(k) for k in ("token_labels", "positions", "masses", "coordinates"))
    lists = (labels, positions, masses, points)
    if not all(isinstance(x, list) and len(x) == len(lists[0] or []) and 0 < len(x) <= MOST_TOKENS for x in lists):
        return None
    step, layer = event.get("step"), event.get("layer")
    if (
        not isinstance(step, int)
        or not isinstance(layer, int)
        or not _whole(step)
        or not _whole(layer)
        or not all(_whole(p) for p in positions or [])
    ):
        return None
    size = len(points[0]) if points and isinstance(points[0], list) else 0
    if not 0 < size <= MOST_DIMENSIONS or not all(isinstance(p, list) and len(p) == size and all(map(_number, p)) for p in points or []):
        return None
    weights = [float(m) if _number(m) else None for m in masses or []]
    return Sample(
        str(event.get("run", "")), line, step, layer, [str(x)[:200] for x in labels or []], positions or [], weights, points or []
    )


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 53


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and abs(value) < 1e150


# -- projecting -------------------------------------------------------------------------------------------------------
def project(samples: list[Sample]) -> tuple[list[list[list[float]]], list[float]]:
    """Principal components of the last sample of a layer, and all its samples on them.

    Returns three lists of coordinates a sample, rounded to six digits, and the share of the last sample's variance on each
    axis. An axis points to where its component of largest size is positive, so that equal input gives equal pictures.
    """
    import numpy as np

    last = np.asarray(samples[-1].points, dtype=np.float64)
    centre = last.mean(axis=0)
    _, strength, axes = np.linalg.svd(last - centre, full_matrices=False)
    axes = axes[:3]
    axes = axes * np.where(np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], 1) < 0, -1, 1)
    shares = (strength**2 / max(float((strength**2).sum()), 1e-300)).tolist()[:3]
    out = []
    for one in samples:
        placed = (np.asarray(one.points, dtype=np.float64) - centre) @ axes.T
        columns = [[float(f"{v:.6g}") for v in column] for column in placed.T]
        out.append(columns + [[0.0] * len(one.labels)] * (3 - len(columns)))
    return out, [float(f"{s:.6g}") for s in shares] + [0.0] * (3 - len(shares))


def _spread(values: list[int], most: int) -> list[int]:
    """At most so many of them, evenly, the first and the last among them."""
    if len(values) <= most:
        return values
    return [values[round(i * (len(values) - 1) / (most - 1))] for i in range(most)]


def document(run: str, samples: list[Sample], path: str, bad: int) -> dict[str, Any]:
    """The island `sample`: labels once, and for each layer its samples over training on common axes."""
    steps = sorted({s.step for s in samples})
    shown = _spread(steps, MOST_STEPS)
    texts: dict[tuple[str, ...], int] = {}
    layers = []
    for layer in sorted({s.layer for s in samples}):
        size = len(next(s for s in samples if s.layer == layer).points[0])
        own = {s.step: s for s in samples if s.layer == layer and s.step in shown and len(s.points[0]) == size}
        chosen = [own[step] for step in sorted(own)]
        placed, shares = project(chosen)
        layers.append({"layer": layer, "shares": shares, "dimension": size, "at": [
            {"step": s.step, "line": s.line, "text": texts.setdefault(tuple(s.labels), len(texts)), "xyz": xyz, "mass": s.masses,
             "position": s.positions} for s, xyz in zip(chosen, placed, strict=True)
        ]})  # fmt: skip
    return {
        "run": run,
        "path": path,
        "layers": layers,
        "texts": [list(t) for t in texts],
        "steps": len(steps),
        "held": len(shown),
        "bad": bad,
    }


# -- the page ---------------------------------------------------------------------------------------------------------
def figure() -> dict[str, Any]:
    """The empty figure: one trace of markers whose size and colour the script sets."""
    from plotly import graph_objects as go

    axis = {"showbackground": False, "zeroline": False, "title": {"text": ""}}
    scene = {"xaxis": axis, "yaxis": axis, "zaxis": axis, "dragmode": "orbit", "camera": {"eye": {"x": 1.45, "y": 1.45, "z": 0.95}}}
    made = go.Figure(
        go.Scatter3d(
            x=[], y=[], z=[], mode="markers", hovertemplate="%{text}<extra></extra>",
            marker={"sizemode": "diameter", "colorscale": "Viridis", "showscale": True, "opacity": 0.9, "line": {"width": 0},
                    "colorbar": {"thickness": 14, "len": 0.7}},
        ),
        {"margin": {"l": 0, "r": 0, "t": 0, "b": 0}, "scene": scene, "paper_bgcolor": "rgba(0,0,0,0)", "uirevision": "kept",
         "showlegend": False, "template": "none"},
    )  # fmt: skip
    return dict(made.to_plotly_json())


@cache
def plotly() -> shell.Packed:
    """Plotly, out of its wheel."""
    from plotly.offline import get_plotlyjs

    return shell.library("library-plotly", get_plotlyjs())


def page(title: str, shown: dict[str, Any]) -> str:
    """coords_NAME.html."""
    from ngt_report import __version__

    script, library = shell.asset(*SCRIPTS), plotly()
    context = Coords(
        policy=shell.policy((script,), (library,)),
        style=shell.verbatim(shell.asset(*STYLES)),
        script=shell.verbatim(script),
        title=title,
        version=__version__,
        islands=(shell.island("data-sample", shown), shell.island("data-figure", figure())),
        library=library.element,
    )
    return shell.document("coords.html.j2", context)


def build_pages(store: Store, files: Iterable[InputFile]) -> dict[str, str]:
    """A page for each run whose log holds coordinates."""
    rows = store.run(
        "SELECT t.run, r.name, s.path, list(f.line ORDER BY f.line) FROM raw_facts AS f JOIN run_trials AS t USING (source, trial)"
        " JOIN runs AS r USING (run) JOIN sources AS s ON s.id = f.source WHERE f.key = 'coords' GROUP BY ALL ORDER BY ALL"
    )
    by_path = {f.rel: f for f in files} if rows else {}
    out: dict[str, str] = {}
    for _, name, path, lines in rows:
        samples, bad = _checked(events(by_path[path], frozenset(lines)))
        if samples:
            out[_free(name, out)] = page(name, document(name, samples, path, bad))
    return out


def _checked(found: Iterable[tuple[int, Any]]) -> tuple[list[Sample], int]:
    """Samples, and how many events held none."""
    read = [sample(line, event) for line, event in found]
    return [s for s in read if s], sum(s is None for s in read)


def _free(name: str, taken: Iterable[str]) -> str:
    """A file's name for a run's, unlike those that are taken whatever their case."""
    safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in name)[:120].strip(". ") or "run"
    known = {t.lower() for t in taken}
    numbers = [f"coords_{safe}.html", *(f"coords_{safe}_{i}.html" for i in range(2, len(known) + 3))]
    return next(n for n in numbers if n.lower() not in known)


def from_log(log: str, out: Path | None, force: bool) -> list[Path]:
    """Write a page for each run of an event log: into a folder, or to one file."""
    from ngt_report.atomic import replace_files

    path = Path(log)
    if not path.is_file():
        raise ReportError(f"{log} is no file; give an event log that holds coords events")
    info = path.stat()
    samples, bad = _checked(events(InputFile(str(path), path.name, info.st_size, info.st_mtime_ns, complete=True)))
    if not samples:
        also = f" ({bad} could not be read)" if bad else ""
        raise ReportError(f"{log} holds no coords event{also}; ngttrain writes them with eval.coords = true, or by `ngttrain coords`")
    pages: dict[Path, bytes] = {}
    names = list(dict.fromkeys(s.run for s in samples))
    for name in names:
        own = [s for s in samples if s.run == name]
        target = out if out and out.suffix == ".html" else (out or Path()) / _free(name, [p.name for p in pages])
        pages[target] = page(name, document(name, own, path.name, bad)).encode("utf-8", "replace")
    if len(pages) < len(names):
        raise UsageError(f"{log} holds {len(names)} runs; give -o a folder, not one file")
    for target in pages:
        if target.exists() and not force:
            raise UsageError(f"{target} exists; give another name, or --force to write over it")
        target.parent.mkdir(parents=True, exist_ok=True)
    replace_files(pages)
    return list(pages)
