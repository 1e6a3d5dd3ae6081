"""The page in a browser: first table and first chart against pages of Altair, Plotly and TensorBoard with the same data, in the same run.

Needs Chromium, which has all cores. Times are from opening the file to the frame that shows the thing, medians of interleaved rounds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import peer_tensorboard
from benchmarks.measure import Row, all_cores
from ngt_report.build import Request, build
from ngt_report.page import vega
from tests.browser import Browser

ROUNDS = 5
SIZES = {"small": (20, 300), "big": (200, 5000)}
BIG_ROUNDS = 1  # of the peers' pages of a million points: each takes most of a minute
SETTLE = 0.3  # seconds for the browser to put the page before away
WATCH = """
window.__seen = {};
const there = new Set();
const look = () => {
  for (const [name, selector] of Object.entries(%s)) {
    if (there.has(name) || !document.querySelector(selector)) continue;
    there.add(name);
    setTimeout(() => { __seen[name] = performance.now(); }, 0); // when this frame has been painted
  }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
OURS = {"table": ".runs tbody tr", "chart": ".panel[data-drawn]"}
PEER = {"chart": ".vega-embed .marks path, .vega-embed canvas, .js-plotly-plot .trace path"}


def curves(folder: Path, runs: int, points: int) -> Path:
    """Logs of `runs` runs with `points` evaluations each."""
    folder.mkdir(parents=True)
    for number in range(runs):
        rng = Random(number)
        rows = [f"step {i * 50}/{points * 50} val_loss={loss(i, number, rng):.4f} elapsed={i * 7.2:.1f}s\n" for i in range(1, points + 1)]
        (folder / f"run_{number:03d}.log").write_text("".join(rows), encoding="utf-8")
    return folder


def loss(i: int, number: int, rng: Random) -> float:
    """A falling curve with noise."""
    return float(4 + 4 / (i + 1) ** 0.4 + number / 200 + rng.random() / 20)


def table(runs: int, points: int) -> dict[str, list[Any]]:
    """The same numbers as columns, for the peers."""
    columns: dict[str, list[Any]] = {"run": [], "step": [], "loss": []}
    for number in range(runs):
        rng = Random(number)
        for i in range(1, points + 1):
            for key, value in (("run", f"run_{number:03d}"), ("step", i * 50), ("loss", round(loss(i, number, rng), 4))):
                columns[key].append(value)
    return columns


def altair_page(path: Path, columns: dict[str, list[Any]]) -> Path:
    """What Altair writes for one chart with everything in it."""
    import altair as alt
    import pandas as pd

    alt.data_transformers.disable_max_rows()
    chart = alt.Chart(pd.DataFrame(columns)).mark_line().encode(x="step:Q", y="loss:Q", color="run:N")
    chart.save(str(path), inline=True)
    return path


def plotly_page(path: Path, columns: dict[str, list[Any]]) -> Path:
    """What Plotly writes for one chart with everything in it."""
    from plotly import graph_objects as go

    names = list(dict.fromkeys(columns["run"]))
    size = len(columns["run"]) // len(names)
    parts = [slice(i * size, (i + 1) * size) for i in range(len(names))]
    traces = [go.Scatter(x=columns["step"][p], y=columns["loss"][p], name=n, mode="lines") for n, p in zip(names, parts, strict=True)]
    go.Figure(traces).write_html(str(path), include_plotlyjs=True)
    return path


def seen(browser: Browser, page: Path | str, selectors: dict[str, str]) -> dict[str, float]:
    """Milliseconds from opening the page to each of the things."""
    import json

    browser.events.clear()
    watch = browser.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH % json.dumps(selectors))["identifier"]
    browser.call("Page.navigate", url="about:blank")
    browser.wait("location.protocol === 'about:' && document.readyState === 'complete'")
    time.sleep(SETTLE)
    browser.call("Page.navigate", url=page if isinstance(page, str) else page.resolve().as_uri())
    browser.wait(f"location.protocol !== 'about:' && Object.keys(window.__seen ?? {{}}).length === {len(selectors)}", 240)
    browser.call("Page.removeScriptToEvaluateOnNewDocument", identifier=watch)
    return dict(browser.js("window.__seen"))


def answer(browser: Browser, act: str) -> float:
    """Milliseconds that an act in the page takes, to the next frame."""
    code = (
        "new Promise((done) => { const t = performance.now(); %s;"
        " requestAnimationFrame(() => setTimeout(() => done(performance.now() - t), 0)); })"
    )
    return float(statistics.median(browser.js(code % act) for _ in range(9)))


HOVER = (
    "(() => { const o = document.querySelector('.over'); const b = o.getBoundingClientRect();"
    " o.dispatchEvent(new PointerEvent('pointermove', {clientX: b.x + 100 + Math.random() * 300, clientY: b.y + 90, bubbles: true})); })()"
)
ZOOM = "document.querySelector(\"[data-zoom='in']\").click()"


def writing(logs: Path, out: Path, cold: bool) -> float:
    """CPU seconds that the page adds to a build: medians of interleaved builds in this process; cold without Vega's script in the cache."""
    took: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(2 * ROUNDS):
        page = turn % 2 == 0
        kept = vega._cached()
        if cold and kept:
            kept.unlink(missing_ok=True)
        start = time.process_time()
        build(Request((str(logs),), out=str(out / f"{cold}{turn}"), dashboard=page, threads=1))
        took[page].append(time.process_time() - start)
    return statistics.median(took[True]) - statistics.median(took[False])


