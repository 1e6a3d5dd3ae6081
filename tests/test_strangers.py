"""Logs of strangers: the numbers a person reads from them are the numbers that are reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.readings import Report, report, written
from tests.strangers import End, load

UNREAD = {  # not found, and no number that is wrong
    "MLPerf", "one result of one run", "DeepSpeed-Chat", "Composer", "a table with plus and minus",
}  # fmt: skip


def ends(made: Report) -> list[End | None]:
    """Best and last of every run, in order of value."""
    found = [
        r["best"] and (r["best"]["val_loss"], r["best"]["step"], r["last"]["val_loss"], r["last"]["step"]) for r in made.summary["runs"]
    ]
    return sorted(found, key=lambda e: (e is not None, e))


@pytest.mark.parametrize("name", load())
def test_a_strangers_log_is_read_as_a_person_reads_it(name: str, tmp_path: Path) -> None:
    log = load()[name]
    made = report(written(tmp_path / "in", log.files), tmp_path / "out")
    if name in UNREAD:
        assert set(ends(made)) <= {None}
        return
    assert ends(made) == sorted(log.runs, key=lambda e: (e is not None, e)), made.summary["findings"]
    if log.trained is not None:
        assert sum(r["n_train_points"] for r in made.summary["runs"]) == log.trained
    if log.seconds is not None:
        assert [r["train_time_s"] for r in made.summary["runs"]] == [pytest.approx(log.seconds)]
    if log.finding is not None:
        assert log.finding in made.kinds(), made.summary["findings"]
