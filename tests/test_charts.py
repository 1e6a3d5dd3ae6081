"""The comparison charts: their numbers are the metrics', their specifications Altair's, their files pictures."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from ngt_report import charts
from ngt_report.build import Request, build
from ngt_report.errors import ReportError, UsageError
from ngt_report.grouping import shared_name
from ngt_report.page import marks
from ngt_report.reports import database
from ngt_report.store import Store, sql
from tests.pagedata import island

TOP = Path(__file__).parents[1]
LRS, WIDTHS, SEEDS = (0.001, 0.002, 0.004), (64, 128), (11, 12)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Store]]:
    """A report of a sweep over learning rate, width and seed, and its database."""
    folder = tmp_path_factory.mktemp("sweep") / "in"
    folder.mkdir()
    for lr in LRS:
        for width in WIDTHS:
            for seed in SEEDS:
                write_run(folder, lr, width, seed)
    made = build(Request((str(folder),), out=str(folder.parent / "out"))).folder
    store = database(made)
    charts.prepare(store)
    yield made, store
    store.close()


def loss_of(lr: float, width: int, seed: int) -> float:
    return round(4 + 100 * lr - width / 1000 + seed / 100, 4)


def write_run(folder: Path, lr: float, width: int, seed: int) -> None:
    name = f"w{width}_lr{lr}_s{seed}"
    shared = {"kind": "eval", "run": name, "segment": 0, "ts": "2026-03-02T09:00:00Z", "segment_elapsed_s": 0.0}
    said = {"schema": 1, "total_steps": 400, "seed": seed, "model": "ngt", "flags": [], "config": {"learning_rate": lr, "hidden": width}}
    start = {**shared, "kind": "run_start", "seq": 0, "step": 0, "tokens": 0, "elapsed_s": 0.0, **said}
    rows = [start]
    for i in range(1, 5):
        loss = loss_of(lr, width, seed) + (4 - i) * 0.5
        rows.append({**shared, "seq": i, "step": i * 100, "tokens": i * 6400, "elapsed_s": i * width / 8, "val/loss": loss})
    rows.append(
        {
            **shared,
            "kind": "run_end",
            "seq": 5,
            "step": 400,
            "tokens": 25600,
            "elapsed_s": 4 * width / 8,
            "status": "finished",
            "reason": None,
        }
    )
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))


def rows(store: Store, name: str) -> list[dict[str, Any]]:
    return charts.rows_of(store, name)


# -- the numbers ------------------------------------------------------------------------------------------------------
def test_best_against_last_is_the_metric(sweep: tuple[Path, Store]) -> None:
    known = sweep[1].run("SELECT run, best_loss, last_loss FROM best_last ORDER BY best_loss, run")
    assert [(r["id"], r["x"], r["x2"]) for r in rows(sweep[1], "best_last")] == known


def test_bars_at_the_common_step_are_means_over_seeds_with_their_intervals(sweep: tuple[Path, Store]) -> None:
    known = sweep[1].run("SELECT mean_loss, mean_loss - ci95_loss, mean_loss + ci95_loss, n FROM seeds WHERE n > 1 ORDER BY mean_loss")
    assert [(r["x"], r["low"], r["high"], r["n"]) for r in rows(sweep[1], "fixed_step")] == known
    assert len(known) == 6


def test_a_bar_of_several_runs_is_called_by_what_their_names_share(sweep: tuple[Path, Store]) -> None:
    names = dict(sweep[1].run("SELECT run, name FROM runs"))
    for row in rows(sweep[1], "fixed_step"):
        shared, n = re.fullmatch(r"(.+) \(n = (\d+)\)", row["run"]).groups()  # type: ignore[union-attr]
        assert int(n) == len(row["ids"]) and all(names[run].startswith(shared) for run in row["ids"])


@pytest.mark.parametrize(
    ("names", "shared"),
    [(["a_s1", "a_s2"], "a"), (["lr=1 seed=1", "lr=1 seed=2"], "lr=1"), (["x", "y"], ""), (["mass1", "mass2"], "mass"), (["a"], "a")],
)
def test_the_shared_name_is_without_what_says_the_seed(names: list[str], shared: str) -> None:
    assert shared_name(names) == shared


def test_throughput_is_the_metric(sweep: tuple[Path, Store]) -> None:
    assert {r["id"]: r["x"] for r in rows(sweep[1], "throughput")} == dict(sweep[1].run("SELECT run, steps_per_s FROM throughput"))


def test_the_front_holds_exactly_the_runs_that_none_beats_in_both(sweep: tuple[Path, Store]) -> None:
    found = rows(sweep[1], "front")
    beaten = {a["id"] for a in found for b in found if (b["x"] >= a["x"] and b["y"] < a["y"]) or (b["x"] > a["x"] and b["y"] <= a["y"])}
    assert {r["id"] for r in found if not r["front"]} == beaten and len(beaten) == 10


def test_time_to_target_is_the_metric(built: Path) -> None:
    store = database(built)
    charts.prepare(store)
    known = store.run("SELECT run, seconds, steps, reached FROM time_to_target ORDER BY ALL")
    assert sorted(((r["id"], r["x"], r["step"], r["reached"]) for r in rows(store, "target")), key=str) == sorted(known, key=str)
    store.close()


def test_an_effect_is_the_mean_over_pairs_that_differ_in_nothing_else(sweep: tuple[Path, Store]) -> None:
    found = {r["run"]: (round(r["x"], 9), round(r["low"], 9), round(r["high"], 9), r["n"]) for r in rows(sweep[1], "effects")}
    assert found == {
        "hidden: 128 → 64": (0.064, 0.064, 0.064, 6),
        "learning_rate: 0.001 → 0.002": (0.1, 0.1, 0.1, 4),
        "learning_rate: 0.001 → 0.004": (0.3, 0.3, 0.3, 4),
        "learning_rate: 0.002 → 0.004": (0.2, 0.2, 0.2, 4),
    }


def test_the_heat_map_has_the_lowest_loss_of_each_cell(sweep: tuple[Path, Store]) -> None:
    found = {(float(r["x"]), float(r["y"])): (r["value"], r["n"]) for r in rows(sweep[1], "heat")}
    assert found == {(width, lr): (loss_of(lr, width, 11), 2) for lr in LRS for width in WIDTHS}
    assert {(r["x_title"], r["y_title"]) for r in rows(sweep[1], "heat")} == {("hidden", "learning_rate")}


def test_parallel_axes_run_from_lowest_to_highest_linear_and_logarithmic(sweep: tuple[Path, Store]) -> None:
    found = rows(sweep[1], "parallel")
    rates = {r["value"]: (round(r["lin"], 6), round(r["log"], 6)) for r in found if r["key"] == "learning_rate"}
    assert rates == {"0.001": (0, 0), "0.002": (0.333333, 0.5), "0.004": (1, 1)}
    assert {r["key"]: r["turn"] for r in found} == {"hidden": 1, "learning_rate": 2, "best loss": 3}
    best = min((r for r in found if r["key"] == "best loss"), key=lambda r: r["lin"])
    assert (best["lin"], best["place"], float(best["value"])) == (0, 1, loss_of(0.001, 128, 11))


def test_a_setting_that_repeats_the_name_of_the_model_is_shown_once(tmp_path: Path) -> None:
    for model in ("vanilla", "ngt"):
        head = f"Namespace(model='{model}', variant='{model}', arch_kind='{model[:1]}', n_layer=8, lr=0.1)\n"
        curve = [f"step {s}/300 val_loss={5 - s / 1000 - len(model) / 100:.4f} elapsed={s}.0s\n" for s in (100, 200, 300)]
        (tmp_path / f"{model}.log").write_text(head + "".join(curve))
    store = database(build(Request((str(tmp_path),), out=str(tmp_path / "out"), dashboard=False)).folder)
    charts.prepare(store)
    assert store.run("SELECT DISTINCT key FROM settings ORDER BY key") == [("arch_kind",), ("model",)]
    store.close()


def test_what_a_run_does_not_record_is_no_equal_setting(built: Path) -> None:
    store = database(built)
    charts.prepare(store)
    assert not any(r["run"].startswith("model") for r in rows(store, "effects"))  # vanilla lacks settings that the others record
    store.close()


# -- the page ---------------------------------------------------------------------------------------------------------
def compared_rows(folder: Path, store: Store) -> set[str]:
    """Hold the rows of every chart in the page against its query; returns the charts' names."""
    page = (folder / "dashboard.html").read_text(encoding="utf-8")
    runs = [r["id"] for r in island(page, "tables")["runs"]]
    shown = {c["name"]: c for c in island(page, "charts")}
    for name, chart in shown.items():
        known = rows(store, name)
        for row in known:
            if "id" in row:
                row["i"] = runs.index(row.pop("id"))
            if "ids" in row:
                row["is"] = [runs.index(run) for run in row.pop("ids")]
        assert chart["rows"] == known, name
    return set(shown)


