"""Tables of long curves: what is the same on all their lines is no column, and no point differs for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ngt_report import wide
from ngt_report.build import Request, build
from ngt_report.store import Store

LINES = 700
TOP = Path(__file__).parent.parent
LOGS = {
    "even": "step {i} train_loss={v:.4f} val_loss={v:.3f} elapsed={i}.5s\n",
    "again": "step {i} train_loss={v:.4f} val_loss={v:.3f} elapsed={i}.5s\n",
    "no_clock": "step {i} train_loss={v:.4f} val_loss={v:.3f}\n",
    "other_decimals": "step {i} train_loss={v:.2f} val_loss={v:.3f}\n",
    "tokens": "step {i} train_loss={v:.4f} val_loss={v:.3f} tokens={tokens} elapsed={i}.5s\n",
    "uneven": "step {i} train_loss={v} val_loss={v:.3f}\n",
}


def write(folder: Path) -> Path:
    folder.mkdir()
    for name, form in LOGS.items():
        lines = [form.format(i=i, v=4 - round(i / 1000, 3), tokens=i * 512) for i in range(1, LINES)]
        (folder / f"{name}.log").write_text("".join(lines), encoding="utf-8")
    twice = "".join(LOGS["even"].format(i=i, v=3 - i / 1000) for i in range(1, LINES))
    (folder / "twice.log").write_text(twice + twice, encoding="utf-8")
    return folder


def read(report: Path, text: str) -> list[tuple[Any, ...]]:
    store = Store(str(report / "report.duckdb"), read_only=True)
    try:
        return store.run(text)
    finally:
        store.close()


POINTS = """
SELECT s.path, trial, segment, step, metric, value, decimals, elapsed_s, tokens, line
FROM raw_points AS p JOIN sources AS s ON s.id = p.source ORDER BY ALL
"""


def test_lines_lie_with_what_they_have_and_read_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = write(tmp_path / "logs")
    build(Request((str(logs),), out=str(tmp_path / "own"), dashboard=False))
    monkeypatch.setattr(wide, "FEW_TABLES", 0)  # every table has every column
    build(Request((str(logs),), out=str(tmp_path / "loose"), dashboard=False))
    assert read(tmp_path / "own", POINTS) == read(tmp_path / "loose", POINTS)
    for name in ("Summary.md", "results.csv", "summary.json"):
        assert (tmp_path / "own" / name).read_bytes() == (tmp_path / "loose" / name).read_bytes()
    layouts = {layout for (layout,) in read(tmp_path / "own", "SELECT layout FROM wide_tables")}
    assert '[["train/loss", "val/loss"], [4, 3], ["elapsed_s"]]' in layouts
    assert '[["train/loss", "val/loss"], [4, 3], []]' in layouts
    assert '[["train/loss", "val/loss"], [2, 3], []]' in layouts
    assert '[["train/loss", "val/loss"], ["each", 3], []]' in layouts
    assert '[["train/loss", "val/loss"], [4, 3], ["elapsed_s", "tokens"]]' in layouts
    assert '[["train/loss", "val/loss"], [4, 3], ["trial", "elapsed_s"]]' in layouts
    assert len(read(tmp_path / "loose", "FROM wide_tables")) == 1


def test_a_rebuild_finds_the_tables_again(tmp_path: Path) -> None:
    logs, out = write(tmp_path / "logs"), tmp_path / "out"
    build(Request((str(logs),), out=str(out), dashboard=False))
    with (logs / "even.log").open("a", encoding="utf-8") as log:
        log.writelines(LOGS["even"].format(i=i, v=2) for i in range(LINES, 2 * LINES))
    build(Request((str(logs),), out=str(out), dashboard=False))
    build(Request((str(logs),), out=str(tmp_path / "cold"), dashboard=False))
    assert read(out, POINTS) == read(tmp_path / "cold", POINTS)
    for name in ("Summary.md", "results.csv", "summary.json"):
        assert (out / name).read_bytes() == (tmp_path / "cold" / name).read_bytes()


def test_where_the_engine_is_no_module_of_its_own_the_package_is_taken() -> None:
    code = (
        "import importlib.util as u; real = u.find_spec; u.find_spec = lambda name, *a: None if name == '_duckdb' else real(name, *a)\n"
        "from ngt_report import engine; import duckdb; print(engine.connect is duckdb.connect, engine.Error is duckdb.Error)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=TOP, capture_output=True, text=True)
    assert done.stdout == "True True\n", done.stderr
