"""dashboard.html as text: what it is given, what it may run, what it says, when it is written."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.inspect import is_struct_type as is_struct

from ngt_report import model
from ngt_report.build import Request, build
from ngt_report.errors import ReportError
from ngt_report.page import coords, dashboard, shell
from ngt_report.page import model as pagemodel
from ngt_report.reports import database
from ngt_report.store import Store
from tests.conftest import LOGS
from tests.pagedata import island, undone
from tests.test_charts import write_run
from tests.test_coords import event, log
from tests.test_summary import HOSTILE

TEMPLATES = Path(__file__).parents[1] / "templates"
GOLDEN = Path(__file__).parent / "golden" / "w3_25m.page.json"


@pytest.fixture(scope="module")
def page(built: Path) -> str:
    return (built / "dashboard.html").read_text(encoding="utf-8")


@pytest.fixture
def report(built: Path) -> Any:
    store = database(built)
    yield store
    store.close()


# -- the context ------------------------------------------------------------------------------------------------------
class Watched:
    """An object of the page's model that notes which of its fields are read, and hands out its parts as watched too."""

    def __init__(self, value: Any, seen: dict[str, set[str]]) -> None:
        self.value, self.seen = value, seen

    def __getattr__(self, name: str) -> Any:
        self.seen.setdefault(type(self.value).__name__, set()).add(name)
        return watched(getattr(self.value, name), self.seen)


