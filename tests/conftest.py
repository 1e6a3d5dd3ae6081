"""What several tests use: a report of the sample, the command line in this process, a way to write input files."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from click.testing import CliRunner, Result

from ngt_report.build import Request, build
from ngt_report.commands import cli
from tests.browser import Browser

hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")  # machines are, and no test has a time limit

gc.disable()  # what is imported stays: to look through torch again and again for garbage took a third of the collection
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in the background of a shell: the tests of Ctrl+C waited for ever
    signal.signal(signal.SIGINT, signal.default_int_handler)

LOGS = Path(__file__).parent / "data" / "w3_25m" / "logs" / "w3_25m"


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report of the sample runs. Tests only read it."""
    folder = tmp_path_factory.mktemp("built") / "artifacts" / "w3_25m"
    build(Request((str(LOGS),), out=str(folder)))
    return folder


@pytest.fixture
def run(built: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command beside the sample's report; stdout and stderr stay apart."""
    monkeypatch.chdir(built.parents[1])
    monkeypatch.delenv("COLUMNS", raising=False)
    return lambda *args: CliRunner().invoke(cli, [str(a) for a in args], prog_name="ngtreport")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a file below tmp_path."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        return path

    return write


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests."""
    browser = Browser()
    yield browser
    browser.close()
