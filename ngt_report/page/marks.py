"""The Vega-Lite specifications of the comparison charts, made with Altair: one function a mark, kept as specs/MARK.json.

A build only reads the JSON, because importing Altair takes longer than writing a page. `python -m ngt_report.page.marks` writes the files
anew; a test compares them. Rows have fixed column names: a user's text is data, or a title, never a field or an expression.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import altair as alt

Made = Any  # a chart: what Altair calls its type differs between versions
HERE = Path(__file__).parent / "specs"
ROWS = alt.NamedData("rows")
ROOM = alt.param(name="room", value=38)  # characters of a label; the page and the export set it to what fits


def shortened(text: str, room: str = "room") -> str:
    """An expression: a text, without its middle where it is too long, because names of runs differ at their ends."""
    cut = f"slice({text}, 0, ceil({room} / 2) - 1) + '…' + slice({text}, length({text}) - floor({room} / 2))"
    return f"length({text}) > {room} ? {cut} : {text}"


SHORT = "datum.value >= 10000 ? format(datum.value / 1000, '~g') + 'k' : format(datum.value, ',')"  # 500, 5,000, 15k
LABELS: dict[str, Any] = {"labelExpr": shortened("datum.label"), "labelLimit": 1000}
RUN = alt.Y("label:N", sort=alt.EncodingSortField("place", op="min"), title=None, axis=alt.Axis(**LABELS))
STEP = alt.Step(24)
BASE = "#4c6f9c"
STRONG = "#c8501e"
BETTER = "#2b7a4b"


def dumbbell() -> Made:
    """Two values of each run, joined: x filled, x2 as a ring."""
    x = alt.X("x:Q", title="X", scale=alt.Scale(zero=False, padding=12))
    ends = [alt.Tooltip("x:Q", title="best"), alt.Tooltip("step:Q", title="best at"), alt.Tooltip("x2:Q", title="last")]
    tips = [alt.Tooltip("run:N"), *ends, alt.Tooltip("step2:Q", title="last at")]
    base = alt.Chart(ROWS).encode(y=RUN, tooltip=tips)
    line = base.mark_rule(strokeWidth=2, color=BASE, opacity=0.6).encode(x=x, x2="x2:Q")
    best = base.mark_point(filled=True, size=90, color=BASE, opacity=1).encode(x=x)
    last = base.mark_point(filled=False, size=80, color=STRONG, strokeWidth=2).encode(x=alt.X("x2:Q", title="X"))
    return alt.layer(line, last, best).properties(height=STEP).add_params(ROOM)


def interval() -> Made:
    """Bars with a whisker from low to high where there is one; the axis does not begin at zero."""
    x = alt.X("x:Q", title="X", stack=None, scale=alt.Scale(zero=False, padding=58))
    tips = [alt.Tooltip("run:N"), alt.Tooltip("x:Q", title="loss"), alt.Tooltip("low:Q"), alt.Tooltip("high:Q"), alt.Tooltip("n:Q")]
    base = alt.Chart(ROWS).encode(y=RUN, tooltip=tips)
    bar = base.mark_bar(color=BASE, opacity=0.55, clip=True, height=13).encode(x=x)
    whisker = base.mark_rule(strokeWidth=2.5, color=STRONG).encode(x=alt.X("low:Q", title="X"), x2="high:Q")
    end = base.transform_calculate(end="isValid(datum.high) ? datum.high : datum.x")
    said = end.mark_text(align="left", dx=6).encode(x=alt.X("end:Q", title="X"), text=alt.Text("x:Q", format=".4f"))
    return alt.layer(bar, whisker, said).properties(height=STEP).add_params(ROOM)


def bar() -> Made:
    """Bars from zero, with their values."""
    x = alt.X("x:Q", title="X")
    base = alt.Chart(ROWS).encode(y=RUN, x=x, tooltip=[alt.Tooltip("run:N"), alt.Tooltip("x:Q", title="value")])
    bars = base.mark_bar(color=BASE, opacity=0.8, height=13)
    said = base.mark_text(align="left", dx=6).encode(text=alt.Text("x:Q", format=".3f"))
    reach = alt.param(name="reach", value=1.14)  # the page and the export set it so that the longest bar's value has room
    widest = alt.Chart(ROWS).transform_aggregate(most="max(x)").transform_calculate(x="reach * datum.most")
    return alt.layer(bars, said, widest.mark_point(opacity=0).encode(x=x)).properties(height=STEP).add_params(ROOM, reach)


def scatter() -> Made:
    """Two numbers of each run, and the line through those that no other beats in both."""
    x = alt.X("x:Q", title="X", scale=alt.Scale(zero=False, padding=24))
    y = alt.Y("y:Q", title="Y", scale=alt.Scale(zero=False, padding=20))
    tips = [alt.Tooltip("run:N"), alt.Tooltip("x:Q", title="steps/s"), alt.Tooltip("y:Q", title="loss")]
    base = alt.Chart(ROWS).encode(x=x, y=y)
    front = base.transform_filter(alt.datum.front)
    line = front.mark_line(interpolate="step-after", color=STRONG, strokeWidth=1.5, strokeDash=[4, 3])
    color = alt.condition(alt.datum.front, alt.value(STRONG), alt.value(BASE))
    points = base.mark_point(filled=True, size=90, opacity=0.9).encode(color=color, tooltip=tips)
    placed = alt.Chart(ROWS).transform_joinaggregate(least="min(x)", most="max(x)").transform_filter(alt.datum.front)
    ends = placed.transform_joinaggregate(best="min(y)", fastest="max(x)").transform_filter(
        "datum.y === datum.best || datum.x === datum.fastest"
    )
    said = ends.transform_calculate(name=shortened("datum.label", "30")).mark_text(
        align=alt.expr("datum.x > (datum.least + datum.most) / 2 ? 'right' : 'left'"),
        dx=alt.expr("datum.x > (datum.least + datum.most) / 2 ? 8 : -8"),
        dy=alt.expr("datum.y === datum.best ? 15 : -13"),
    )
    return alt.layer(line, points, said.encode(x=x, y=y, text="name:N")).properties(height=280)


def target() -> Made:
    """When each run reached each target, and which never did."""
    x = alt.X("x:Q", title="X", scale=alt.Scale(zero=True), axis=alt.Axis(labelExpr=SHORT))
    color = alt.Color(
        "target:N",
        title=None,
        sort=None,
        scale=alt.Scale(range=[BASE, STRONG, BETTER, "#8a63ad"]),
        legend=alt.Legend(orient="bottom", labelLimit=420, columns=1),
    )
    tips = [
        alt.Tooltip("run:N"),
        alt.Tooltip("target:N"),
        alt.Tooltip("x:Q", title="seconds"),
        alt.Tooltip("step:Q", title="steps", format=",.0f"),
    ]
    base = alt.Chart(ROWS).encode(y=RUN, yOffset=alt.YOffset("target:N", sort=None), color=color, tooltip=tips)
    bars = base.transform_filter(alt.datum.reached).mark_bar(opacity=0.85).encode(x=x)
    never = base.transform_filter("!datum.reached").mark_text(align="left", dx=4, text="not reached", fontSize=10.5).encode(x=alt.datum(0))
    return alt.layer(bars, never).properties(height=alt.Step(32, **{"for": "position"})).add_params(ROOM)


def effect() -> Made:
    """Changes from zero, less is better, with their range over pairs."""
    x = alt.X("x:Q", title="X", scale=alt.Scale(padding=30))
    tips = [
        alt.Tooltip("run:N", title="change"),
        alt.Tooltip("x:Q", title="mean"),
        alt.Tooltip("low:Q"),
        alt.Tooltip("high:Q"),
        alt.Tooltip("n:Q", title="pairs"),
    ]
    base = alt.Chart(ROWS).encode(y=RUN, tooltip=tips)
    color = alt.condition(alt.datum.x < 0, alt.value(BETTER), alt.value(STRONG))
    bars = base.mark_bar(opacity=0.7, height=13).encode(x=x, color=color)
    whisker = base.mark_rule(strokeWidth=1.5, color="#777777").encode(x=alt.X("low:Q", title="X"), x2="high:Q")
    return alt.layer(bars, whisker).properties(height=STEP).add_params(ROOM)


def heat() -> Made:
    """A number for each pair of settings."""
    x = alt.X("x:N", title="X", sort=alt.EncodingSortField("x_place", op="min"), axis=alt.Axis(labelAngle=0, labelOverlap=True))
    y = alt.Y("y:N", title="Y", sort=alt.EncodingSortField("y_place", op="min", order="descending"), axis=alt.Axis(**LABELS))
    tips = [alt.Tooltip("x:N"), alt.Tooltip("y:N"), alt.Tooltip("value:Q", title="best loss"), alt.Tooltip("n:Q", title="runs")]
    base = alt.Chart(ROWS).encode(x=x, y=y, tooltip=tips)
    color = alt.Color("value:Q", title="best loss")
    cells = base.mark_rect().encode(color=color)
    shaded = base.transform_joinaggregate(least="min(value)", most="max(value)").transform_filter("figures")
    share = "(datum.value - datum.least) / (datum.most - datum.least)"
    ink = alt.condition(f"dark ? {share} > 0.7 : {share} < 0.6", alt.value("#ffffff"), alt.value("#111111"))
    said = shaded.mark_text(fontSize=12).encode(color=ink, text=alt.Text("value:Q", format=".4f"))
    figures = alt.param(name="figures", value=True)  # the page leaves them out where cells are narrow
    dark = alt.param(name="dark", value=False)  # the ramp of colours runs the other way there
    return alt.layer(cells, said).properties(height=alt.Step(34)).add_params(ROOM, figures, dark)


def parallel() -> Made:
    """One line a run across the axes of its settings; the page sets keep to false where a run is not chosen, and `logs` for log axes."""
    switch = alt.param(name="logs", value=False)
    x = alt.X(
        "key:N",
        title=None,
        sort=alt.EncodingSortField("turn", op="min"),
        axis=alt.Axis(**LABELS, labelAngle=0, orient="top", domain=False, ticks=False, labelFontWeight="bold"),
    )
    y = alt.Y("at:Q", title="Y", axis=None, scale=alt.Scale(domain=[-0.06, 1.06]))
    base = alt.Chart(ROWS).transform_calculate(at="logs ? datum.log : datum.lin")
    color = alt.Color("loss:Q", title="best loss", legend=alt.Legend(orient="bottom", gradientLength=200))
    shown = alt.condition("datum.keep !== false", alt.value(0.8), alt.value(0.05))
    tips = [alt.Tooltip("run:N"), alt.Tooltip("loss:Q", title="best loss")]
    lines = base.mark_line(strokeWidth=1.8).encode(x=x, y=y, detail="run:N", order="turn:Q", color=color, opacity=shown, tooltip=tips)
    axis = alt.Chart(ROWS).mark_rule(color="#888888", strokeWidth=1).encode(x=x)
    said = base.transform_filter(alt.datum.said).transform_aggregate(run="count()", groupby=["key", "value", "at", "turn"])
    words = said.transform_calculate(said=shortened("datum.value")).encode(x=x, y=y, text="said:N")
    halo = words.mark_text(align="left", dx=6, fontSize=11, style="halo")  # drawn around the text, so that lines do not cross it
    text = words.mark_text(align="left", dx=6, fontSize=11)
    return alt.layer(axis, lines, halo, text).add_params(switch, ROOM).properties(height=300)


def line() -> Made:
    """A curve of each run."""
    x = alt.X("x:Q", title="X", axis=alt.Axis(format="~s"))
    y = alt.Y("y:Q", title="Y", scale=alt.Scale(zero=False))
    color = alt.Color(
        "run:N", title=None, sort=alt.EncodingSortField("place", op="min"), legend=alt.Legend(orient="bottom", labelLimit=420, columns=1)
    )
    return alt.Chart(ROWS).mark_line(strokeWidth=1.6).encode(x=x, y=y, color=color).properties(height=280)


MARKS: dict[str, Callable[[], Any]] = {f.__name__: f for f in (dumbbell, interval, bar, scatter, target, effect, heat, parallel, line)}


def spec(mark: str) -> dict[str, Any]:
    """A mark's specification, as wide as its place, without Altair's own look."""
    made = dict(MARKS[mark]().to_dict())
    for own in ("config", "$schema"):
        made.pop(own, None)
    return made | {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}}


def text_of(mark: str) -> str:
    """What the mark's file must hold."""
    return json.dumps(spec(mark), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in MARKS:
        (HERE / f"{name}.json").write_text(text_of(name), encoding="utf-8", newline="\n")
