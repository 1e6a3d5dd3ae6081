"""The comparison charts: one .sql file each, whose header names a mark; the mark's Vega-Lite specification, filled with titles and rows."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from importlib.resources import files as resource_files
from pathlib import Path
from typing import Any

from ngt_report import tailor
from ngt_report.errors import ReportError, UsageError
from ngt_report.grouping import OUTCOME, shared_name
from ngt_report.incidental import NAMES
from ngt_report.runs import UNTELLING
from ngt_report.store import Store, finite, sql, sql_names

ORDER = ("best_last", "fixed_step", "throughput", "target", "front", "effects", "heat", "parallel")  # on the page; others follow
NOT_ON_PAGE = "curves"  # the page draws curves by itself
HEADER = ("title", "mark", "x", "y", "note", "source")  # that the header of every chart has
DPI = 300
POINTS = 72  # a point of print is 1/72 inch, and Vega draws in those
WIDTH = 5.5  # inches
LONG = 36  # characters of a name that is shown whole
LETTER = 5.6  # points of a letter of a label, on average
RAMPS = (  # from the lowest loss, which stands out, to the highest, which can still be seen: on light, on dark
    ["#440154", "#3b528b", "#21918c", "#48a868", "#b0ae2e"],
    ["#fde725", "#5ec962", "#21a39a", "#4f7fc0", "#8a78c8"],
)
LABEL_SHARE = 0.4  # of the width that labels may have


@cache
def chart_names() -> tuple[str, ...]:
    """All charts, in the order of the page."""
    found = sql_names("charts")
    return (*[n for n in ORDER if n in found], *[n for n in found if n not in ORDER])


@cache
def header(name: str) -> dict[str, str]:
    """The comment header of a chart; `source` names the columns of the runs table in which its numbers have their origin."""
    return tailor.header(sql(f"charts/{name}.sql"), HEADER, f"sql/charts/{name}.sql")


@cache
def _template(mark: str) -> str:
    return resource_files("ngt_report").joinpath("page", "specs", f"{mark}.json").read_text(encoding="utf-8")


def prepare(store: Store) -> None:
    """Make the relations that charts share: the main compared set, and its settings that differ."""
    store.run(f"CREATE OR REPLACE TEMP TABLE main_set AS {sql('page/main_set.sql')}")
    untelling = f"{UNTELLING.pattern}|{NAMES.pattern}"
    store.rows(
        f"CREATE OR REPLACE TEMP TABLE settings AS {sql('page/settings.sql')}",
        {"untelling": untelling, "outcome": OUTCOME.pattern},
    )


def rows_of(store: Store, name: str) -> list[dict[str, Any]]:
    """A chart's rows; `prepare` was called before. Long names of runs have a shorter `label`."""
    rows = _called([finite(row) for row in store.rows(sql(f"charts/{name}.sql"))])
    short = labels(list(dict.fromkeys(row["run"] for row in rows if "id" in row)))
    return [row | {"label": short.get(row["run"], row["run"])} if "run" in row else row for row in rows]


