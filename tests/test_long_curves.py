"""Long plain curves are read where they lie; every number must be the one that the general way gives."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from ngt_report import queries, store
from ngt_report.build import Request, build

OUTPUTS = ("Summary.md", "results.csv", "summary.json")


def write_runs(folder: Path, rng: Random) -> Path:
    """A few logs of more than 512 evaluations, with what real logs have: NaN, ties, gaps, uneven steps, missing clocks, a train loss."""
    folder.mkdir()
    for number, name in enumerate(("vanilla", "wide", "deep", "gated", "cut")):
        step, clock, lines = 0, 0.0, []
        for i in range(530):
            step += 50 * (rng.choice((1, 1, 1, 2)) if number == 3 else 1)
            clock += rng.uniform(2, 3)
            loss = "nan" if number == 1 and i % 97 == 5 else f"{rng.uniform(3, 4):.2f}"
            took = "" if number == 2 else f" elapsed={clock:.1f}s"
            lines.append(f"step {step}/26500 train_loss={rng.uniform(3, 4):.4f} val_loss={loss}{took}\n")
            if step >= 26500:
                break
        (folder / f"{name}.log").write_text("".join(lines[:-4] if name == "cut" else lines), encoding="utf-8")
    return folder


@pytest.mark.parametrize("seed", range(4))
def test_the_way_long_curves_are_read_changes_no_output(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = write_runs(tmp_path / "logs", Random(seed))
    long, short = tmp_path / "long", tmp_path / "short"
    build(Request((str(logs),), out=str(long), dashboard=False))
    monkeypatch.setattr(queries, "sql", lambda name: store.sql(name).replace(">= 512", ">= 1000000"))
    build(Request((str(logs),), out=str(short), dashboard=False))
    assert taken_as_long(long) >= 3 and taken_as_long(short) == 0
    for name in OUTPUTS:
        assert (long / name).read_text(encoding="utf-8") == (short / name).read_text(encoding="utf-8")


def test_best_and_last_of_a_long_curve_are_those_of_its_lines(tmp_path: Path) -> None:
    logs = write_runs(tmp_path / "logs", Random(9))
    build(Request((str(logs),), out=str(tmp_path / "out"), dashboard=False))
    runs = {r["run"]: r for r in json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))["runs"]}
    for log in logs.iterdir():
        points = [(float(t.split("val_loss=")[1].split()[0]), int(t.split()[1].split("/")[0])) for t in log.read_text("utf-8").splitlines()]
        finite = [p for p in points if p[0] == p[0]]
        assert (runs[log.stem]["best"]["val_loss"], runs[log.stem]["best"]["step"]) == min(finite)
        assert (runs[log.stem]["last"]["val_loss"], runs[log.stem]["last"]["step"]) == points[-1]


def taken_as_long(folder: Path) -> int:
    """How many runs of a report were read where they lie."""
    opened = store.Store(str(folder / "report.duckdb"), read_only=True)
    try:
        return int(opened.run("SELECT count(*) FROM long_curves")[0][0])
    finally:
        opened.close()
