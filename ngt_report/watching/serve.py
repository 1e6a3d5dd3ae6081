"""The server of `ngtreport watch`: the files of one report, on 127.0.0.1 only, and an event after each build.

It answers GET and HEAD for the names that the build wrote and for nothing else. A request whose Host is not this machine is
refused, so that a page elsewhere cannot reach it under a name of its own (DNS rebinding).
"""

from __future__ import annotations

import html
import json
import os
import re
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ngt_report import __version__
from ngt_report.atomic import digest
from ngt_report.errors import ReportError
from ngt_report.page import shell
from ngt_report.stamp import stamp_of

HERE = "127.0.0.1"
HOSTS = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?\Z", re.IGNORECASE)  # any port: it may be forwarded
POLICY = re.compile(r'(<meta http-equiv="Content-Security-Policy" content=")([^"]*)(">)')
KINDS = {
    ".html": "text/html; charset=utf-8", ".md": "text/markdown; charset=utf-8", ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
}  # fmt: skip
HEADERS = {
    "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
}  # fmt: skip
PAGE = "dashboard.html"
WAITING = (
    "<!doctype html>\n<meta charset='utf-8'><meta http-equiv='refresh' content='1'><title>ngtreport</title><p>The first build is under way."
)
LISTENERS = 32  # pages that may wait for events at a time
BEAT = 15.0  # seconds between two signs of life to a waiting page
IDLE = 30.0  # seconds that a connection may say nothing
PORT_TAKEN = 0.5  # seconds that we wait for the holder of a port to say who it is


class Server(ThreadingHTTPServer):
    """Serves one folder; `built` tells the pages."""

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # on Windows it would take a port that another has

    def __init__(self, folder: Path, port: int, about: dict[str, Any]) -> None:
        self.folder, self.about = folder, about
        self.changed = threading.Condition()
        self.mark = _mark(folder)
        self.listening = 0
        try:
            super().__init__((HERE, port), Handler)
        except (OSError, OverflowError) as e:
            raise ReportError(f"port {port} of {HERE} {_holder(port, e)}; give another with --port") from e

    @property
    def port(self) -> int:
        """The port that was taken."""
        return int(self.server_address[1])

    def built(self) -> None:
        """A build has ended: pages that are older load themselves anew."""
        with self.changed:
            self.mark = _mark(self.folder)
            self.changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that was closed while it was being answered is no error; anything else is shown."""
        import sys

        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def _mark(folder: Path) -> str:
    """What tells one state of the page from another: the checksum that the build wrote down."""
    return str(stamp_of(folder).outputs.get(PAGE, ""))[:16]


def _holder(port: int, error: Exception) -> str:
    """Who has a port, when it says so itself."""
    from http.client import HTTPConnection, HTTPException

    if getattr(error, "errno", None) not in _TAKEN:
        return f"cannot be had: {getattr(error, 'strerror', None) or error}"
    asked = HTTPConnection(HERE, port, timeout=PORT_TAKEN)
    try:
        asked.request("GET", "/about.json")
        about = json.loads(asked.getresponse().read(65536))
        return f"is held by ngtreport watch {about['watching']} (process {about['pid']}), whose page is http://{HERE}:{port}/"
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return "is held by another program"
    finally:
        asked.close()


def _taken() -> tuple[int, ...]:
    import errno

    return errno.EADDRINUSE, errno.EACCES, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE)


_TAKEN = _taken()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    server_version, sys_version = f"ngtreport/{__version__}", ""
    protocol_version = "HTTP/1.1"
    timeout = IDLE

    def do_GET(self) -> None:
        """The page, another file of the report, the stream of events, or who this is."""
        if not HOSTS.match(self.headers.get("Host", "")):
            self._say(HTTPStatus.MISDIRECTED_REQUEST, "this server answers to 127.0.0.1 and localhost only")
            return
        name = self.path.split("?", 1)[0].removeprefix("/") or PAGE
        if name == "events" and self.command == "GET":
            self._events()
        elif name == "about.json":
            self._send(json.dumps(self.server.about).encode(), KINDS[".json"])
        elif name in _known(self.server.folder):
            self._file(name)
        elif name == PAGE:
            self._send(WAITING.encode(), KINDS[".html"])
        else:
            self._say(HTTPStatus.NOT_FOUND, "there is no such file in this report")

    do_HEAD = do_GET

    def _file(self, name: str) -> None:
        try:
            data = (self.server.folder / name).read_bytes()
        except OSError:
            self._say(HTTPStatus.NOT_FOUND, "there is no such file in this report any more")
            return
        policy = "default-src 'none'"
        if name.endswith(".html"):
            data, policy = live(data.decode("utf-8", "replace"), digest(data)[:16])
        self._send(data, KINDS.get(Path(name).suffix, "application/octet-stream"), policy)

    def _send(self, data: bytes, kind: str, policy: str = "default-src 'none'", status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        for header, value in {**HEADERS, "Content-Type": kind, "Content-Security-Policy": policy}.items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _say(self, status: HTTPStatus, text: str) -> None:
        self._send(f"{text}\n".encode(), "text/plain; charset=utf-8", status=status)

    def _events(self) -> None:
        """Server-sent events: the page's mark at once, and after each build that made another."""
        server = self.server
        with server.changed:
            if server.listening >= LISTENERS:
                self._say(HTTPStatus.SERVICE_UNAVAILABLE, "too many pages are open")
                return
            server.listening += 1
        self.close_connection = True
        try:
            self.send_response(HTTPStatus.OK)
            for header, value in {**HEADERS, "Content-Type": "text/event-stream", "Connection": "close"}.items():
                self.send_header(header, value)
            self.end_headers()
            said = None
            while True:
                with server.changed:
                    server.changed.wait_for(lambda: server.mark != said, BEAT)  # noqa: B023 -- asked at once
                    mark = server.mark
                self.wfile.write(f"event: build\ndata: {mark}\n\n".encode() if mark != said else b": alive\n\n")
                self.wfile.flush()
                said = mark
        except (ConnectionError, TimeoutError):
            pass  # the page was closed
        finally:
            with server.changed:
                server.listening -= 1

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are nobody's news."""


def _known(folder: Path) -> frozenset[str]:
    """The names that the last build wrote."""
    return frozenset(stamp_of(folder).outputs)


def live(page: str, mark: str) -> tuple[bytes, str]:
    """A page that loads itself anew, and its policy: that of the file, and one script and this server's events more."""
    script = shell.asset("live.js")
    own = shell.hashed(script.encode("utf-8"))
    found = POLICY.search(page)
    if found is None:
        return page.encode(), "default-src 'none'; style-src 'unsafe-inline'"
    policy = html.unescape(found[2]).replace("script-src ", f"script-src {own} ", 1).replace("connect-src 'none'", "connect-src 'self'")
    added = f'<meta name="build" content="{mark}">'
    page = page[: found.start()] + found[1] + html.escape(policy, quote=True) + found[3] + added + page[found.end() :]
    at = page.rfind("</body>")
    return (page[:at] + f"<script>{script}</script>\n" + page[at:]).encode(), f"{policy}; frame-ancestors 'none'"