def medians(visits: dict[str, Callable[[], dict[str, float]]], rounds: int) -> dict[str, dict[str, float]]:
    """Medians over interleaved rounds."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in visits}
    for _ in range(rounds):
        for name, visit in visits.items():
            found[name].append(visit())
    return {name: {k: statistics.median(v[k] for v in all_) for k in all_[0]} for name, all_ in found.items()}


def rows(scratch: Path) -> list[Row]:
    """The bars of the page."""
    with all_cores():
        browser = Browser()
    browser.call("Emulation.setDeviceMetricsOverride", width=1400, height=900, deviceScaleFactor=1, mobile=False)
    try:
        return _rows(browser, scratch)
    finally:
        browser.close()


def _rows(browser: Browser, scratch: Path) -> list[Row]:
    logs = {name: curves(scratch / name, *size) for name, size in SIZES.items()}
    extra = {cold: writing(logs["small"], scratch / "times", cold) for cold in (False, True)}
    pages = {name: build(Request((str(path),), out=str(scratch / "out" / name))).folder / "dashboard.html" for name, path in logs.items()}
    at, peers = _times(browser, scratch, pages)
    seen(browser, pages["big"], OURS)
    hover, zoom = answer(browser, HOVER), answer(browser, ZOOM)
    megabytes = {n: p.stat().st_size / 1e6 for n, p in {**pages, **peers}.items()}

    def row(name: str, ours: str, what: str, peer: str, bar: float) -> Row:
        mine, theirs = at[ours][what], at[peer]["chart"]
        return Row(name, f"{mine:.0f} ms", f"{theirs:.0f} ms", mine / theirs, bar)

    def size(name: str, ours: str, peer: str, bar: float) -> Row:
        said = f"{megabytes[f'altair {peer}']:.2f} Altair, {megabytes[f'plotly {peer}']:.2f} Plotly"
        return Row(f"size of the page, {name}, MB", f"{megabytes[ours]:.2f}", said, megabytes[ours], bar)

    others = ("Altair", "Plotly", "TensorBoard")
    return [
        row("first table, over Altair's one chart (20 x 300)", "small", "table", "altair small", 0.4),
        row("first chart, over Altair's one chart (20 x 300)", "small", "chart", "altair small", 1.0),
        *(
            row(f"first chart, over {n}'s (20 x 300)", "small", "chart", f"{n.lower()} small", 1.0)
            for n in others[1:]
            if f"{n.lower()} small" in at
        ),
        row("first chart of 1M points, over the small page", "big", "chart", "small", 2.5),
        *(
            row(f"first chart of 1M points, over {n}'s", "big", "chart", f"{n.lower()} big", 1.0)
            for n in others
            if f"{n.lower()} big" in at
        ),
        size("20 x 300", "small", "small", 1.6),
        size("1M points", "big", "big", 5.0),
        Row("hover over 1M points, over 100 ms", f"{hover:.0f} ms", "100 ms", hover / 100, 1.0),
        Row("zoom into 1M points, over 100 ms", f"{zoom:.0f} ms", "100 ms", zoom / 100, 1.0),
        Row("writing the page, over 0.5 s", f"{extra[False]:.2f} s", "0.5 s", extra[False] / 0.5, 1.0),
        Row("writing the page with a cold cache, over 0.5 s", f"{extra[True]:.2f} s", "0.5 s", extra[True] / 0.5, 1.0),
    ]


def _times(browser: Browser, scratch: Path, pages: dict[str, Path]) -> tuple[dict[str, dict[str, float]], dict[str, Path]]:
    """Times of our pages and of the peers', in interleaved rounds; and the peers' files."""
    columns = {name: table(*size) for name, size in SIZES.items()}
    peers = {f"altair {n}": altair_page(scratch / f"altair_{n}.html", c) for n, c in columns.items()}
    peers |= {f"plotly {n}": plotly_page(scratch / f"plotly_{n}.html", c) for n, c in columns.items()}
    visits: dict[str, Callable[[], dict[str, float]]] = {n: lambda p=p: seen(browser, p, OURS) for n, p in pages.items()}  # type: ignore[misc]
    visits |= {n: lambda p=p: seen(browser, p, PEER) for n, p in peers.items()}  # type: ignore[misc]
    with ExitStack() as stack:
        if peer_tensorboard.installed():
            for name, (runs, points) in SIZES.items():
                folder = peer_tensorboard.write(scratch / f"tensorboard_{name}", columns[name])
                url = stack.enter_context(peer_tensorboard.served(folder, runs, points))
                if url is None:
                    continue
                visits[f"tensorboard {name}"] = lambda u=url: seen(browser, u, peer_tensorboard.CHART)  # type: ignore[misc]
        else:
            print("bench_page: TensorBoard's page is left out, tensorboard is not installed")
        slow = {n: visits.pop(n) for n in list(visits) if n.endswith(" big")}
        return {**medians(visits, ROUNDS), **medians(slow, BIG_ROUNDS)}, peers
