"""What is left out because nothing is there to compute would have given nothing."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from random import Random
from typing import get_args, get_type_hints

import pytest

from ngt_report import points, present, queries, sources, tailor, waist
from ngt_report.build import Request, build
from ngt_report.store import Store, sql
from tests.conftest import LOGS
from tests.faults import FAULTS, healthy

SKIPPABLE = [n for n in queries.metric_names() if "columns" in queries.header(n)]


def made(logs: Path, out: Path) -> dict[str, object]:
    """The rows of all findings and of all metrics, and what Summary.md says."""
    build(Request((str(logs),), out=str(out), dashboard=False))
    store = Store(str(out / "report.duckdb"), read_only=True)
    try:
        rows = {n: str(store.run(f"FROM {n} ORDER BY ALL")) for n in ("findings", *queries.metric_names())}  # NaN equals NaN
    finally:
        store.close()
    return {**rows, "Summary.md": (out / "Summary.md").read_text(encoding="utf-8")}


def with_all(logs: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The same when nothing is left out, of statements or of their parts; where curves lie stays as it is."""
    with monkeypatch.context() as patch:
        patch.setattr(tailor, "_there", lambda what, present: what in present if what.endswith(" curves") else True)
        return made(logs, out)


def test_of_the_sample_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert made(LOGS, tmp_path / "a") == with_all(LOGS, tmp_path / "b", monkeypatch)


def test_of_no_fault_a_finding_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, (_, plant) in list(FAULTS.items())[::3]:  # test_audit.py finds each of them by itself
        dice = Random(name)
        project = healthy(dice)
        plant(project, dice.choice(project.curves), dice)
        logs = project.write(tmp_path / name / "in")
        assert made(logs, tmp_path / name / "a") == with_all(logs, tmp_path / name / "b", monkeypatch), name


@pytest.mark.parametrize("text", ["step:5/9 train_loss:3.5\nstep:9/9 train_loss:3.1\n", "", "just words\n"])
def test_of_a_thin_log_nothing_is_lost(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.log").write_text(text)
    assert made(logs, tmp_path / "a") == with_all(logs, tmp_path / "b", monkeypatch)


def test_a_part_stands_where_one_of_its_words_is_present_and_may_hold_others() -> None:
    text = "a\n-- with x | y:\nb\n  -- with z:\n  c\n  -- else:\n  d\n  -- end\n-- end\ne\n"
    assert tailor.tailored(text, {"y"}).split() == ["a", "b", "d", "e"]
    assert tailor.tailored(text, {"x", "z"}).split() == ["a", "b", "c", "e"]
    assert tailor.tailored(text, {"z"}).split() == ["a", "e"]


def test_a_metric_without_rows_has_the_columns_that_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "applies", lambda text, present: True)
    build(Request((str(LOGS),), out=str(tmp_path), dashboard=False))
    store = Store(str(tmp_path / "report.duckdb"), read_only=True)
    try:
        for name in SKIPPABLE:
            assert ", ".join(f"{n} {t}" for n, t, *_ in store.run(f"DESCRIBE {name}")) == queries.header(name)["columns"], name
    finally:
        store.close()


def test_a_metric_that_may_be_left_out_says_its_columns() -> None:
    for name in queries.metric_names():
        assert ("-- when: " in sql(f"metrics/{name}.sql")) == ("columns" in queries.header(name)), name


STATEMENTS = sorted((Path(queries.__file__).parent / "sql").rglob("*.sql"))


def words_of(text: str) -> list[str]:
    lines = [value for key, value in tailor.headers(text) if key == "when"] + re.findall(r"(?m)^\s*-- with (.+):$", text)
    return [word for line in lines for word in line.split(" | ")]


def test_statements_ask_for_words_that_somebody_says() -> None:
    columns = [c for name in present.QUERIES for c in re.findall(r'AS "([^"]+)"', sql(f"staging/{name}.sql"))]
    by_run = re.findall(r'(?m)^        "([a-z ]+)": ', inspect.getsource(present._of_run))
    known = {*present.WORDS, *columns, *by_run}
    formats, kinds = {f.name for f in sources.formats()}, get_args(get_type_hints(waist.Trial)["kind"])
    for path in STATEMENTS:
        for word in words_of(path.read_text(encoding="utf-8")):
            prefix = next((p for p in (*present.PREFIXES, *columns) if word.startswith(p + " ")), None)
            assert word in known or prefix, f"{path.name}: {word}"
            name = word.removeprefix(f"{prefix} ")
            assert prefix != "format" or name in formats, f"{path.name}: {word}"
            assert prefix != "kind" or name in kinds, f"{path.name}: {word}"


@pytest.mark.parametrize(
    ("name", "prefix"), [("changed", "two values of "), ("changed_printed", "metric "), ("settings", "two values of ")]
)
def test_a_finding_that_lists_names_waits_for_these(name: str, prefix: str) -> None:
    text = sql(f"findings/{name}.sql")
    listed = re.search(r"(?:key|metric) IN \(([^)]+)\)", text)
    assert listed
    assert {word.removeprefix(prefix) for word in words_of(text)} - {"config.*"} == set(re.findall(r"'(\w+)'", listed[1]))


def test_a_line_of_a_header_goes_on_in_indented_comments() -> None:
    text = "-- title: a\n-- when: x |\n--   y |\n--   z\n-- not of it\nSELECT 1 -- grain: no\n"
    assert tailor.headers(text) == [("title", "a"), ("when", "x | y | z")]
    assert tailor.applies(text, {"z"}) and not tailor.applies(text, {"x |"})


def test_a_header_that_lacks_a_line_is_told_with_its_file() -> None:
    with pytest.raises(ValueError, match=r"sql/metrics/lost\.sql has no line `-- unit: \.\.\.`"):
        tailor.header("-- title: what was lost\nSELECT 1", queries.HEADER, "sql/metrics/lost.sql")


def test_parts_of_statements_end() -> None:
    for path in STATEMENTS:
        text = path.read_text(encoding="utf-8")
        assert "-- with " not in tailor.tailored(text, {*words_of(text)}), path.name
    with pytest.raises(ValueError, match="has no `-- end`"):
        tailor.tailored("a\n-- with x:\nb\n", {"x"})


def test_a_curve_is_long_from_one_length_on() -> None:
    lengths = {n for path in STATEMENTS for n in re.findall(r"\bn(?:_val|_train)? >= (\d{3,})", path.read_text(encoding="utf-8"))}
    assert lengths == {str(points.LONG_BLOCK)}
