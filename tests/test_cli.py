"""The command line as a whole: exit codes, what goes where, and that the docs list all of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from ngt_report import __version__
from ngt_report.commands import cli
from ngt_report.engine import interrupted
from ngt_report.reports import database
from ngt_report.store import Store
from tests.conftest import LOGS

TOP = Path(__file__).parents[1]
Run = Callable[..., Result]
HEAVY = ("duckdb", "jinja2", "pandas", "numpy", "altair", "plotly", "torch", "orjson", "msgspec")


def shell(*args: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(TOP), **environment}
    return subprocess.run(
        [sys.executable, "-m", "ngt_report.commands", *args], cwd=cwd, env=env, capture_output=True, text=True, encoding="utf-8"
    )


# -- build and demo -----------------------------------------------------------------------------------------------------
def test_build_prints_the_path_of_the_summary_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = CliRunner().invoke(cli, ["build", str(LOGS)])
    assert (first.exit_code, first.stdout) == (0, "artifacts/w3_25m/Summary.md\n")
    assert re.fullmatch(r"read (\d+) of \1 files; the report is in artifacts/w3_25m\n", first.stderr)
    again = CliRunner().invoke(cli, ["build", str(LOGS)])
    assert (again.exit_code, again.stdout) == (0, first.stdout)
    assert "up to date" in again.stderr
    quiet = CliRunner().invoke(cli, ["build", str(LOGS), "-q"])
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, first.stdout, "")


def test_small_builds_and_rebuilds_load_no_numpy_and_only_duckdbs_engine(tmp_path: Path, write: Callable[[str, str], Path]) -> None:
    lines = [f"step {i}/90000 train_loss=4.5 val_loss=4.25 elapsed={i}s" for i in range(1, 8000)]
    log = write("in/a.log", "\n".join(lines[:7900]) + "\n")  # more than a block that needs no numpy
    code = (
        "import sys; from ngt_report.commands import main\n"
        "try: main()\nfinally: print(*({'numpy', 'duckdb'} & set(sys.modules)), file=sys.stderr)"
    )

    def loaded(*args: str) -> str:
        done = subprocess.run([sys.executable, "-c", code, "build", *args, "-q", "--no-dashboard"], cwd=TOP, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stderr.strip()

    assert loaded(str(LOGS), "-o", str(tmp_path / "sample")) == ""
    assert loaded(str(log), "-o", str(tmp_path / "out")) == "numpy"
    write("in/a.log", "\n".join(lines) + "\n")
    assert loaded(str(log), "-o", str(tmp_path / "out")) == ""


def test_a_folder_without_runs_is_built_with_a_warning(tmp_path: Path, write: Callable[[str, str], Path]) -> None:
    write("in/a.log", "hello\n")
    result = CliRunner().invoke(cli, ["build", str(tmp_path / "in"), "-o", str(tmp_path / "out")])
    assert result.exit_code == 0
    assert "no run with metrics" in result.stderr


def test_check_exits_1_when_stale_and_0_when_not(tmp_path: Path, write: Callable[[str, str], Path]) -> None:
    log = write("a.log", "step 1/2 val_loss=4.5\nstep 2/2 val_loss=4.0\n")
    args = ["build", str(log), "-o", str(tmp_path / "out")]
    assert CliRunner().invoke(cli, [*args, "--check"]).exit_code == 1
    assert CliRunner().invoke(cli, args).exit_code == 0
    assert CliRunner().invoke(cli, [*args, "--check"]).exit_code == 0
    write("a.log", "step 1/2 val_loss=4.5\nstep 2/2 val_loss=3.0\n")
    stale = CliRunner().invoke(cli, [*args, "--check"])
    assert (stale.exit_code, stale.stdout) == (1, "")
    assert "stale" in stale.stderr


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["build", "nowhere"], 3),
        (["build"], 2),
        (["build", str(LOGS), "--step", "x"], 2),
        (["bild"], 2),
        (["show", "--nope"], 2),
        (["explain", "nowhere.log"], 3),
        (["explain", str(LOGS)], 2),
    ],
)
def test_errors_are_one_sentence_and_their_code(run: Run, args: list[str], code: int) -> None:
    result = run(*args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert "Traceback" not in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: ")


def test_debug_shows_the_traceback_before_or_after_the_command(run: Run) -> None:
    for args in (["--debug", "build", "nowhere"], ["build", "nowhere", "--debug"]):
        assert type(run(*args).exception).__name__ == "ReportError"


def test_demo_prints_where_the_summary_is_and_its_headline(tmp_path: Path) -> None:
    done = shell("demo", cwd=tmp_path)
    where, blank, *headline = done.stdout.splitlines()
    assert (done.returncode, where, blank) == (0, "artifacts/w3_25m/Summary.md", "")
    assert (tmp_path / where).is_file()
    assert any(line.startswith("- Best overall: screen_vanilla_25m, val loss 4.5554 (ppl 95.14)") for line in headline)


def test_options_come_from_the_environment(tmp_path: Path) -> None:
    done = shell("build", str(LOGS), cwd=tmp_path, NGTREPORT_BUILD_OUT="elsewhere", NGTREPORT_BUILD_BASELINE="ngt_default")
    assert done.stdout == "elsewhere/Summary.md\n"
    assert "Baseline: screen_ngt_default (it was named)" in (tmp_path / "elsewhere" / "Summary.md").read_text(encoding="utf-8")


# -- which report -------------------------------------------------------------------------------------------------------
def test_the_only_report_is_meant_and_several_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[str, str], Path]
) -> None:
    monkeypatch.chdir(tmp_path)
    none = CliRunner().invoke(cli, ["show"])
    assert none.exit_code == 3
    assert "ngtreport build" in none.stderr
    for name in ("alpha", "beta", "sample"):
        log = write(f"{name}.log", "step 1/2 val_loss=4.5\nstep 2/2 val_loss=4.0\n")
        assert CliRunner().invoke(cli, ["build", str(log)]).exit_code == 0
    several = CliRunner().invoke(cli, ["show"])
    assert several.exit_code == 2
    assert "2 reports (alpha, beta)" in several.stderr
    for named in ("alpha", "artifacts/alpha", "artifacts/alpha/Summary.md"):
        assert CliRunner().invoke(cli, ["show", named]).stdout.startswith("alpha: 1 run\n")
    assert "did you mean 'alpha'" in CliRunner().invoke(cli, ["show", "alfa"]).stderr
    assert CliRunner().invoke(cli, ["show"], env={"NGTREPORT_DIR": "beta"}).stdout.startswith("beta: 1 run\n")


# -- terminals, pipes, imports ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("module", ["ngt_report", "ngt_report.commands"])
def test_every_way_in_has_all_commands(module: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(TOP)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    listed = re.findall(r"(?m)^  (\w+) ", done.stdout.partition("Commands:\n")[2])
    assert listed == list(cli.commands)
    assert done.stdout.startswith("Usage: ngtreport [OPTIONS]")


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from ngt_report.commands import cli; cli(['--help'], standalone_mode=False);"
        f" print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(TOP)}, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_a_reader_that_leaves_is_no_error(built: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(TOP)}
    command = [sys.executable, "-m", "ngt_report.commands", "export", str(built), "--json"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141


def test_a_pipe_gets_no_colours(built: Path) -> None:
    assert "\x1b" not in shell("show", str(built), cwd=built).stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_gets_colours_unless_no_color_is_set(built: Path) -> None:
    assert b"\x1b[1m" in on_terminal(["show", str(built)])
    assert b"\x1b" not in on_terminal(["show", str(built)], NO_COLOR="1")
    lines = on_terminal(["show", str(built)], NO_COLOR="1", COLUMNS="70").decode().splitlines()
    assert max(len(line) for line in lines if "screen_" in line and "/" not in line and ";" not in line) <= 70


def on_terminal(args: list[str], **environment: str) -> bytes:
    import pty

    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")} | {
        "PYTHONPATH": str(TOP),
        "TERM": "xterm",
        **environment,
    }
    master, slave = pty.openpty()
    process = subprocess.Popen([sys.executable, "-m", "ngt_report.commands", *args], env=env, stdout=slave, stderr=slave, stdin=slave)
    os.close(slave)
    out = b""
    try:
        while chunk := os.read(master, 65536):
            out += chunk
    except OSError:  # Linux says so when the other side is closed
        pass
    process.wait()
    os.close(master)
    return out


def test_version(run: Run) -> None:
    assert run("--version").stdout == f"ngtreport, version {__version__}\n"


# -- docs ---------------------------------------------------------------------------------------------------------------
def test_the_docs_list_every_command_and_option_and_no_other() -> None:
    page = (TOP / "docs" / "cli.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"(?ms)^## (\w+)\n(.*?)(?=^## |\Z)", page))
    assert list(sections) == list(cli.commands)
    for name, command in cli.commands.items():
        documented = set(re.findall(r"(?m)^\| .*?\|", sections[name]))
        found = {option for cell in documented for option in re.findall(r"(?<![\w-])--?[a-z][\w-]*", cell)}
        options = {o for p in command.params if isinstance(p, click.Option) for o in p.opts}
        assert found == options - {"--debug"}, name
        assert command.help


def test_the_readme_lists_every_command() -> None:
    page = (TOP / "README.md").read_text(encoding="utf-8")
    assert [name for name in cli.commands if f"\n| `{name}" not in page] == []


# -- Ctrl+C -------------------------------------------------------------------------------------------------------------
@pytest.mark.skipif(sys.platform == "win32", reason="no signals there")
def test_ctrl_c_in_a_statement_is_an_interruption_and_no_defect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = CliRunner().invoke(cli, ["build", str(LOGS), "-o", str(tmp_path / "out"), "--no-dashboard"])
    assert built.exit_code == 0

    def opened(folder: Path) -> Store:
        store = database(folder)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        return store

    monkeypatch.setattr("ngt_report.ask.database", opened)
    long = "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b"
    done = CliRunner().invoke(cli, ["query", long, "--dir", str(tmp_path / "out")])
    assert (done.exit_code, done.stderr) == (130, "Error: interrupted\n")


@pytest.mark.parametrize("error", [RuntimeError("Query interrupted"), type("InterruptException", (Exception,), {})("INTERRUPT Error")])
def test_an_interrupted_statement_of_a_build_is_a_keyboard_interrupt(error: Exception, tmp_path: Path) -> None:
    class Connection:
        def execute(self, text: str) -> None:
            raise error

    store = Store(str(tmp_path / "a.duckdb"))
    store.error = Exception if "Interrupt" in type(error).__name__ else store.error
    store.con.close()
    store.con = Connection()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        store.run("SELECT 1")


def test_another_runtime_error_is_not_taken_for_ctrl_c() -> None:
    assert not interrupted(RuntimeError("Query interrupted by a bug of ours")) and not interrupted(ValueError("x"))