def test_the_page_holds_exactly_the_rows_of_the_queries(sweep: tuple[Path, Store], built: Path) -> None:
    on_page = set(charts.chart_names()) - {charts.NOT_ON_PAGE}
    assert compared_rows(*sweep) == on_page - {"target"}  # without a baseline there is no target
    store = database(built)
    charts.prepare(store)
    assert compared_rows(built, store) == on_page - {"heat"}  # its settings have two values each
    store.close()


def test_every_row_that_the_page_shows_leads_to_its_runs(sweep: tuple[Path, Store]) -> None:
    columns = {c[0] for c in island((sweep[0] / "dashboard.html").read_text(encoding="utf-8"), "tables")["columns"]}
    for name in charts.chart_names():
        assert set(charts.header(name)["source"].split()) <= columns, name
        assert all(row.get("id") or row.get("ids") for row in rows(sweep[1], name)), name


@pytest.mark.parametrize(("names", "short"), [
    (["a", "b"], ["a", "b"]),
    (["none sigmoid lr=0.00468 800 steps seed=7", "gate sigmoid lr=0.00396 800 steps seed=7"], ["none lr=0.00468", "gate lr=0.00396"]),
    (["a_very_long_name_of_a_run_in_a_sweep#row1", "a_very_long_name_of_a_run_in_a_sweep#row2"], ["row1", "row2"]),
    (["a_very_long_name_of_a_run_in_a_sweep", "a_very_long_name_of_a_run_in_a_sweep_b"], None),
    (["only_one_name_but_that_one_is_a_very_long_name"], None),
])  # fmt: skip
def test_long_names_lose_the_words_that_all_of_them_have(names: list[str], short: list[str] | None) -> None:
    assert list(charts.labels(names).values()) == (short or names)


