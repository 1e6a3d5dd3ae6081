"""Wall time of the points that a page shows: read off their lines where these say it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ngt_report.build import Request, build
from ngt_report.files import InputFile
from ngt_report.page import wall
from tests.browser import Browser
from tests.pagedata import island, undone
from tests.test_tfevents import scalar


def input_file(path: Path, text: str) -> InputFile:
    path.write_text(text, encoding="utf-8")
    return InputFile(str(path), path.name, path.stat().st_size, 0)


@pytest.mark.parametrize(("line", "seconds"), [
    ('{"kind":"eval","ts":"2026-03-02T09:00:00.250Z","step":1}', 1772442000.25),
    ('{"_timestamp": 1712345678.25, "loss": 1}', 1712345678.25),
    ('{"timestamp": 1712345678250, "loss": 1}', 1712345678.25),
    ("[2026-03-02 09:00:00] iteration 10/20 | lm loss: 4.5", 1772442000.0),
    ("2026-03-02 10:00:00,500 INFO step 5", 1772445600.5),
    ("2026-03-02T11:00:00+02:00 step 5", 1772442000.0),
    ('{"ts": 15, "loss": 1}', None),
    ("2026-13-45 99:00:00 step 5", None),
    ("step 5/10 val_loss=4.5 elapsed=3.0s", None),
])  # fmt: skip
def test_a_line_says_when_it_was_written(line: str, seconds: float | None, tmp_path: Path) -> None:
    file = input_file(tmp_path / "a", f"{line}\n{line}\n")
    assert wall.stamps(file, [2]) == ({} if seconds is None else {1: seconds, 2: seconds})


def test_only_wanted_lines_and_the_first_time_are_read(tmp_path: Path) -> None:
    lines = "".join(f'{{"ts": {1712345000 + i}, "step": {i}}}\n' for i in range(1, 200))
    file = input_file(tmp_path / "a", f"no time here\n{lines}torn")
    assert wall.stamps(file, [100, 50, 201, 900]) == {2: 1712345001.0, 50: 1712345049.0, 100: 1712345099.0}
    assert wall.stamps(file, []) == {}


def events(path: Path, run: str, stamps: list[str], segment: list[int]) -> None:
    head = {"kind": "run_start", "run": run, "segment": 0, "seq": 0, "ts": stamps[0], "step": 0, "tokens": 0, "elapsed_s": 0.0}
    rows: list[dict[str, Any]] = [{**head, "segment_elapsed_s": 0.0, "schema": 1, "config": {}, "total_steps": 300}]
    for i, ts in enumerate(stamps[1:], 1):
        seen = {"ts": ts, "step": 100 * i, "tokens": 100 * i, "elapsed_s": 10.0 * i, "segment_elapsed_s": 10.0 * i}
        rows.append({"kind": "eval", "run": run, "segment": segment[i - 1], "seq": i, **seen, "val/loss": 5 - i / 10})
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))


def test_curves_have_wall_time_with_pauses_from_the_start_of_their_run(tmp_path: Path, chromium: Browser) -> None:
    (tmp_path / "in").mkdir()
    a = ["2026-03-02T09:00:00Z", "2026-03-02T09:00:15Z", "2026-03-02T09:00:30Z", "2026-03-02T10:00:30.500Z"]
    events(tmp_path / "in" / "a.jsonl", "a", a, [0, 0, 0])
    events(tmp_path / "in" / "b.jsonl", "b", ["2026-04-01T00:00:00Z", "2026-04-01T00:00:10Z", "2026-04-01T00:00:20Z"], [0, 0])
    (tmp_path / "in" / "c.log").write_text("".join(f"step {i * 100}/300 val_loss={5 - i / 5} elapsed={i}s\n" for i in (1, 2, 3)))
    page = build(Request((str(tmp_path / "in"),), out=str(tmp_path / "out"))).folder / "dashboard.html"
    text = page.read_text()
    names = [r["name"] for r in island(text, "tables")["runs"]]
    found = {names[s["r"]]: undone(s.get("w"), len(s["v"])) for s in island(text, "curves")["series"]}
    assert found == {"a": [150, 300, 36305], "b": [100, 200], "c": [None, None, None]}
    chromium.open(page, "#x=wall")
    assert "wall time" in chromium.js("[...document.querySelectorAll('#x option')].map((o) => o.textContent)")
    assert "1 run has no wall time and is not drawn" in chromium.js("document.getElementById('curves-note').textContent")
    chromium.js("document.querySelector('.over').focus()")
    for _ in range(5):
        chromium.key("ArrowRight")
    assert chromium.js("document.querySelector('#tip b').textContent") == "val/loss at wall time 1h 1m"


def test_an_event_file_of_tensorboard_has_its_wall_clock(tmp_path: Path) -> None:
    records = b"".join(scalar(i * 100, "val/loss", 5 - i / 10, wall=1e9 + i * 30) for i in range(1, 4))
    (tmp_path / "events.out.tfevents.1.a").write_bytes(records)
    page = build(Request((str(tmp_path),), out=str(tmp_path / "out"))).folder / "dashboard.html"
    (series,) = island(page.read_text(), "curves")["series"]
    assert undone(series["w"], 3) == [0, 300, 600]
