"""Odd inputs: each gives a right result or one clear sentence, never a traceback, and every line is accounted for."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt

from ngt_report.build import Request, build
from ngt_report.commands import cli
from ngt_report.errors import ReportError
from ngt_report.files import LONGEST_LINE, InputFile
from tests import bad_documents  # noqa: F401 - it adds to ODD
from tests.bad_inputs import BEST, LAST, LOG, ODD, Odd
from tests.readings import Report, in_memory, read, report, written

SECONDS = 30


@pytest.fixture(autouse=True)
def never_hangs() -> Iterator[None]:
    """A reading that hangs fails instead."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def give_up(*_: Any) -> None:
        raise AssertionError(f"not done after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def one_sentence(text: str) -> bool:
    """One line that says something, without the marks of a traceback."""
    return 10 < len(text) < 600 and "\n" not in text and "Traceback" not in text and "Errno" not in text and "object at 0x" not in text


def test_there_are_more_than_200_odd_inputs() -> None:
    assert len(ODD) >= 200


ALONE = [name for name, odd in ODD.items() if not odd.family]


@pytest.mark.parametrize("name", ALONE)
def test_an_odd_input_gives_a_right_result_or_one_clear_sentence(name: str, tmp_path: Path) -> None:
    odd = ODD[name]
    try:
        path = odd.make(tmp_path)
    except (OSError, ValueError) as e:
        pytest.skip(f"this file system does not take it: {e}")
    try:
        made = report(path, tmp_path / "out")
    except ReportError as e:
        assert one_sentence(str(e)), str(e)
        assert odd.refused is not None and odd.refused in str(e)
        return
    right(odd, made, name)
    sound(made)


@pytest.mark.parametrize("family", sorted({odd.family for odd in ODD.values()} - {""}))
def test_odd_inputs_beside_each_other_give_what_each_gives(family: str, tmp_path: Path) -> None:
    made_of: dict[str, str] = {}
    for number, (name, odd) in enumerate((n, o) for n, o in ODD.items() if o.family == family):
        try:
            odd.make(tmp_path / "in" / str(number))
        except (OSError, ValueError):
            continue  # this file system does not take it
        made_of[name] = str(number)
    made = report(tmp_path / "in", tmp_path / "out")
    assert len(made_of) > 4 and len(made.sources) == len(made_of)
    for name, folder in made_of.items():
        right(ODD[name], made.part(folder), name)
    sound(made)


def right(odd: Odd, made: Report, name: str) -> None:
    """What an odd input must give, if it gives anything."""
    assert odd.refused is None, name
    if odd.runs is not None:
        assert len(made.runs) == odd.runs, (name, list(made.runs), made.summary["findings"])
    if odd.best:
        assert made.best() == odd.best, name
    if odd.last:
        assert made.last() == odd.last, name
    if odd.finding:
        assert odd.finding in made.kinds(), (name, made.summary["findings"])
    if not made.runs:
        assert made.summary["findings"] or not made.sources, name


def sound(made: Report) -> None:
    """What is written holds for any input: whole tables, no live markup, no line that a name broke, findings of one sentence."""
    for f in made.summary["findings"]:
        assert one_sentence(f["text"]), f
        assert f["severity"] in ("error", "warning", "info")
    html = MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(made.text)
    outside = html.replace("<details>", "").replace("</details>", "").replace("<summary>", "").replace("</summary>", "")
    assert not re.search(r"<(?:script|img|b>|a |iframe|svg)", re.sub(r"<(?:code|pre)>.*?</(?:code|pre)>", "", outside, flags=re.S)), html
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", made.text)
    lines = made.text.split("\n")
    for i, line in enumerate(lines):
        if re.fullmatch(r"\|(?:-+:?\|)+", line):
            columns = line.count("|")
            for row in [lines[i - 1], *_rows(lines, i + 1)]:
                assert len(re.findall(r"(?<!\\)\|", row)) == columns, row


def _rows(lines: list[str], start: int) -> Iterator[str]:
    for line in lines[start:]:
        if not line.startswith("|"):
            return
        yield line


def test_results_csv_holds_no_formula(tmp_path: Path) -> None:
    names = ["=cmd(1)", "+1+1", "-2+3", "@SUM(A1)", "\tx", 'a"b', "a,b"]
    rows = "".join('"{}",{},4.{}\n'.format(n.replace('"', '""'), i, i) for i, n in enumerate(names))
    out = tmp_path / "out"
    report(written(tmp_path, {"a.csv": "name,seed,val_loss\n" + rows}) / "a.csv", out)
    cells = [cell for row in csv.reader(io.StringIO((out / "results.csv").read_text(encoding="utf-8"))) for cell in row]
    assert len(cells) > 20
    assert [c for c in cells if c[:1] in "=+@\t" and c] == []
    assert [c for c in cells if c[:1] == "-" and not re.fullmatch(r"-?[\d.e\-]+", c)] == []


def test_a_file_without_rights_is_one_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = written(tmp_path / "in", {"good.log": LOG, "locked.log": LOG.replace("5.2", "5.1")})
    honest = os.open

    def refuse(path: Any, *args: Any, **kwargs: Any) -> int:
        if str(path).endswith("locked.log"):
            raise PermissionError(13, "Permission denied", str(path))
        return honest(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)
    made = report(top, tmp_path / "out")
    assert list(made.runs) == ["good"] and made.best() == BEST
    assert made.texts("unreadable") == ["locked.log was not read: permission denied"]
    sound(made)


def test_what_could_not_be_read_is_not_counted_as_read_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top, out = written(tmp_path / "in", {"good.log": LOG, "locked.log": LOG.replace("5.2", "5.1")}), str(tmp_path / "out")
    honest, rights = os.open, os.access
    with monkeypatch.context() as locked:
        locked.setattr(os, "access", lambda path, mode: not str(path).endswith("locked.log") and rights(path, mode))

        def refuse(path: Any, *args: Any, **kwargs: Any) -> int:
            if str(path).endswith("locked.log"):
                raise PermissionError(13, "Permission denied", str(path))
            return honest(path, *args, **kwargs)

        locked.setattr(os, "open", refuse)
        first = CliRunner().invoke(cli, ["build", str(top), "-o", out, "--no-dashboard"])
        again = CliRunner().invoke(cli, ["build", str(top), "-o", out, "--no-dashboard"])
    assert "read 1 of 2 files (1 could not be read); the report is in" in first.stderr and "up to date (2 files)" in again.stderr
    opened = CliRunner().invoke(cli, ["build", str(top), "-o", out, "--no-dashboard"])  # its rights changed, not its date
    assert "read 1 of 2 files; the report is in" in opened.stderr


def test_a_folder_without_rights_is_one_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = written(tmp_path / "in", {"good.log": LOG, "locked/b.log": LOG})
    honest = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return honest(path)

    monkeypatch.setattr(os, "scandir", refuse)
    made = report(top, tmp_path / "out")
    assert list(made.runs) == ["good"]
    assert "unreadable" in made.kinds("warning")


def test_a_disk_error_while_reading_is_one_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = written(tmp_path / "in", {"good.log": LOG, "rotten.log": LOG.replace("5.2", "5.1")})
    honest = InputFile._chunks

    def rot(self: InputFile) -> Iterator[bytes]:
        if self.rel.endswith("rotten.log"):
            raise OSError(5, "Input/output error")
        yield from honest(self)

    monkeypatch.setattr(InputFile, "_chunks", rot)
    made = report(top, tmp_path / "out")
    assert list(made.runs) == ["good"]
    assert made.texts("unreadable") == ["rotten.log was not read: input/output error"]


def test_a_file_that_grows_or_shrinks_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, {"a.log": LOG}) / "a.log"
    honest = InputFile._chunks

    def shrink(self: InputFile) -> Iterator[bytes]:
        path.write_text(LOG[:70])
        yield from honest(self)

    monkeypatch.setattr(InputFile, "_chunks", shrink)
    made = report(path, tmp_path / "out")
    assert made.best() in (None, (6.2517, 500))