def test_every_chart_has_its_header_and_a_mark() -> None:
    for name in charts.chart_names():
        most = charts.header(name).get("most")
        assert set(charts.header(name)) - {"most"} == set(charts.HEADER), name
        assert most is None or f"place <= {most}\n" in sql(f"charts/{name}.sql").replace(" AND", "\n"), name
        assert charts.header(name)["mark"] in marks.MARKS
        assert sql(f"charts/{name}.sql").count("\n") <= 80


def test_a_chart_says_that_it_shows_the_best_only_where_it_leaves_some_out(sweep: tuple[Path, Store]) -> None:
    store = sweep[1]
    names = {run: i for i, (run,) in enumerate(store.run("SELECT run FROM runs"))}
    for sets, said in (([30], False), ([31], True), ([20, 10], True), ([], True)):
        notes = {chart["name"]: chart["note"] for chart in charts.page_charts(store, names, sets)}
        assert notes["throughput"].endswith(". The 30 best of the largest compared set") == said, sets
        assert notes["front"] == charts.header("front")["note"]


def test_every_chart_is_documented() -> None:
    said = (TOP / "docs" / "dashboard.md").read_text(encoding="utf-8")
    assert [n for n in charts.chart_names() if f"| `{n}` | {charts.header(n)['title']} |" not in said] == []


