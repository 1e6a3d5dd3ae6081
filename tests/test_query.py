"""query and export: what comes out of the database, and that nothing goes in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import ngt_report
from ngt_report.build import Request, build
from ngt_report.commands import cli
from ngt_report.engine import Error
from ngt_report.store import Store

Run = Callable[..., Result]


def test_query_answers_as_table_csv_and_json(run: Run) -> None:
    sql = "SELECT name, seed, 'nan'::DOUBLE AS odd, '=1+1' AS formula, NULL AS nothing FROM runs ORDER BY name LIMIT 2"
    rows = json.loads(run("query", sql, "--json").stdout)
    assert [(r["odd"], r["formula"], r["nothing"]) for r in rows] == [(None, "=1+1", None)] * 2
    assert list(csv.reader(io.StringIO(run("query", sql, "--csv").stdout)))[2] == ["screen_ngt_default", "42", "nan", "'=1+1", ""]
    assert run("query", sql).stdout.splitlines()[0].split() == ["name", "seed", "odd", "formula", "nothing"]


def test_limit_cuts_and_says_so(run: Run) -> None:
    result = run("query", "SELECT * FROM range(1000)", "--limit", 3)
    assert len(result.stdout.splitlines()) == 4
    assert "the first 3 rows" in result.stderr
    assert len(run("query", "SELECT * FROM range(1000)", "--csv").stdout.splitlines()) == 1001


@pytest.mark.parametrize(
    "sql",
    [
        "COPY runs TO '{there}'",
        "EXPLAIN ANALYZE COPY runs TO '{there}'",
        "EXPORT DATABASE '{there}'",
        "ATTACH '{there}' AS other",
        "ATTACH ':memory:' AS other",
        "DETACH report",
        "USE memory",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET threads = 1",
        "RESET threads",
        "PRAGMA threads = 1",
        "CALL pragma_version()",
        "CREATE TABLE x (a INTEGER)",
        "CREATE TABLE memory.x (a INTEGER)",
        "CREATE TEMP TABLE x AS SELECT 1",
        "CREATE SECRET (TYPE s3)",
        "DROP TABLE runs",
        "DELETE FROM runs",
        "INSERT INTO runs (run) VALUES ('a')",
        "UPDATE runs SET name = 'a'",
        "BEGIN",
        "CHECKPOINT",
        "SELECT 1; DROP TABLE runs",
        "SELECT * FROM read_csv('{here}')",
        "SELECT * FROM read_text('{here}')",
        "SELECT * FROM read_blob('{here}')",
        "SELECT * FROM '{here}'",
        "SELECT * FROM glob('{here}')",
        "SELECT * FROM sniff_csv('{here}')",
        "SELECT * FROM read_parquet('https://example.org/a.parquet')",
        "SELECT * FROM store",
        "SELECT nam FROM runs",
        "SELEC 1",
        "",
    ],
)
def test_query_only_reads_the_report(run: Run, tmp_path: Path, write: Callable[[str, str], Path], sql: str) -> None:
    here, there = write("here.csv", "a,b\n1,2\n"), tmp_path / "there"
    result = run("query", sql.format(here=here, there=there))
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("Error: ")
    assert not there.exists()


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_export_writes_every_point_once_and_not_over_another_file(run: Run, tmp_path: Path, form: str) -> None:
    import duckdb

    out = tmp_path / f"points.{form}"
    assert run("export", "-o", out).exit_code == 0
    read = {"csv": duckdb.read_csv, "json": duckdb.read_json, "parquet": duckdb.read_parquet}[form]
    found = read(str(out)).aggregate("count(*), sum(value)").fetchall()[0]
    (known,) = json.loads(run("query", "SELECT count(*) AS n, sum(value) AS s FROM points", "--json").stdout)
    assert found == (known["n"], pytest.approx(known["s"]))
    again = run("export", "-o", out)
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert run("export", "-o", out, "--force").exit_code == 0
    assert [p.name for p in tmp_path.iterdir()] == [out.name]  # no temporary file stays


def test_export_protects_text_cells_and_writes_null_for_nan(tmp_path: Path, write: Callable[[str, str], Path]) -> None:
    write("logs/=1+1.log", "step 1/2 val_loss=4.5\nstep 2/2 val_loss=nan\n")
    write("logs/@x.log", "step 1/2 val_loss=4.5\nstep 2/2 val_loss=4.0\n")
    out = str(tmp_path / "out")
    assert CliRunner().invoke(cli, ["build", str(tmp_path / "logs"), "-o", out]).exit_code == 0
    rows = list(csv.DictReader(io.StringIO(CliRunner().invoke(cli, ["export", out, "--csv"]).stdout)))
    assert {r["run"] for r in rows} == {"'=1+1", "'@x"}
    lines = CliRunner().invoke(cli, ["export", out, "--json"]).stdout.splitlines()
    assert {json.loads(line)["value"] for line in lines} == {4.5, 4.0, None}


def test_export_of_another_table_and_usage(run: Run, tmp_path: Path) -> None:
    names = [json.loads(line)["name"] for line in run("export", "--json", "--table", "runs").stdout.splitlines()]
    assert "screen_vanilla_25m" in names
    assert "did you mean 'points'" in run("export", "--json", "--table", "point").stderr
    assert run("export").exit_code == 2
    assert run("export", "--parquet").exit_code == 2
    assert run("export", "-o", tmp_path / "none" / "a.csv").exit_code == 3


def test_a_locked_or_missing_database_is_one_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "report.duckdb").write_bytes(b"not a database" * 1000)
    broken = run("query", "SELECT 1", "--dir", tmp_path)
    assert broken.exit_code == 3
    assert len(broken.stderr.splitlines()) == 1


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A report whose relations are views of a file beside it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.log").write_text("step 1/2 val_loss=4.5\nstep 2/2 val_loss=4.0\n")
    (tmp_path / "secret").write_text("a key\n")
    build(Request(("a.log",), out="r", dashboard=False))
    theirs = Store("r/report.duckdb")
    for name in ("findings", "runs"):
        theirs.run(f"DROP {'VIEW' if name in theirs_views(theirs) else 'TABLE'} {name}")
        theirs.run(f"CREATE VIEW {name} AS SELECT content AS run, content AS name, content AS text FROM read_text('{tmp_path}/secret')")
    theirs.close()
    return tmp_path


def theirs_views(store: Store) -> set[str]:
    return {name for (name,) in store.run("SELECT view_name FROM duckdb_views() WHERE NOT internal")}


@pytest.mark.parametrize("command", [
    ("export", "r", "--table", "findings", "--csv"), ("export", "r", "--table", "findings", "--json", "-o", "out"),
    ("export", "r", "--table", "findings", "--parquet", "-o", "out"), ("query", "SELECT * FROM findings", "--dir", "r"),
    ("compare", "a", "a", "--dir", "r"), ("trace", "a:best", "--dir", "r"), ("show", "r", "--diff-only"),
    ("handoff", "a.log", "--dir", "r"),
])  # fmt: skip
def test_a_database_that_is_only_read_reaches_no_file(planted: Path, command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, list(command))
    assert result.exit_code != 0 and "a key" not in result.stdout
    assert "Permission Error" in result.stderr and len(result.stderr.splitlines()) == 1
    assert not (planted / "out").exists()


def test_a_report_that_is_opened_in_python_reaches_no_file(planted: Path) -> None:
    with ngt_report.load("r") as report, pytest.raises(Error, match="Permission Error"):
        report.sql("SELECT * FROM findings")


def test_parquet_goes_to_its_own_file_and_nowhere_else(run: Run, tmp_path: Path) -> None:
    there = tmp_path / "it's.parquet"
    assert run("export", "--table", "runs", "-o", there).exit_code == 0
    assert run("export", "--table", "runs", "-o", there, "--force").exit_code == 0
    assert [p.name for p in tmp_path.iterdir()] == [there.name] and there.read_bytes()[:4] == b"PAR1"
    missing = run("export", "--table", "runs", "-o", tmp_path / "no" / "a.parquet")
    assert missing.stderr.endswith("a.parquet cannot be written: no such file or directory; give -o another place\n")