def test_a_line_of_50_mb_costs_little_memory(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "a.log"
    with path.open("wb") as f:
        f.write(LOG[:60].encode() + LOG[60:].encode()[: LOG[60:].index("\n") + 1])
        for _ in range(50):
            f.write(b"step 7/9 val_loss=1.0 x" * 45_590)
        f.write(b"\n" + "".join(LOG.splitlines(keepends=True)[1:]).encode())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    made = report(path, tmp_path / "out")
    grew = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert made.best() == BEST and made.last() == LAST
    assert made.sources[0]["lines_bad"] == 1
    assert grew < 150_000, f"{grew} KiB more"


@pytest.mark.parametrize("length", [LONGEST_LINE - 1, LONGEST_LINE, LONGEST_LINE + 1, 8 << 20, (8 << 20) + 1])
@pytest.mark.parametrize("where", ["first", "middle", "last", "torn"])
def test_long_lines_are_counted_wherever_they_stand(length: int, where: str) -> None:
    long, lines = "z" * length, LOG.splitlines()
    at = {"first": 0, "middle": 1, "last": 3, "torn": 3}[where]
    text = "\n".join([*lines[:at], long, *lines[at:]]) + ("" if where == "torn" else "\n")
    _, reading = read(text)
    assert reading.lines_read == 4
    assert reading.lines_used == 3
    assert reading.pending == (where == "torn")
    assert sum(reading.ignored.values()) + len(reading.bad) + reading.pending == 1
    assert [n for n, _ in reading.bad] in ([], [at + 1])


def test_an_input_that_is_the_output_is_refused_or_left_alone(tmp_path: Path) -> None:
    top = written(tmp_path / "in", {"a.log": LOG})
    first = report(top, top / "report")
    again = report(top, top / "report")
    assert list(first.runs) == list(again.runs) == ["a"]
    with pytest.raises(ReportError, match=r".*") as e:
        build(Request((str(top),), out=str(top / "a.log")))
    assert one_sentence(str(e.value))


def test_memory_files_are_what_files_are(tmp_path: Path) -> None:
    path = written(tmp_path, {"a.log": LOG}) / "a.log"
    info = path.stat()
    on_disk = InputFile(str(path), "a.log", info.st_size, info.st_mtime_ns)
    assert on_disk.raw_head == in_memory(LOG).raw_head


@pytest.mark.parametrize("key", ["tokens", "segment"])
@pytest.mark.parametrize("count", ["NaN", "1e400", "100000000000000000000"])
def test_a_count_that_no_database_holds_makes_its_event_bad(key: str, count: str, tmp_path: Path) -> None:
    event = '{"kind":"eval","run":"a","seq":0,"step":%d,"%s":%s,"val/loss":2.5}\n'
    (tmp_path / "a.jsonl").write_text(event % (1, key, "0") + event % (2, key, count), encoding="utf-8")
    folder = build(Request((str(tmp_path),), out=str(tmp_path / "out"), dashboard=False)).folder
    (run,) = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["runs"]
    assert run["last"]["step"] == 1
