"""`ngtreport watch`: what it serves, to whom, and what becomes of it when it is killed or another one is there."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner

from ngt_report.build import Request, build
from ngt_report.commands import cli
from ngt_report.errors import ReportError, UsageError
from ngt_report.page import shell
from ngt_report.watching.watch import Watch
from tests.browser import Browser

TOP = Path(__file__).parents[1]


def log(upto: int) -> str:
    return "".join(f"step {s}/2000 train_loss=4.5 val_loss={5 - s / 2000:.4f} elapsed={s / 10:.1f}s\n" for s in range(100, upto + 1, 100))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs" / "g"
    folder.mkdir(parents=True)
    (folder / "a.log").write_text(log(500))
    return folder


@pytest.fixture
def watch(logs: Path, tmp_path: Path) -> Iterator[Watch]:
    with Watch(Request((str(logs),), out=str(tmp_path / "out")), 0) as made:
        yield made


def ask(watch: Watch, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body."""
    connection = http.client.HTTPConnection("127.0.0.1", watch.server.port, timeout=60)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read().decode()
    connection.close()
    return found


def test_only_the_reports_files_are_served(watch: Watch) -> None:
    assert "first build" in ask(watch)[2]
    watch.once(print)
    for name in ("dashboard.html", "Summary.md", "results.csv", "summary.json"):
        status, headers, body = ask(watch, f"/{name}")
        assert status == 200 and body and headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"
    assert ask(watch)[2] == ask(watch, "/dashboard.html")[2]
    assert ask(watch, "/", "HEAD")[2] == ""
    for path in ("/report.duckdb", "/.ngtreport.json", "/NOTES.md", "/../logs/g/a.log", "//etc/passwd", "/%2e%2e/x", "/Summary.md/x"):
        assert ask(watch, path)[0] == 404, path


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_nothing_but_reading_is_answered(method: str, watch: Watch) -> None:
    assert ask(watch, "/", method)[0] >= 400


@pytest.mark.parametrize(("host", "status"), [
    ("127.0.0.1:8765", 200), ("localhost", 200), ("LOCALHOST:1", 200), ("[::1]:9", 200), ("evil.example", 421),
    ("127.0.0.1.evil.example", 421), ("localhost:80@evil.example", 421), ("", 421), ("0.0.0.0:80", 421),
])  # fmt: skip
def test_a_name_that_was_bound_to_this_machine_is_refused(host: str, status: int, watch: Watch) -> None:
    watch.once(print)
    for path in ("/", "/events" if status != 200 else "/about.json"):
        assert ask(watch, path, Host=host)[0] == status


def test_the_policy_admits_one_script_and_the_events_more(watch: Watch) -> None:
    watch.once(print)
    _, headers, body = ask(watch)
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', body)
    assert found is not None
    file = re.search(r'Content-Security-Policy" content="([^"]*)"', (watch.folder / "dashboard.html").read_text(encoding="utf-8"))
    assert file is not None
    served, own = unescape(found[1]), unescape(file[1])
    digest = b64encode(hashlib.sha256(shell.asset("live.js").encode()).digest()).decode()
    assert served == own.replace("script-src ", f"script-src 'sha256-{digest}' ").replace("connect-src 'none'", "connect-src 'self'")
    assert headers["Content-Security-Policy"] == f"{served}; frame-ancestors 'none'"
    assert "connect-src 'none'" in own  # the file is as build writes it


def test_the_events_say_when_a_build_made_another_page(watch: Watch, logs: Path) -> None:
    watch.once(print)
    connection = http.client.HTTPConnection("127.0.0.1", watch.server.port, timeout=60)
    connection.request("GET", "/events")
    answer = connection.getresponse()
    assert answer.getheader("Content-Type") == "text/event-stream"

    def mark() -> bytes:
        return [answer.readline() for _ in range(3)][1]

    first = mark()
    assert first == f"data: {watch.server.mark}\n".encode()
    watch.once(print)  # nothing changed: nothing is said
    with (logs / "a.log").open("a") as f:
        f.write("step 600/2000 train_loss=4.4 val_loss=4.1111 elapsed=60.0s\n")
    watch.once(print)
    assert mark() == f"data: {watch.server.mark}\n".encode() != first
    connection.close()


