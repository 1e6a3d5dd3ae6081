"""show and findings: the same numbers in every form, fitted to where they go."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ngt_report import terminal
from ngt_report.commands import cli

Run = Callable[..., Result]


def test_the_files_are_printed_as_they_are(run: Run, built: Path) -> None:
    for option, name in (("--md", "Summary.md"), ("--csv", "results.csv"), ("--json", "summary.json")):
        assert run("show", option).stdout == (built / name).read_text(encoding="utf-8")


def test_the_table_is_in_the_order_of_the_ranking(run: Run, built: Path) -> None:
    summary = json.loads((built / "summary.json").read_text(encoding="utf-8"))
    text = run("show").stdout
    ranked = re.findall(r"(?m)^(\d+)  (\S+) +([\d.]+) +(\d+) +([\d.]+)", text)
    by_name = {r["run"]: r for r in summary["runs"]}
    assert [r[1] for r in ranked] == summary["comparisons"][0]["ranking"]
    assert all(
        (r[2], int(r[3]), r[4]) == (by_name[r[1]]["best"]["logged"], by_name[r[1]]["best"]["step"], by_name[r[1]]["last"]["logged"])
        for r in ranked
    )
    assert "not ranked\n" in text
    assert "and 4 more: --top 0 shows all" in run("show", "--top", 2).stdout


def test_short_fits_a_chat(run: Run, tmp_path: Path) -> None:
    text = run("show", "--short").stdout
    assert text.startswith("```\nw3_25m: 6 runs, 1 continuation\n")
    assert text.rstrip().endswith("```")
    assert len(text) <= 2000
    for i in range(60):
        name = tmp_path / "logs" / ("```" * 20 + f"{i:03}.log")
        name.parent.mkdir(exist_ok=True)
        name.write_text(f"step 1/2 val_loss=4.5\nstep 2/2 val_loss={4 + i / 100}\n")
    assert CliRunner().invoke(cli, ["build", str(tmp_path / "logs"), "-o", str(tmp_path / "out")]).exit_code == 0
    many = CliRunner().invoke(cli, ["show", str(tmp_path / "out"), "--short"]).stdout.rstrip("\n")
    assert len(many) <= 2000
    assert many.count("```") == 2
    assert re.search(r"and \d+ more\n```$", many)


def test_latex_is_one_booktabs_table_with_the_best_in_bold(run: Run) -> None:
    text = run("show", "--latex").stdout
    assert text.count(r"\begin{tabular}") == text.count(r"\toprule") == text.count(r"\bottomrule") == 1
    assert r"screen\_vanilla\_25m & \textbf{4.5524} & 13500 & \textbf{4.5554} & \textbf{95.14} & -- & \textbf{4.964} \\" in text
    assert re.search(r"(?<!\\)_", text) is None


def test_findings_are_listed_and_may_fail(run: Run, built: Path) -> None:
    known = json.loads((built / "summary.json").read_text(encoding="utf-8"))["findings"]
    assert len(run("findings").stdout.splitlines()) == len(known)
    assert json.loads(run("findings", "--json").stdout) == known
    assert run("findings", "--fail-on", "error").exit_code == 0
    failed = run("findings", "--fail-on", "info")
    assert failed.exit_code == 1
    assert f"{len(known)} findings are of level info or above" in failed.stderr


def test_a_hostile_name_reaches_no_terminal(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    for name, loss in (("a\x1b[31mred\u202eb", 4.0), ("plain", 4.1)):
        (logs / f"{name}.log").write_text(f"step 1/2 val_loss=5.0\nstep 2/2 val_loss={loss}\n")
    CliRunner().invoke(cli, ["build", str(logs), "-o", str(tmp_path / "out")])
    for args in (["show"], ["show", "--short"], ["show", "--latex"], ["findings"]):
        result = CliRunner().invoke(cli, [*args, str(tmp_path / "out")])
        assert result.exit_code == 0
        assert not set("\x1b\u202e") & set(result.stdout)


@pytest.mark.parametrize(
    ("text", "room", "short"),
    [("abcdef", 6, "abcdef"), ("abcdefgh", 6, "ab..gh"), ("日本語日本語", 8, "日本..語"), ("abcdefgh", 7, "abc..gh")],
)
def test_shorten_keeps_both_ends(text: str, room: int, short: str) -> None:
    assert terminal.shorten(text, room) == short
    assert terminal.cells(short) <= room


def test_a_table_fits_by_shortening_and_then_by_dropping() -> None:
    rows = [("a_long_name_of_a_run_that_goes_on", "1.0", "note")]
    wide = terminal.table(("run", "best", "status"), rows, "lrl")
    assert wide[1] == "a_long_name_of_a_run_that_goes_on   1.0  note"
    narrow = terminal.table(("run", "best", "status"), rows, "lrl", 30, droppable=("status",))
    assert [len(line) <= 30 for line in narrow] == [True, True]
    assert narrow[0].split() == ["run", "best"]


class Screen:
    """A stream that says whether it is a terminal."""

    def __init__(self, tty: bool) -> None:
        self.tty, self.text = tty, ""

    def isatty(self) -> bool:
        return self.tty

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...


def test_progress_shows_on_a_terminal_after_a_while_and_clears_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    screen, pipe = Screen(True), Screen(False)
    for stream in (screen, pipe):
        now[0] = 0.0
        progress = terminal.Progress(stream)  # type: ignore[arg-type]
        progress(0, 4_000_000, "a.log")
        assert stream.text == ""
        now[0] = 1.0
        progress(1_000_000, 4_000_000, "b\x1b.log")
        progress.clear()
    assert "25%  1.0 of 4.0 MB  b\ufffd.log" in screen.text
    assert screen.text.endswith("\r\x1b[K")
    assert pipe.text == ""


def test_diff_only_lists_just_the_settings_that_differ(run: Run, built: Path) -> None:
    found = {s["key"]: s["values"] for s in json.loads(run("show", "--diff-only", "--json").stdout)["settings"]}
    assert [(v["value"], len(v["runs"])) for v in found["model"]] == [("ngt", 6), ("vanilla", 1)]
    assert all(len(values) > 1 for values in found.values())
    assert "vocab_size" not in found
    text = run("show", "--diff-only").stdout
    assert re.search(r"(?m)^model +ngt +6 ", text)
    assert "recorded by some runs only, with one value: " in text
    assert re.search(r"(?m)^flags .*\n +and \d more", run("show", "--diff-only", "--top", 1).stdout)


def test_diff_only_of_runs_that_differ_in_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "one.log").write_text("step 1/2 val_loss=4.5\nstep 2/2 val_loss=4.1\n")
    CliRunner().invoke(cli, ["build", str(tmp_path / "one.log"), "-o", str(tmp_path / "out")])
    assert CliRunner().invoke(cli, ["show", str(tmp_path / "out"), "--diff-only"]).stdout == "one run: there is nothing to differ from\n"
    refused = CliRunner().invoke(cli, ["show", str(tmp_path / "out"), "--diff-only", "--csv"])
    assert refused.exit_code == 2
    assert "--diff-only prints a table" in refused.stderr
