"""The page of a gravity model's coordinates: what it holds, what it leaves out, what it does in a browser."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from ngt_report.build import Request, build
from ngt_report.commands import cli
from ngt_report.files import InputFile
from ngt_report.page import coords
from tests.browser import Browser
from tests.pagedata import island

LABELS = ["The", "Ġmoon", "Ġking", "<b>Ċ</b>", "Ġking", "."]


def event(step: int = 100, layer: int = 0, run: str = "a", **changed: Any) -> dict[str, Any]:
    """A coords event of six tokens whose points lie on a line, a plane and a little beside it."""
    rng = Random(7 * step + layer)
    points = [[3.0 * i, math.cos(i), 0.1 * math.sin(3 * i), rng.gauss(0, 1e-3)] for i in range(6)]
    head = {"kind": "coords", "run": run, "segment": 0, "seq": 1, "ts": "2026-03-02T09:00:00Z", "step": step, "tokens": 1, "elapsed_s": 1.0}
    body = {
        "layer": layer,
        "token_labels": LABELS,
        "positions": list(range(6)),
        "masses": [0.5, 1.0, 2.0, 0.1, 2.0, None],
        "coordinates": points,
    }
    return {**head, "segment_elapsed_s": 1.0, **body, **changed}


def log(path: Path, events: list[Any]) -> Path:
    start = {**event(0), "kind": "run_start", "schema": 1, "config": {}}
    path.write_text("".join((e if isinstance(e, str) else json.dumps(e)) + "\n" for e in [start, *events]), encoding="utf-8")
    return path


def command(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["coords", *map(str, arguments)])


def shown(path: Path) -> dict[str, Any]:
    return dict(island(path.read_text(encoding="utf-8"), "sample"))


# -- what it holds ----------------------------------------------------------------------------------------------------
def test_axes_are_the_principal_components_of_the_last_sample(tmp_path: Path) -> None:
    import numpy as np

    assert command(log(tmp_path / "a.jsonl", [event(100), event(200)]), "-o", tmp_path).exit_code == 0
    layer = shown(tmp_path / "coords_a.html")["layers"][0]
    points = np.array(event(200)["coordinates"])
    values = np.sort(np.linalg.eigvalsh(np.cov((points - points.mean(0)).T)))[::-1]
    assert layer["shares"] == pytest.approx((values / values.sum())[:3], rel=1e-5)
    last = np.array(layer["at"][-1]["xyz"])
    assert last.var(axis=1, ddof=1) == pytest.approx(values[:3], rel=1e-5)
    assert np.corrcoef(last)[0, 1] == pytest.approx(0, abs=1e-6)
    distances = np.linalg.norm(last[:, 0] - last[:, 5])
    assert distances == pytest.approx(np.linalg.norm(points[0] - points[5]), rel=1e-3)


def test_tokens_masses_positions_lines_and_steps_are_those_of_the_log(tmp_path: Path) -> None:
    assert command(log(tmp_path / "a.jsonl", [event(100), event(100, 1), event(200), event(200, 1)]), "-o", tmp_path).exit_code == 0
    page = shown(tmp_path / "coords_a.html")
    assert page["texts"] == [LABELS]
    assert [(layer["layer"], [(s["step"], s["line"]) for s in layer["at"]]) for layer in page["layers"]] == [
        (0, [(100, 2), (200, 4)]),
        (1, [(100, 3), (200, 5)]),
    ]
    assert page["layers"][0]["at"][0]["mass"] == [0.5, 1.0, 2.0, 0.1, 2.0, None]
    assert page["layers"][0]["at"][0]["position"] == [0, 1, 2, 3, 4, 5]


def test_many_samples_are_thinned_evenly_and_said(tmp_path: Path) -> None:
    command(log(tmp_path / "a.jsonl", [event(i) for i in range(1, 101)]), "-o", tmp_path)
    page = shown(tmp_path / "coords_a.html")
    steps = [s["step"] for s in page["layers"][0]["at"]]
    assert (page["steps"], page["held"], len(steps), steps[0], steps[-1]) == (100, coords.MOST_STEPS, coords.MOST_STEPS, 1, 100)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_any_dimension_has_three_axes(dimension: int, tmp_path: Path) -> None:
    points = [[float(i * (d + 1) % 5) for d in range(dimension)] for i in range(6)]
    assert command(log(tmp_path / "a.jsonl", [event(coordinates=points)]), "-o", tmp_path).exit_code == 0
    sample = shown(tmp_path / "coords_a.html")["layers"][0]["at"][0]
    assert [len(axis) for axis in sample["xyz"]] == [6, 6, 6]


BROKEN = [
    {"token_labels": LABELS[:5]}, {"masses": None}, {"coordinates": [[1.0]] * 5 + [[1.0, 2.0]]}, {"coordinates": [["x"]] * 6},
    {"coordinates": []}, {"coordinates": [[None]] * 6}, {"layer": "0"}, {"step": None}, {"positions": [0.5] * 6}, {"coordinates": [[]] * 6},
    {"token_labels": "The Ġm"}, {"coordinates": [[1e200]] * 6},
]  # fmt: skip


@pytest.mark.parametrize("changed", BROKEN, ids=lambda c: json.dumps(c)[:40])
def test_a_broken_event_is_left_out_and_counted(changed: dict[str, Any], tmp_path: Path) -> None:
    assert command(log(tmp_path / "a.jsonl", [event(), event(200) | changed]), "-o", tmp_path).exit_code == 0
    page = shown(tmp_path / "coords_a.html")
    assert page["bad"] == 1 and [s["step"] for s in page["layers"][0]["at"]] == [100]


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_no_value_in_place_of_the_coordinates_breaks_the_reader(value: Any) -> None:
    for key in ("coordinates", "masses", "positions", "token_labels", "layer", "step"):
        found = coords.sample(1, event() | {key: value})
        assert found is None or len(found.points) == len(found.labels)


# -- where it goes ----------------------------------------------------------------------------------------------------
def test_build_writes_a_page_for_each_run_that_has_coordinates(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a", "A b/c"):
        log(
            tmp_path / "in" / f"{name.replace('/', '')}.jsonl",
            [event(run=name), {**event(run=name), "kind": "eval", "seq": 2, "val/loss": 4.0}],
        )
    folder = build(Request((str(tmp_path / "in"),), out=str(tmp_path / "out"))).folder
    pages = sorted(p.name for p in folder.glob("coords_*.html"))
    assert len(pages) == 2 and "dashboard.html" in {p.name for p in folder.iterdir()}
    build(Request((str(tmp_path / "in"),), out=str(tmp_path / "out"), dashboard=False))
    assert list(folder.glob("*.html")) == []


def test_two_runs_whose_names_are_one_file_name_get_two(tmp_path: Path) -> None:
    command(log(tmp_path / "a.jsonl", [event(run="x/y"), event(run="x?y"), event(run="X?Y")]), "-o", tmp_path)
    assert sorted(p.name for p in tmp_path.glob("*.html")) == ["coords_X_Y_3.html", "coords_x_y.html", "coords_x_y_2.html"]


def test_what_cannot_be_drawn_is_said_in_a_sentence(tmp_path: Path) -> None:
    empty = log(tmp_path / "e.jsonl", [])
    assert "holds no coords event; ngttrain writes them" in command(empty, "-o", tmp_path).stderr
    assert "is no file" in command(tmp_path / "none.jsonl").stderr
    two = log(tmp_path / "a.jsonl", [event(run="a"), event(run="b")])
    assert "holds 2 runs; give -o a folder" in command(two, "-o", tmp_path / "x.html").stderr
    one = log(tmp_path / "b.jsonl", [event()])
    assert command(one, "-o", tmp_path / "x.html").exit_code == 0
    assert "exists; give another name, or --force" in command(one, "-o", tmp_path / "x.html").stderr


def test_coordinates_are_read_whatever_the_encoding(tmp_path: Path) -> None:
    path = log(tmp_path / "a.jsonl", [event()])
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))
    file = InputFile(str(path), "a.jsonl", path.stat().st_size, 0)
    assert [line for line, found in coords.events(file) if coords.sample(line, found)] == [2]


# -- in a browser -----------------------------------------------------------------------------------------------------
def test_the_page_turns_and_shows_what_is_under_the_pointer(chromium: Browser, tmp_path: Path) -> None:
    command(log(tmp_path / "a.jsonl", [event(100), event(100, 1), event(200), event(200, 1)]), "-o", tmp_path)
    chromium.open(tmp_path / "coords_a.html", width=900)
    camera = "JSON.stringify(document.getElementById('plot')._fullLayout.scene._scene.getCamera().eye)"
    start = chromium.js(camera)
    x, y = chromium.middle("#plot canvas")
    chromium.drag((x, y), (x + 120, y + 30))
    chromium.wait(f"{camera} !== {json.dumps(start)}")
    chromium.choose("#layer", "0")
    chromium.choose("#step", "0")
    chromium.choose("#colour", "frequency")
    assert chromium.js("document.getElementById('what').textContent").startswith("layer 0, step 100, 6 tokens")
    assert chromium.js("document.getElementById('plot').data[0].marker.color.join()") == "1,1,2,1,2,1"
    chromium.choose("#probe", "king; moon")
    assert chromium.js("document.getElementById('plot').data.map((t) => t.x.length).join()") == "3,1,2"
    assert chromium.js("document.getElementById('tokens').rows[4].cells[1].textContent") == "<b>Ċ</b> (newline)"
    assert chromium.js("document.getElementById('plot').data[0].text[1]").startswith("<b>&#60;b&#62;Ċ&#60;/b&#62; (newline)</b>")
    assert chromium.requests() == []
    assert [p for p in chromium.problems() if "Canvas2D" not in p and "GL Driver" not in p and "WebGL" not in p] == []


def test_the_pointer_on_a_token_shows_the_token(chromium: Browser, tmp_path: Path) -> None:
    points = [[0.0, 0.0, 0.0], [5.0, 0.0, 0.0], [-5.0, 0.0, 0.0], [0.0, 5.0, 0.0], [0.0, -5.0, 0.0], [0.0, 0.0, 0.0]]  # two in the middle
    command(log(tmp_path / "a.jsonl", [event(coordinates=points)]), "-o", tmp_path)
    chromium.open(tmp_path / "coords_a.html", width=900)
    x, y = chromium.middle("#plot canvas")
    said = "document.querySelector('#plot .hovertext')?.textContent ?? ''"
    for turn in range(80):  # from above the middle of the plot to below it
        chromium.mouse("mouseMoved", x + turn % 5, y - 120 + 2 * turn)
        if "mass" in chromium.js(f"new Promise((done) => setTimeout(() => done({said}), 60))"):
            break
    assert re.search(r"position \d.*mass (0\.5|not known)", chromium.js(said))
