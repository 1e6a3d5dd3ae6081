"""Programs pasted into logs: which one it was is a recorded setting, and two of them can be compared line by line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ngt_report.build import Request, build
from ngt_report.commands import cli
from ngt_report.waist import Reading
from tests.readings import read
from tests.text_samples import PROGRAM, RULER, SPEEDRUN

OTHER = PROGRAM.replace("import sys\n", "import time\n")


def log(program: str = PROGRAM, loss: str = "6.1258") -> str:
    return RULER + program + RULER + "Running Python 3.12\n" + RULER + SPEEDRUN.replace("6.1258", loss)


def programs(reading: Reading) -> list[tuple[int, object, int | None]]:
    return [(f.trial, f.value, f.line) for f in reading.facts if f.key == "pasted_program"]


def test_the_program_is_a_recorded_setting_with_its_place() -> None:
    _, reading = read(log())
    ((trial, said, line),) = programs(reading)
    assert (trial, line) == (0, 2)
    assert isinstance(said, str)
    assert said.endswith(f" of {PROGRAM.count(chr(10)) + 1} lines")  # with its ruler
    assert programs(read(SPEEDRUN)[1]) == []


@pytest.mark.parametrize("change", [str, lambda t: t.replace("\n", "\r\n"), lambda t: "Node 3\n" + t, lambda t: t.replace("6.1258", "5.1")])
def test_equal_programs_are_equal_however_the_log_was_saved(change: object) -> None:
    text = change(log())  # type: ignore[operator]
    assert [said for _, said, _ in programs(read(text)[1])] == [said for _, said, _ in programs(read(log())[1])]


def test_one_changed_line_makes_another_program() -> None:
    assert programs(read(log())[1])[0][1] != programs(read(log(OTHER))[1])[0][1]


def test_every_trial_has_the_program_above_it() -> None:
    found = programs(read(log() + SPEEDRUN + log(OTHER))[1])
    assert [trial for trial, *_ in found] == [0, 1, 2]
    assert found[0][1:] == found[1][1:] != found[2][1:]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    for name, text in (("a", log()), ("b", log(OTHER, "6.0000")), ("c", log(loss="6.2000"))):
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def made(folder: Path, **options: object) -> tuple[str, dict[str, object]]:
    """Summary.md and summary.json."""
    out = folder.parent / "out"
    build(Request((str(folder),), out=str(out), dashboard=False, **options))  # type: ignore[arg-type]
    return (out / "Summary.md").read_text(encoding="utf-8"), json.loads((out / "summary.json").read_text(encoding="utf-8"))


def test_different_programs_are_said_before_the_comparison(logs: Path) -> None:
    text, _ = made(logs)
    (said,) = [line for line in text.splitlines() if "**pasted program** differs" in line]
    assert "(2 runs: a, c)" in said
    assert "(1 run: b)" in said
    (logs / "b.txt").unlink()
    text, _ = made(logs)
    assert "pasted program" not in text.partition("## Findings")[0]


def test_runs_of_one_program_can_be_taken_as_repeats(logs: Path) -> None:
    hint = "`--group-by pasted_program` shows their spread"
    assert hint in made(logs)[0]
    text, _ = made(logs, group_by=("pasted_program",))
    assert hint not in text
    assert text.startswith("<!-- written by ngtreport 0.1.0; rebuild: ngtreport build runs --group-by pasted_program -->")
    assert "Groups of runs whose pasted_program is equal: mean" in text
    assert "best mean 6.1629 (" in text  # of a and c: 6.1258 and 6.2000
    assert "; lower, but one run: 6.0000 (b)" in text


def compared(folder: Path, *arguments: str) -> Result:
    made(folder)
    return CliRunner().invoke(cli, ["compare", *arguments, "--dir", str(folder.parent / "out")], prog_name="ngtreport")


def test_a_diff_of_the_programs_names_where_they_stand(logs: Path) -> None:
    lines = compared(logs, "a", "b", "--program").stdout.splitlines()
    assert lines[:2] == ["--- a.txt:2", "+++ b.txt:2"]
    assert [line for line in lines[2:] if line[0] in "+-"] == ["-import sys", "+import time"]
    assert compared(logs, "a", "c", "--program").stdout == "both logs hold the same program: a.txt:2 and c.txt:2\n"
    assert "careful: pasted program differs" in compared(logs, "a", "b").stdout


def test_without_a_program_or_its_file_the_diff_says_so(logs: Path) -> None:
    (logs / "c.txt").write_text(SPEEDRUN.replace("6.1258", "6.3"), encoding="utf-8")
    result = compared(logs, "a", "c", "--program")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "the log of c holds no program" in result.stderr
    assert "--program prints a diff" in compared(logs, "a", "b", "--program", "--json").stderr
    (logs / "b.txt").unlink()
    result = CliRunner().invoke(cli, ["compare", "a", "b", "--program", "--dir", str(logs.parent / "out")], prog_name="ngtreport")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "the program of b cannot be read from b.txt: " in result.stderr


def test_a_log_that_is_cut_within_its_program_reads_on_as_if_it_had_been_whole(logs: Path) -> None:
    whole = made(logs)
    text = (logs / "b.txt").read_text(encoding="utf-8")
    for end in (len(RULER) + len(PROGRAM) // 2, text.index("step:20/40")):
        (logs / "b.txt").write_text(text[:end], encoding="utf-8")
        made(logs)
        (logs / "b.txt").write_text(text, encoding="utf-8")
        assert made(logs) == whole