def watched(value: Any, seen: dict[str, set[str]]) -> Any:
    if isinstance(value, tuple):
        return tuple(watched(v, seen) for v in value)
    return Watched(value, seen) if isinstance(value, Struct) else value


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Class: the fields of it that the templates read, over pages of several kinds of report."""
    seen: dict[str, set[str]] = {}
    folder = tmp_path_factory.mktemp("read")
    log(folder / "a.jsonl", [event(100, run="a")])
    patch = pytest.MonkeyPatch()
    for module, name in ((dashboard, "Page"), (coords, "Coords")):
        made = getattr(module, name)
        patch.setattr(module, name, lambda made=made, **given: Watched(made(**given), seen))  # type: ignore[misc]
    try:
        coords.from_log(str(folder / "a.jsonl"), folder / "out", False)
        for number, text in enumerate(REPORTS):
            (folder / f"{number}").mkdir()
            for name, lines in text.items():
                (folder / f"{number}" / name).write_text(lines)
            build(Request((str(folder / f"{number}"),), out=str(folder / f"out{number}")))
        (folder / "seeds").mkdir()
        for seed in (1, 2):
            write_run(folder / "seeds", 0.001, 64, seed)
        build(Request((str(folder / "seeds"),), out=str(folder / "grouped")))
        build(Request((str(LOGS),), out=str(folder / "sample")))
    finally:
        patch.undo()
    return seen


def curve(steps: int, loss: float) -> str:
    return "".join(f"step {s}/{steps} val_loss={loss + 1 / s:.4f} elapsed={s}s\n" for s in range(100, steps + 1, 100))


REPORTS = [
    {"one.log": curve(300, 4.0)},
    {"a.log": curve(300, 4.0), "b_vanilla.log": curve(300, 4.1), "c.log": curve(500, 4.2), "d.log": curve(500, 4.3)},
    {f"{name}.log": f"dataset={name} batch_size=8\n" + curve(300, 4.0) for name in ("wikitext2", "tinystories")},
    {"bits.log": curve(300, 1.0).replace("val_loss", "val_bpb")},
    {"a.log": curve(300, 4.0), "up.log": curve(200, 3.0).replace("/200", "/300") + "step 300/300 val_loss=5.0000 elapsed=300s\n"},
]


@pytest.mark.parametrize("cls", [c for c in vars(pagemodel).values() if is_struct(c) and c.__module__ == pagemodel.__name__])
def test_every_field_given_to_a_template_is_documented_and_used(cls: type, read: dict[str, set[str]]) -> None:
    helps = model.documented(cls)
    assert all(helps.values())
    assert read[cls.__name__] == set(helps) == set(cls.__struct_fields__)


def test_the_templates_read_only_documented_fields_of_the_report(read: dict[str, set[str]]) -> None:
    classes = {c.__name__: c for m in (pagemodel, model) for c in vars(m).values() if is_struct(c)}
    assert [(name, field) for name, fields in read.items() for field in fields - set(model.documented(classes[name]))] == []


def test_every_name_of_the_islands_is_documented() -> None:
    said = (TEMPLATES.parent / "docs" / "dashboard.md").read_text(encoding="utf-8")
    code = "".join((TEMPLATES.parent / "ngt_report" / "page" / name).read_text() for name in ("dashboard.py", "curves.py"))
    names = set(re.findall(r'"(\w+)":', code)) - {"budget", "least"}  # parameters of a query
    assert sorted(n for n in names if f"`{n}`" not in said) == []


def test_a_page_is_ascii_and_says_every_character(tmp_path: Path) -> None:
    (tmp_path / "größe_≤_😀.log").write_text("step 1/2 val_loss=2.5\nstep 2/2 val_loss=2.25\n", encoding="utf-8")
    page = (build(Request((str(tmp_path),), out=str(tmp_path / "out"))).folder / "dashboard.html").read_bytes().decode("ascii")
    tables = json.loads(re.findall(r'id="data-tables">(.*?)</script>', page, re.DOTALL)[0])
    assert [run["name"] for run in tables["runs"]] == ["größe_≤_😀"]
    assert "größe_≤_😀" in html.unescape(page.partition("<main>")[2].partition("<script")[0])


# -- what may run -----------------------------------------------------------------------------------------------------
def test_the_policy_names_exactly_the_scripts_of_the_page(page: str) -> None:
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="(.*?)"', page)[0].replace("&#39;", "'")
    scripts = re.findall(r"<script>(.*?)</script>|<script type=\"text/plain\" id=\"[\w-]+\">(.*?)</script>", page, re.DOTALL)
    run = [own.encode() or zlib.decompress(base64.b64decode(packed)) for own, packed in scripts]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in run}
    assert set(re.findall(r"'sha256-[^']*'", policy)) == hashes
    assert "unsafe-eval" not in policy and "connect-src 'none'" in policy and "default-src 'none'" in policy


def test_the_page_asks_for_nothing(page: str) -> None:
    ours = re.sub(r'<script type="text/plain".*?</script>', "", page, flags=re.DOTALL)
    assert re.findall(r"""(?:src|href)=["'](?!#)[^"']*""", ours) == []
    assert set(re.findall(r"https?://[\w.]+", ours)) <= {"http://www.w3.org"}
    assert re.findall(r"\son\w+=|\sstyle=|javascript:", re.sub(r"<script>.*?</script>", "", ours, flags=re.DOTALL)) == []


@pytest.mark.parametrize("text", [*HOSTILE, "</script><script>alert(1)</script>", "<!--<script>", "\u2028", "]]>"])
def test_an_island_stays_data(text: str) -> None:
    made = shell.island("x", {"name": text, "bad": float("nan")})
    assert not set("<>&\u2028\u2029") & set(made.text)
    assert json.loads(made.text) == {"name": text, "bad": None}


@pytest.mark.parametrize("text", ["a</SCRIPT>b", "x<!-- y"])
def test_a_script_that_would_end_its_element_is_refused(text: str) -> None:
    with pytest.raises(ReportError, match="cannot stand in HTML"):
        shell.verbatim(text)


# -- what it says -----------------------------------------------------------------------------------------------------
def lined(value: Any, depth: int = 2) -> str:
    """JSON with a line for each part down to a depth, so that a change can be read."""
    if depth and isinstance(value, dict | list) and value:
        parts = (
            [f"{json.dumps(k)}: {lined(v, depth - 1)}" for k, v in value.items()]
            if isinstance(value, dict)
            else [lined(v, depth - 1) for v in value]
        )
        return "{[ "[isinstance(value, list)] + "\n" + ",\n".join(parts) + "\n" + "}] "[isinstance(value, list)]
    return json.dumps(value, ensure_ascii=False)


def test_the_embedded_data_is_the_golden_data(page: str) -> None:
    """To accept a change: UPDATE_GOLDEN=1 pytest tests/test_dashboard.py"""
    charts = {c["name"]: {k: v for k, v in c.items() if k != "spec"} for c in island(page, "charts")}  # specs are files of their own
    found = {"tables": island(page, "tables"), "curves": island(page, "curves"), "charts": charts}
    text = lined(found, 3) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
    assert json.loads(text) == found


def test_every_number_of_the_table_and_the_headline_has_an_origin(page: str) -> None:
    tables = island(page, "tables")
    numbers = {key for key, _, kind, *_ in tables["columns"] if kind == "number"}
    cells = [(r["name"], key, cell) for r in tables["runs"] for key, cell in r["cells"].items()]
    assert [(name, key) for name, key, c in cells if key in numbers and len(c) < 3 and c[1] != "baseline"] == []
    assert [(name, key) for name, key, c in cells if len(c) > 2 and not tables["origins"][c[2]][1]] == []
    head = page[page.index('<section id="headline"') : page.index('id="confounds"')]
    assert re.findall(r'<p class="big">(?!<button type="button" class="number" data-o="\d+")(.*?)</p>', head) == ["n = 1"]
    said = dict(re.findall(r'data-o="(\d+)" data-what="(.*?)"', head))
    for origin, what in said.items():
        assert tables["origins"][int(origin)][1], what


def test_every_file_that_the_page_names_as_a_source_is_known_to_its_script(page: str) -> None:
    named = {html.unescape(path) for path in re.findall(r'data-path="(.*?)"', page)}
    assert named and named <= set(island(page, "tables")["paths"])


def test_cells_are_the_reports_numbers(page: str, built: Path) -> None:
    tables = island(page, "tables")
    runs = {r["run"]: r for r in json.loads((built / "summary.json").read_text())["runs"]}
    assert {r["name"] for r in tables["runs"]} == set(runs)
    for r in tables["runs"]:
        known = runs[r["name"]]
        value, text, origin = r["cells"]["best"]
        assert (value, text) == (known["best"]["val_loss"], known["best"]["logged"])
        _, points = tables["origins"][origin]
        assert [tables["paths"][points[0][0]], points[0][1]] == [known["best"]["source"], known["best"]["line"]]
        assert r["cells"]["last"][0] == known["last"]["val_loss"]
        if known["throughput"]:
            assert r["cells"]["rate"][0] == known["throughput"]["steps_per_s"]


def test_curves_are_exactly_the_points_of_the_database(page: str, report: Store) -> None:
    tables, curves = island(page, "tables"), island(page, "curves")
    count = 0
    for s in curves["series"]:
        run, metric = tables["runs"][s["r"]]["id"], curves["metrics"][s["m"]]
        n = len(s["v"])
        files = [tables["paths"][p] for p, times in s["f"] for _ in range(times)]
        shown = list(zip(undone(s.get("s"), n), s["v"], undone(s.get("l"), n), files, strict=True))
        assert n == s["n"]
        rows = report.run("SELECT step, value, line, source FROM points WHERE run = ? AND metric = ? ORDER BY step", [run, metric])
        assert set(shown) <= set(rows)
        assert {(step, value) for step, value, _, _ in shown} == {(step, value) for step, value, _, _ in rows}
        count += n
    assert (
        count == report.run("SELECT count(DISTINCT (run, metric, step)) FROM points WHERE step IS NOT NULL AND metric <> 'best/loss'")[0][0]
    )


def test_a_cited_line_is_in_the_page(page: str) -> None:
    tables = island(page, "tables")
    texts = {(path, line): text for path, line, text in tables["lines"]}
    best = next(r for r in tables["runs"] if r["base"])["cells"]["best"]
    path, line, _ = tables["origins"][best[2]][1][0]
    assert "val_loss=4.5524" in texts[path, line]


def long_log(tmp_path: Path, runs: int, points: int) -> Path:
    for r in range(runs):
        lines = [f"step {i}/{points} train_loss={5 - i / points + (i * 7919 % 101) / 500:.4f}\n" for i in range(1, points + 1)]
        (tmp_path / f"run{r}.log").write_text("".join(lines))
    return tmp_path


def test_a_thinned_curve_keeps_every_buckets_minimum_and_maximum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ngt_report.page.curves.ROOM", 1000)
    (tmp_path / "in").mkdir()
    folder = build(Request((str(long_log(tmp_path / "in", 2, 3000)),), out=str(tmp_path / "out"))).folder
    curves = island((folder / "dashboard.html").read_text(), "curves")
    for s in curves["series"]:
        steps = undone(s["s"], len(s["v"]))
        assert s["n"] == 3000 and len(s["v"]) < 500
        full = {i: round(5 - i / 3000 + (i * 7919 % 101) / 500, 4) for i in range(1, 3001)}
        assert dict(zip(steps, s["v"], strict=True)).items() <= full.items()
        assert min(s["v"]) == min(full.values()) and max(s["v"]) == max(full.values())
        assert (steps[0], steps[-1]) == (1, 3000)
        for low in range(1, 3001, 300):  # a window that spans several buckets shows its own lowest and highest
            window = [v for i, v in full.items() if low + 32 <= i < low + 268]
            shown = [v for i, v in zip(steps, s["v"], strict=True) if low <= i < low + 300]
            assert min(shown) <= min(window) and max(shown) >= max(window)


# -- when it is written -----------------------------------------------------------------------------------------------
def test_the_page_has_the_same_bytes_at_any_number_of_threads(built: Path, tmp_path: Path) -> None:
    for threads in (1, 4):
        folder = build(Request((str(LOGS),), out=str(tmp_path / str(threads) / "w3_25m"), threads=threads)).folder
        assert (folder / "dashboard.html").read_bytes() == (built / "dashboard.html").read_bytes()


def test_no_dashboard_writes_none_and_removes_ours_only(tmp_path: Path) -> None:
    folder = build(Request((str(LOGS),), out=str(tmp_path / "a"))).folder
    assert (folder / "dashboard.html").is_file()
    build(Request((str(LOGS),), out=str(tmp_path / "a"), dashboard=False))
    assert not (folder / "dashboard.html").exists()
    build(Request((str(LOGS),), out=str(tmp_path / "a")))
    (folder / "dashboard.html").write_text("<!-- written by ngtreport --> and edited")
    build(Request((str(LOGS),), out=str(tmp_path / "a"), dashboard=False))
    assert "edited" in (folder / "dashboard.html").read_text()


def test_a_page_that_is_not_ours_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "dashboard.html").write_text("<h1>mine</h1>")
    with pytest.raises(ReportError, match=r"dashboard\.html exists and was not written by ngtreport"):
        build(Request((str(LOGS),), out=str(tmp_path)))


def test_a_build_imports_no_charting_library(tmp_path: Path) -> None:
    code = (
        "import sys; from ngt_report.build import Request, build; build(Request((sys.argv[1],), out=sys.argv[2]));"
        "print([m for m in ('altair', 'pandas', 'plotly', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(LOGS), str(tmp_path / "out")], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