def _called(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Bars of several runs are called by what the names of these have in common, where that tells them apart."""
    shared = [shared_name(row.pop("names", None) or [""]) for row in rows]
    alone = Counter(shared)
    return [
        row | {"run": f"{name} (n = {row['n']})"} if name and row["n"] > 1 and alone[name] == 1 else row
        for row, name in zip(rows, shared, strict=True)
    ]


def labels(names: list[str]) -> dict[str, str]:
    """Names without the words that all of them have, where they are long and stay different."""
    if len(names) < 2 or max(map(len, names)) <= LONG:
        return {name: name for name in names}
    parts = {name: re.findall(r"[^\s_/#]+[\s_/#]*", name) for name in names}
    common = set.intersection(*({w.rstrip(" _/#") for w in words} for words in parts.values()))
    short = {name: "".join(w for w in words if w.rstrip(" _/#") not in common).strip(" _/#") for name, words in parts.items()}
    return short if all(short.values()) and len(set(short.values())) == len(names) else {name: name for name in names}


def specification(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The chart's Vega-Lite specification without its rows; an axis whose rows name it has that title."""
    said = header(name)
    spec: dict[str, Any] = json.loads(_template(said["mark"]))
    titles = {"X": rows[0].get("x_title", said["x"]), "Y": rows[0].get("y_title", said["y"])} if rows else {"X": said["x"], "Y": said["y"]}
    _entitle(spec, titles)
    return spec


def _entitle(node: Any, titles: dict[str, str]) -> None:
    """Put the titles where the template says X and Y."""
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _entitle(child, titles)
    if isinstance(node, dict) and node.get("title") in ("X", "Y"):
        node["title"] = titles[node["title"]]


def page_charts(store: Store, names: dict[str, int], sets: list[int]) -> list[dict[str, Any]]:
    """The island `charts`: every chart that has rows; `i` is the place of a row's run, `is` those of several.

    `sets`: how many runs each compared set has.
    """
    prepare(store)
    out = []
    for name in chart_names():
        rows = rows_of(store, name) if name != NOT_ON_PAGE else []
        if not rows:
            continue
        said = header(name)
        for row in rows:
            if "id" in row:
                row["i"] = names[row.pop("id")]
            if "ids" in row:
                row["is"] = [names[run] for run in row.pop("ids")]
        out.append(
            {
                "name": name,
                "title": said["title"],
                "note": _note(said, sets),
                "mark": said["mark"],
                "source": said["source"].split(),
                "spec": specification(name, rows),
                "rows": rows,
            }
        )
    return out


def _note(said: dict[str, str], sets: list[int]) -> str:
    """A chart's note; where it shows fewer than all compared runs, it says which."""
    if "most" not in said or len(sets) == 1 and sets[0] <= int(said["most"]):
        return said["note"]
    return f"{said['note']}. The {said['most']} best of the largest compared set"


# -- files ------------------------------------------------------------------------------------------------------------
def export(store: Store, name: str, out: Path, force: bool, dark: bool = False, width: float = WIDTH) -> int:
    """Write a chart as SVG or PNG at paper size, without a browser; returns how many rows it shows."""
    kind = out.suffix.lower()
    if kind not in (".svg", ".png"):
        raise UsageError(f"{out} ends in neither .svg nor .png; give -o FILE.svg or FILE.png")
    if name not in chart_names():
        raise UsageError(f"there is no chart {name!r}; there are {', '.join(chart_names())}")
    if out.exists() and not force:
        raise UsageError(f"{out} exists; give another name, or --force to write over it")
    prepare(store)
    rows = rows_of(store, name)
    if not rows:
        raise ReportError(f"the chart {name} has nothing to show: {header(name)['note']}")
    _write(out, _drawn(specification(name, rows), rows, header(name)["title"], kind, dark, width))
    return len(rows)


def _drawn(spec: dict[str, Any], rows: list[dict[str, Any]], title: str, kind: str, dark: bool, width: float) -> bytes:
    import vl_convert

    spec |= {
        "datasets": {"rows": rows},
        "width": width * POINTS,
        "title": title,
        "config": look(dark),
        "params": fitted(spec, rows, width * POINTS, dark),
        "autosize": {"type": "fit-x", "contains": "padding"},
    }
    if kind == ".svg":
        return vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]).encode()
    return bytes(vl_convert.vegalite_to_png(spec, ppi=DPI, allowed_base_urls=[]))


def fitted(spec: dict[str, Any], rows: list[dict[str, Any]], width: float, dark: bool) -> list[dict[str, Any]]:
    """The specification's parameters: as many characters of labels as fit, figures in cells that hold them. The page does the same."""
    axes, columns = len({r.get("key") for r in rows}), len({r.get("x") for r in rows})
    room = width / axes / LETTER if axes > 1 else LABEL_SHARE * width / LETTER
    inner = (1 - LABEL_SHARE) * width
    values = {"reach": 1 + 8 * LETTER / inner, "room": max(10, int(room)), "figures": inner / columns > 8 * LETTER, "dark": dark}
    return [p | {"value": values.get(p["name"], p["value"])} for p in spec.get("params", [])]


def look(dark: bool) -> dict[str, Any]:
    """Colours and sizes of an exported chart."""
    ink, soft, grid, paper = ("#e9ebee", "#aab1bc", "#2c3138", "#181b1f") if dark else ("#1b1e23", "#565d68", "#e2e3e6", "#ffffff")
    return {
        "background": paper, "font": "DejaVu Sans", "view": {"stroke": None}, "text": {"color": ink, "fontSize": 10},
        "range": {"ramp": RAMPS[dark], "heatmap": RAMPS[dark]},
        "style": {"halo": {"stroke": paper, "strokeWidth": 4, "strokeJoin": "round"}},
        "title": {"color": ink, "fontSize": 12, "anchor": "start", "offset": 10},
        "axis": {"labelColor": ink, "titleColor": soft, "gridColor": grid, "domainColor": soft, "tickColor": grid, "labelFontSize": 10,
                 "titleFontSize": 10, "titleFontWeight": "normal", "labelSeparation": 5},
        "legend": {"labelColor": ink, "titleColor": soft, "labelFontSize": 10, "titleFontSize": 10},
    }  # fmt: skip


def _write(out: Path, data: bytes) -> None:
    """Under a temporary name, then renamed."""
    from ngt_report.atomic import replace_files

    if out.is_dir():
        raise UsageError(f"{out} is a folder; give -o a file's name")
    replace_files({out: data})
