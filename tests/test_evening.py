"""An evening on a pod, looked at a hundred times: every state is right, and what is watched is in the page and ends as a cold build."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from ngt_report.build import Request, build
from ngt_report.watching.looks import Looks
from ngt_report.watching.status import Row, look
from ngt_report.watching.watch import Watch
from tests.evening import TOTAL, Evening, Writer

LOOKS = 100


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def evening(tmp_path: Path) -> Iterator[Evening]:
    made = Evening(tmp_path / "logs" / "g", seed=5)
    yield made
    made.close()


def rows(evening: Evening, folder: Path, looks: Looks | None) -> dict[str, Row]:
    return {row.name: row for row in look((str(folder),), looks, evening.now).rows}


def possible(writer: Writer, now: float) -> set[str]:
    """The states that are right: a log is quiet after 3 usual intervals, of which the pauses say what they can be."""
    if writer.state != "going":
        return {writer.state}
    silent = (now - writer.wrote) / writer.pace
    return {"going"} if silent < 3 * 0.7 else {"stalled"} if silent > 3 * 1.3 else {"going", "stalled"}


def assert_right(row: Row, writer: Writer, now: float) -> None:
    assert row.state.state in possible(writer, now), (writer, row.state)
    if writer.state == "waiting":
        return
    assert (row.curve.step, row.curve.total) == (writer.step, TOTAL)
    assert row.curve.last == [writer.step, writer.last]
    assert row.curve.best is not None and row.curve.best[1] == writer.best
    if row.state.state == "crashed":
        said = "traceback: RuntimeError: CUDA error" if writer.path.stem == "crashes" else "killed: its process"
        assert (row.state.cause or "").startswith(said)


@pytest.mark.parametrize("kept", [True, False], ids=["one process follows", "each look is a new process"])
def test_every_state_is_right_at_each_of_100_looks(kept: bool, evening: Evening, tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "g"
    looks = Looks([folder]) if kept else None
    seen: dict[str, list[str]] = {}
    for count, _ in enumerate(evening.play()):
        if count % 2 == 0:
            found = rows(evening, folder, looks)
            for writer in evening.writers:
                assert_right(found[writer.path.stem], writer, evening.now)
                seen.setdefault(writer.path.stem, []).append(found[writer.path.stem].state.state)
    found = rows(evening, folder, looks)
    ended = {name: row.state.state for name, row in found.items()}
    assert ended == {
        "vanilla": "finished", "gated": "finished", "crashes": "crashed", "killed": "crashed", "stalls": "stalled", "resumed": "finished",
    }  # fmt: skip
    assert min(map(len, seen.values())) >= LOOKS
    assert {"waiting", "going", "crashed"} <= set(seen["resumed"]) and seen["resumed"][-1] == "finished"


def page(url: str) -> str:
    with urlopen(url) as answer:
        return str(answer.read().decode())


def test_each_new_evaluation_is_in_the_page_after_one_build_and_the_end_equals_a_cold_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path.home() / ".cache"))  # Vega's bundle takes seconds to make
    evening = Evening(tmp_path / "logs" / "g", seed=6, processes=False)
    warm, cold = tmp_path / "warm", tmp_path / "cold"
    request = Request((str(tmp_path / "logs" / "g"),), out=str(warm))
    problems: list[Any] = []
    with Watch(request, 0) as watch:
        marks = []
        for count, writer in enumerate(evening.play()):
            if count % 40 == 0:
                assert watch.once(problems.append) is not None
                text = page(watch.url)
                assert f"{writer.last:.4f}" in text
                marks.append(watch.server.mark)
        watch.once(problems.append)
    assert problems == [] and len(set(marks)) == len(marks)
    build(Request(request.paths, out=str(cold)))
    for name in ("Summary.md", "results.csv", "summary.json", "dashboard.html"):
        assert (warm / name).read_bytes() == (cold / name).read_bytes(), name
    shutil.rmtree(cold)