def test_a_second_watch_says_who_has_the_port(watch: Watch, logs: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["watch", str(logs), "-o", str(tmp_path / "other"), "--port", str(watch.server.port)])
    assert done.exit_code == 3 and done.stdout == ""
    assert f"is held by ngtreport watch {logs} (process {os.getpid()})" in done.stderr and watch.url in done.stderr


def test_a_build_that_cannot_be_made_is_said_once_and_tried_again(watch: Watch, logs: Path) -> None:
    said: list[str] = []
    watch.once(said.append)
    (logs / "ngtreport.toml").write_text("baseline = 'a")  # half saved
    assert watch.once(said.append) is watch.once(said.append) is None
    assert len(said) == 1 and "not valid TOML" in said[0]
    (logs / "ngtreport.toml").write_text("title = 'evening'")
    assert watch.once(said.append) is not None
    assert ask(watch)[2].count("<h1>evening</h1>") == 1


def test_what_cannot_be_meant_is_an_error_at_once(logs: Path, tmp_path: Path) -> None:
    (logs / "ngtreport.toml").write_text("baselin = 'a'")
    with pytest.raises(UsageError):
        Watch(Request((str(logs),), out=str(tmp_path / "out")), 0)
    with pytest.raises(ReportError, match="no such file"):
        Watch(Request((str(tmp_path / "no"),)), 0)


def test_the_database_is_closed_between_builds(watch: Watch) -> None:
    watch.once(print)
    done = CliRunner().invoke(cli, ["query", "SELECT count(*) FROM runs", "--dir", str(watch.folder), "--csv"])
    assert (done.exit_code, done.stdout.split()[-1]) == (0, "1")


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_kill_at_any_time_loses_nothing(logs: Path, tmp_path: Path) -> None:
    out, cold = tmp_path / "out", tmp_path / "cold"
    code = "from ngt_report.commands import main; main()"
    command = [sys.executable, "-c", code, "watch", str(logs), "-o", str(out), "--port", "0"]
    env = {**os.environ, "PYTHONPATH": str(TOP)}
    for turn, wait in enumerate((0.1, 0.4, 0.9)):
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout is not None and process.stdout.readline().startswith(b"http://127.0.0.1:")
        (logs / "a.log").write_text(log(700 + 100 * turn))
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    for folder in (out, cold):
        build(Request((str(logs),), out=str(folder)))
    for name in ("Summary.md", "results.csv", "summary.json", "dashboard.html"):
        assert (out / name).read_bytes() == (cold / name).read_bytes()


def test_the_page_loads_itself_anew_and_keeps_its_view(watch: Watch, logs: Path, chromium: Browser) -> None:
    watch.once(print)
    chromium.events.clear()
    chromium.call("Page.navigate", url="about:blank")
    chromium.call("Page.navigate", url=watch.url + "#sort=-best")
    drawn = "document.readyState === 'complete' && performance.getEntriesByName('drawn').length > 0"
    chromium.wait(drawn)
    assert "4.1234" not in chromium.js("document.body.innerText")
    with (logs / "a.log").open("a") as f:
        f.write("step 600/2000 train_loss=4.4 val_loss=4.1234 elapsed=60.0s\n")
    watch.once(print)
    chromium.wait("document.body?.innerText.includes('4.1234')")
    chromium.wait(drawn)
    assert chromium.js("location.hash") == "#sort=-best"
    asked = {url.removeprefix(watch.url).partition("#")[0] for url in chromium.requests()}
    assert asked == {"", "events"} and chromium.problems() == []
    if where := os.environ.get("NGT_PICTURE"):
        chromium.picture(Path(where), whole=False)
    chromium.call("Page.navigate", url="about:blank")
