"""`ngtreport watch`: builds again when a log has changed, and serves the page meanwhile.

Between two builds nothing is open: a kill at any time leaves the report of the last build, whole.
"""

from __future__ import annotations

import os
import threading
import time
import webbrowser
from collections.abc import Callable

from msgspec.structs import replace

from ngt_report import build as building
from ngt_report import share
from ngt_report.build import Built, Request
from ngt_report.errors import ReportError, UsageError
from ngt_report.reports import shown
from ngt_report.watching.serve import HERE, Server

PAUSE = 0.2  # seconds between two looks at the files' sizes
REST = 0.1  # of the time that a build took, nothing is built after it


class Watch:
    """A report that is kept up to date, and its server."""

    def __init__(self, request: Request, port: int) -> None:
        _, _, self.folder = building.prepare(request)
        self.request = replace(request, out=str(self.folder))
        self.shown = shown(self.folder)
        about = {"program": "ngtreport watch", "watching": " ".join(request.paths), "report": str(self.folder), "pid": os.getpid()}
        self.server = Server(self.folder, port, about)
        self.url = f"http://{HERE}:{self.server.port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True)
        self.thread.start()
        self.problem, self.built = "", False

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def show(self) -> bool:
        """Open the page in the browser; whether there is one."""
        return webbrowser.open(self.url)

    def once(self, say: Callable[[str], None]) -> Built | None:
        """Build if anything changed, and tell the pages; a build that cannot be made now is said once and tried again."""
        try:
            built = building.build(self.request)
        except (ReportError, OSError) as e:  # a log that vanished, another build, a half-saved ngtreport.toml
            if isinstance(e, UsageError) and not self.built:
                raise
            if str(e) != self.problem:
                say(f"not built: {e}")
            self.problem = str(e)
            return None
        self.built = True
        self.problem = ""
        self.server.built()
        return built

    def run(self, say: Callable[[str], None]) -> None:
        """Until Ctrl+C."""
        try:
            while True:
                began = time.monotonic()
                built = self.once(say)
                took = time.monotonic() - began
                for name in built.changes.kept if built else ():
                    say(share.kept_line(name, self.shown))
                if built and built.anew:
                    say(f"{time.strftime('%H:%M:%S')}  read {built.read} of {built.files} files, {took:.1f} s")
                time.sleep(max(PAUSE, REST * took if built and built.anew else 0.0))
        except KeyboardInterrupt:
            say("ended; the report stays")