@pytest.mark.parametrize("mark", marks.MARKS)
def test_a_specification_is_what_altair_makes(mark: str) -> None:
    assert (marks.HERE / f"{mark}.json").read_text(encoding="utf-8") == marks.text_of(mark)


@pytest.mark.parametrize("mark", marks.MARKS)
def test_fields_of_a_specification_are_columns_of_its_charts(mark: str, sweep: tuple[Path, Store]) -> None:
    used = set(re.findall(r'"field": "(\w+)"', marks.text_of(mark))) - {"run", "keep"}
    used -= set(re.findall(r'"as": "(\w+)"', marks.text_of(mark)))
    for name in charts.chart_names():
        found = rows(sweep[1], name)
        if charts.header(name)["mark"] == mark and found:
            assert used <= set(found[0]), name


# -- files ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [n for n in charts.chart_names() if n != "target"])
def test_a_chart_is_saved_as_svg_with_its_title_and_runs(name: str, sweep: tuple[Path, Store], tmp_path: Path) -> None:
    assert charts.export(sweep[1], name, tmp_path / "a.svg", False) == len(rows(sweep[1], name))
    root = ET.fromstring((tmp_path / "a.svg").read_text())
    text = " ".join(root.itertext())
    assert charts.header(name)["title"] in text and "NaN" not in text
    assert abs(float(root.get("width", "0")) - charts.WIDTH * charts.POINTS) < 20


def test_a_png_has_300_dots_an_inch(sweep: tuple[Path, Store], tmp_path: Path) -> None:
    charts.export(sweep[1], "heat", tmp_path / "a.png", False, width=3.3)
    data = (tmp_path / "a.png").read_bytes()
    assert data.startswith(b"\x89PNG") and abs(int.from_bytes(data[16:20], "big") - 3.3 * charts.DPI) < 60


def test_a_chart_of_hostile_names_is_drawn_and_fetches_nothing(tmp_path: Path) -> None:
    names = ["</script><svg onload=x>", "datum.x", "a.b['c']", "http://127.0.0.1:9/x.png", "\\\\\"'", "'+alert(1)+'"]
    text = "".join(json.dumps({"run": n, "steps": 100, "val_loss": 4 + i / 10, "lr": n}) + "\n" for i, n in enumerate(names))
    (tmp_path / "s.jsonl").write_text(text)
    store = database(build(Request((str(tmp_path / "s.jsonl"),), out=str(tmp_path / "out"))).folder)
    charts.export(store, "best_last", tmp_path / "a.svg", False)
    shown = " ".join(ET.fromstring((tmp_path / "a.svg").read_text()).itertext())
    assert [n for n in names if n not in shown] == []
    store.close()


def test_wrong_names_places_and_charts_without_rows_are_said(sweep: tuple[Path, Store], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ends in neither \.svg nor \.png"):
        charts.export(sweep[1], "heat", tmp_path / "a.pdf", False)
    with pytest.raises(UsageError, match="there is no chart 'hat'"):
        charts.export(sweep[1], "hat", tmp_path / "a.svg", False)
    with pytest.raises(ReportError, match="the chart target has nothing to show"):
        charts.export(sweep[1], "target", tmp_path / "a.svg", False)
    (tmp_path / "a.svg").write_text("mine")
    with pytest.raises(UsageError, match="exists; give another name"):
        charts.export(sweep[1], "heat", tmp_path / "a.svg", False)
    assert (tmp_path / "a.svg").read_text() == "mine"


def test_the_command_lists_and_saves(run: Callable[..., Result], tmp_path: Path) -> None:
    assert run("chart").stdout.splitlines()[0] == "best_last\tBest against last validation loss"
    done = run("chart", "best_last", "-o", tmp_path / "a.svg")
    assert (done.exit_code, done.stdout) == (0, f"{tmp_path}/a.svg\n")
    assert "the chart best_last shows 6 rows" in done.stderr
    assert run("chart", "best_last").exit_code == 2
