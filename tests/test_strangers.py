"""Logs of strangers: the numbers a person reads from them are the numbers that are reported."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.readings import Report, report, written
from tests.strangers import End, load

UNREAD = {  # not found, and no number that is wrong
    "MLPerf", "one result of one run", "DeepSpeed-Chat", "Composer", "a table with plus and minus",
}  # fmt: skip
NAMES = list(load())
ALONE = {*NAMES[::16], "a table that is not read"}  # the latter's finding is of a whole input without metrics
BATCHES = 16  # neighbours, whose numbers are often the same, come into different ones
ORDER = sorted(NAMES, key=lambda name: NAMES.index(name) % BATCHES)


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Report]:
    """The report of a log: built with others, each in a folder of its own; alone where a run of another has the same numbers."""

    def built(*names: str) -> Report:
        top = tmp_path_factory.mktemp("strangers")
        for name in names:
            written(top / "in" / str(NAMES.index(name)), load()[name].files)
        return report(top / "in", top / "out")

    @cache
    def batch(number: int) -> Report:
        return built(*(name for name in NAMES if name not in ALONE and NAMES.index(name) % BATCHES == number))

    def reported(name: str) -> Report:
        place = NAMES.index(name)
        if name not in ALONE:
            made = batch(place % BATCHES).part(str(place))
            if all(path.startswith(f"{place}/") for r in made.summary["runs"] for path in r["sources"]):
                return made
        return built(name)

    return reported


def ends(made: Report) -> list[End | None]:
    """Best and last of every run, in order of value."""
    found = [
        r["best"] and (r["best"]["val_loss"], r["best"]["step"], r["last"]["val_loss"], r["last"]["step"]) for r in made.summary["runs"]
    ]
    return sorted(found, key=lambda e: (e is not None, e))


@pytest.mark.parametrize("name", ORDER)
def test_a_strangers_log_is_read_as_a_person_reads_it(name: str, reported: Callable[[str], Report]) -> None:
    log = load()[name]
    made = reported(name)
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
