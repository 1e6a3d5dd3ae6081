"""Large new tables are asked one metric at a time; what is kept of each curve must not differ for it."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ngt_report import apart
from ngt_report.build import Request, build
from ngt_report.store import Store, sql

OUTPUTS = ("Summary.md", "results.csv", "summary.json")
KEPT = ("spans", "curves", "trial_values", "stretches", "smooth_rates", "long_audits")


def write(folder: Path, rng: Random) -> Path:
    """Long logs of two forms, some of which go on in the other form, with an evaluation apart, or again from an earlier step."""
    folder.mkdir()
    for number in range(9):
        both = [f"step {i} train_loss={rng.random():.4f} val_loss={rng.random():.4f} elapsed={i}.5s\n" for i in range(1, 900)]
        more = [f"step {i} val_loss={rng.random():.4f} test_loss={rng.random():.4f}\n" for i in range(900, 1700)]
        lines = {1: both + more, 2: more, 3: both + both[500:], 4: [*both, "final loss: 0.5\n"], 5: both + more[:3], 6: more + both}
        lines[7] = [line.replace("val_loss=0.5", "val_loss=nan 0.5") for line in both]
        (folder / f"run_{number}.log").write_text("".join(lines.get(number, both)), encoding="utf-8")
    return folder


def kept(report: Path) -> dict[str, list[tuple[Any, ...]]]:
    store = Store(str(report / "report.duckdb"), read_only=True)
    try:
        return {table: store.run(f"FROM {table} ORDER BY ALL") for table in KEPT}
    finally:
        store.close()


@pytest.mark.parametrize("most", [0, 1, 100])
def test_asked_apart_or_together(most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = write(tmp_path / "logs", Random(most))
    build(Request((str(logs),), out=str(tmp_path / "together"), dashboard=False))
    monkeypatch.setattr(apart, "LEAST_LINES", 1)
    monkeypatch.setattr(apart, "MOST_LEFT_OUT", most)
    asked = []
    statements = apart.statements

    def noted(store: Store, text: str) -> list[str]:
        texts = list(statements(store, text))
        asked.append(len(texts))
        return texts

    monkeypatch.setattr(apart, "statements", noted)
    build(Request((str(logs),), out=str(tmp_path / "apart"), dashboard=False))
    assert max(asked) > 1
    assert kept(tmp_path / "apart") == kept(tmp_path / "together")
    for name in OUTPUTS:
        assert (tmp_path / "apart" / name).read_bytes() == (tmp_path / "together" / name).read_bytes()


def test_a_question_says_which_metrics_it_asks() -> None:
    text = sql("staging/curves.sql")
    assert apart.FRESH in text
    asked = re.search(r"(?m)^-- asks: (.+)$", text)
    assert asked
    where = re.search(r"(?m)^    WHERE (starts_with.+)$", text)
    assert where
    said = [f"starts_with(metric, '{p[:-1]}')" for p in asked[1].split(" | ") if p.endswith("*")]
    names = ", ".join(f"'{p}'" for p in asked[1].split(" | ") if not p.endswith("*"))
    assert where[1] == " OR ".join([*said, f"metric IN ({names})"])
