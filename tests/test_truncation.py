"""A log cut anywhere, or read in two sittings, never gives a number that the whole log does not give."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from msgspec.structs import asdict

from ngt_report.sources import choose
from tests.readings import accounted, in_memory, points, read, report, written
from tests.strangers import load
from tests.text_samples import SAMPLES

HERE = Path(__file__).parent
CSV = "run_id,step,val_loss,train_time_ms\na,0,10.8212,140\na,125,4.9305,46110\nb,0,10.8213,141\nb,125,4.9105,46210\n"
ROWS = "name,seed,num_iterations,final_val_loss\nvanilla,1,1500,3.5124\ngated,2,1500,3.4124\n"
QUOTED = 'name,notes,final_val_loss\nvanilla,"two\nlines, a comma and a ""quote""",3.5124\ngated,none,3.4124\n'
JSONL = "".join(json.dumps({"step": s, "val_loss": v, "lr": 0.001}) + "\n" for s, v in ((100, 4.7748), (200, 4.5024), (300, 4.4018)))
SWEEP = "".join(json.dumps({"name": n, "alpha": a, "val_loss": v}) + "\n" for n, a, v in (("a", 0.1, 4.7748), ("b", 0.25, 4.5024))) + (
    '{"name": "c", "alpha": 0.3, "val_loss": Infinity}\n'
)
STATE = json.dumps({"log_history": [{"epoch": 0.5, "eval_loss": 4.7748, "step": 50}, {"epoch": 1.0, "eval_loss": 4.5024, "step": 100}]})
TEXTS: dict[str, str] = {name: s.text for name, s in SAMPLES.items()} | {
    "curve CSV": CSV, "results CSV": ROWS, "quoted CSV": QUOTED, "curve JSONL": JSONL, "sweep JSONL": SWEEP, "trainer_state.json": STATE,
    "events": (HERE / "data" / "events" / "golden.jsonl").read_text(encoding="utf-8"),
}  # fmt: skip
KINDS = ("counted", "batches", "samples", "MMEngine", "quoted", "escaped", "TensorFlow", "closing")
LATER = ("their number not told",)  # logs whose steps are known to be unknown only when the second epoch begins
OTHERS = {name: s.files["run.log"] for name, s in load().items() if s.kind in KINDS and s.runs and name not in LATER}
VALUES = ("val/loss", "train/loss", "final/loss", "best/loss", "eval_loss", "test/loss")


Values = set[tuple[int | None, str, str, int]]


def values(data: bytes | str) -> Values:
    """(step, metric, value, line) of every loss; formats that only the whole file tells apart name a loss in several ways."""
    return said(data)[0]


def said(data: bytes | str) -> tuple[Values, int]:
    """The same, and the number of lines that were read."""
    _, reading = read(data)
    assert accounted(reading), data[-80:]
    found = {(p[2], p[3].partition("/")[2] or p[3], p[4], p[5]) for p in points(reading) if p[3] in VALUES}
    return found, reading.lines_read


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_cut_at_any_byte_gives_no_wrong_number(name: str) -> None:
    data = TEXTS[name].encode()
    cut_at(data, range(len(data)))


@pytest.mark.parametrize("name", OTHERS)
def test_logs_that_are_read_in_other_words_give_no_wrong_number_when_cut(name: str) -> None:
    """At the end of every line and in its midst."""
    data = OTHERS[name].encode()
    ends = [at for at, byte in enumerate(data, 1) if byte == 10]
    cut_at(data, [*ends, *range(5, len(data), 29)])


def cut_at(data: bytes, cuts: Iterable[int]) -> None:
    """What is read of the beginnings is read of the whole."""
    whole = values(data)
    assert whole
    numbers = {(v, line) for _, _, v, line in whole}
    steps = {(s, v, line) for s, _, v, line in whole}
    for cut in cuts:
        found, lines = said(data[:cut])
        assert {(v, line) for _, _, v, line in found} <= numbers, data[max(0, cut - 60) : cut]
        assert {(s, v, line) for s, _, v, line in found if s is not None} <= steps, data[max(0, cut - 60) : cut]
        assert lines in (0, data[:cut].count(b"\n") + (not data[:cut].endswith(b"\n"))) or not cut


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8-sig"])
def test_a_cut_inside_a_character_gives_no_wrong_number(encoding: str) -> None:
    text = SAMPLES["key=value"].text
    data = ("" if encoding == "utf-8-sig" else "\ufeff").encode(encoding) + text.encode(encoding)
    whole = values(data)
    assert whole == values(text)
    for cut in range(len(data)):
        assert values(data[:cut]) <= whole


@pytest.mark.parametrize("name", TEXTS)
def test_assume_complete_takes_the_last_line_only_when_it_is_whole(name: str) -> None:
    data = TEXTS[name].encode().rstrip(b"\n")
    _, reading = read(data, complete=True)
    assert accounted(reading) and not reading.pending
    assert {p[2:6] for p in points(reading)} == {p[2:6] for p in points(read(TEXTS[name])[1])}


@pytest.mark.parametrize("name", [n for n in SAMPLES if SAMPLES[n].form != "hf_stdout"])
def test_reading_on_is_reading_anew(name: str) -> None:
    """At every byte: read, then go on with what was appended, as a rebuild of a growing log does."""
    data = SAMPLES[name].text.encode()
    form, whole = read(data)
    reread = 0
    for cut in range(1, len(data), 3):
        first = in_memory(data[:cut])
        chosen, _ = choose(first)
        if chosen is None or chosen.name != form:
            continue
        before = chosen.read(first)
        if before.state is None:
            reread += 1
            continue
        rest = in_memory(data)
        rest.state, rest.start = json.loads(json.dumps(before.state)), data.rfind(b"\n", 0, cut) + 1
        after = chosen.read(rest)
        assert points(before) + points(after) == points(whole), data[max(0, cut - 60) : cut]
        assert list(map(asdict, before.segments + after.segments)) == list(map(asdict, whole.segments))
        assert [(t.name, t.line) for t in before.trials + after.trials] == [(t.name, t.line) for t in whole.trials]
        assert before.lines_read - before.pending + after.lines_read == whole.lines_read
        assert before.lines_used + after.lines_used == whole.lines_used
    assert reread * 3 < len(data)


@pytest.mark.parametrize(
    "spoil", [lambda d: d, lambda d: d.replace(b"\n", b"\r\n"), lambda d: b"\xef\xbb\xbf" + d], ids=["lf", "crlf", "bom"]
)
def test_whole_builds_of_a_cut_log(spoil: Callable[[bytes], bytes], tmp_path: Path) -> None:
    data = spoil(SAMPLES["key=value"].text.encode())
    whole = report(written(tmp_path, {"a.log": data}) / "a.log", tmp_path / "whole")
    assert whole.best() == (5.2517, 1000) and whole.last() == (5.3517, 1500)
    for cut in range(150, len(data), len(data) // 7):
        made = report(written(tmp_path, {"a.log": data[:cut]}) / "a.log", tmp_path / str(cut))
        for found in (made.best(), made.last()) if made.runs else ():
            assert found in [(6.2517, 500), (5.2517, 1000), (5.3517, 1500)]
        if made.runs and made.last() != (5.3517, 1500):
            assert "incomplete" in made.runs["a"]["status"]
        if not data[:cut].endswith(b"\n"):
            assert "pending" in made.kinds()


def test_growing_logs_give_the_same_bytes_as_a_cold_build(tmp_path: Path) -> None:
    """nanoGPT's first line alone is read as another format; the rebuild must not go on with that."""
    texts = {n: SAMPLES[n].text for n in ("nanoGPT", "litgpt", "Megatron-LM", "modded, program", "console sweep", "parameter-golf")}
    texts |= {
        name: str(load()[name].files["run.log"]) for name in ("evaluations that are shown again and again", "estimators", "iterations")
    }
    for turn in range(4):
        for name, text in texts.items():
            data = text.encode()
            cut = 60 + turn * (len(data) // 3)
            written(tmp_path / "in", {f"{name.split()[0].strip(',')}/a.log": data[:cut] if turn < 3 else data})
        report(tmp_path / "in", tmp_path / "warm")
    report(tmp_path / "in", tmp_path / "cold")
    for file in ("Summary.md", "results.csv", "summary.json"):
        assert (tmp_path / "warm" / file).read_bytes() == (tmp_path / "cold" / file).read_bytes(), file
