"""A headless Chromium, driven over its DevTools protocol: opens a file, runs JavaScript, presses keys and buttons, takes pictures."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --hide-scrollbars --mute-audio --no-first-run --disable-extensions"
    " --disable-background-networking --disable-component-update --disable-sync --disable-default-apps --disable-dev-shm-usage"
    " --remote-debugging-port=0 --force-color-profile=srgb --use-angle=swiftshader --enable-unsafe-swiftshader"
).split()


def program() -> str:
    """Chromium's path; a test is skipped where there is none, but not in continuous integration, where there must be one."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("there is no Chromium here, and continuous integration may not skip the browser's tests")
    return found or pytest.skip("there is no Chromium here: install the package chromium to run the browser's tests")


# The middle of an element that did not move for two frames, if that is where a click reaches it.
STILL = """async (selector) => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const middle = () => { const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; };
  const e = document.querySelector(selector);
  e.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  await frame();
  const before = middle();
  await frame();
  const [x, y] = middle();
  return before[0] === x && before[1] === y && e.contains(document.elementFromPoint(x, y)) ? [x, y] : null;
}"""


class Browser:
    """One browser process with one tab."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="ngtreport-browser-", ignore_cleanup_errors=True)
        from websockets.sync.client import connect  # only where there is a browser

        profile = Path(self.folder.name) / "profile"
        self.process = subprocess.Popen([program(), *FLAGS, f"--user-data-dir={profile}", "about:blank"], stderr=subprocess.DEVNULL)
        self.closing = ExitStack()
        self.closing.callback(self._end)
        try:
            # no pings: their thread would draw from Python's global random state in the middle of other tests
            self.socket = self.closing.enter_context(connect(_address(profile), max_size=None, open_timeout=60, ping_interval=None))
        except BaseException:
            self.closing.close()
            raise
        self.count = 0
        self.events: list[dict[str, Any]] = []
        self.session: str | None = None
        self.hurried = False
        self._new_tab()
        self.downloads = Path(self.folder.name) / "downloads"
        self.downloads.mkdir()
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))

    def _new_tab(self) -> None:
        self.target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command of the protocol and its answer; events that come in between are kept."""
        self.count += 1
        message: dict[str, Any] = {"id": self.count, "method": method, "params": params}
        if self.session and not method.startswith(("Target.", "Browser.")):
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv(timeout=120))
            if answer.get("id") == self.count:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])
            self.events.append(answer)

    def js(self, code: str) -> Any:
        """The value of an expression in the page."""
        result = self.call("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True, userGesture=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait(self, code: str, seconds: float = 30) -> Any:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.js(code):
                return value
            time.sleep(0.03)
        raise AssertionError(f"it did not become true within {seconds} s: {code}\n{self.problems()}")

    def pass_time(self, seconds: float) -> None:
        """Let the clock of the page and all its timers run on by so much, at once; what is opened next has a tab with a clock as ever."""
        self.hurried = True
        self.call("Emulation.setVirtualTimePolicy", policy="advance", budget=seconds * 1000)
        while not any(e.get("method") == "Emulation.virtualTimeBudgetExpired" for e in self.events):
            self.events.append(json.loads(self.socket.recv(timeout=120)))

    def open(self, path: Path, hash: str = "", width: int = 1400, height: int = 900, dark: bool = False) -> None:
        """Open a file and wait until its curves are drawn."""
        if self.hurried:
            self.call("Target.closeTarget", targetId=self.target)
            self._new_tab()
            self.hurried = False
        self.events.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=path.resolve().as_uri() + hash)
        self.wait("document.readyState === 'complete' && performance.getEntriesByName('drawn').length > 0")

    def problems(self) -> list[str]:
        """Errors, refusals of the policy and other complaints since the page was opened."""
        self.js("1")
        out = []
        for event in self.events:
            params = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                out.append(str(params["exceptionDetails"].get("exception", {}).get("description") or params["exceptionDetails"]["text"]))
            elif event.get("method") == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                out.append(params["entry"]["text"])
        return out

    def requests(self) -> list[str]:
        """Addresses asked for since the page was opened, other than the file itself and its own data."""
        self.js("1")
        asked = [e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent"]
        return [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:"))]

    def click(self, selector: str) -> None:
        """Click the middle of an element with the mouse."""
        x, y = self.middle(selector)
        self.mouse("mousePressed", x, y)
        self.mouse("mouseReleased", x, y)

    def middle(self, selector: str) -> tuple[float, float]:
        """The middle of an element in the window, once it is there, stands still and nothing lies over it."""
        self.wait(f"!!document.querySelector({json.dumps(selector)})")
        x, y = self.wait(f"({STILL})({json.dumps(selector)})")
        return x, y

    def mouse(self, kind: str, x: float, y: float, buttons: int = 0, modifiers: int = 0) -> None:
        """A mouse event."""
        pressed = kind in ("mousePressed", "mouseReleased")
        held = {"button": "left" if pressed or buttons else "none", "buttons": 1 if pressed else buttons, "clickCount": int(pressed)}
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, modifiers=modifiers, **held)

    def drag(self, start: tuple[float, float], end: tuple[float, float], modifiers: int = 0) -> None:
        """Press, move, let go."""
        self.mouse("mousePressed", *start, modifiers=modifiers)
        for part in (0.3, 0.7, 1):
            self.mouse("mouseMoved", *(a + (b - a) * part for a, b in zip(start, end, strict=True)), buttons=1, modifiers=modifiers)
        self.mouse("mouseReleased", *end, modifiers=modifiers)

    def key(self, name: str, text: str = "") -> None:
        """Press and let go of a key."""
        self.call("Input.dispatchKeyEvent", type="keyDown", key=name, text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=name)

    def type(self, selector: str, text: str) -> None:
        """Put text into a field, as if typed."""
        self.js(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.focus(); e.value = ''; }})()")
        self.call("Input.insertText", text=text)

    def choose(self, selector: str, value: Any) -> None:
        """Set a list, a slider or a box, and tell the page."""
        code = "e.checked = v" if isinstance(value, bool) else "e.value = v"
        self.js(
            f"((v) => {{ const e = document.querySelector({json.dumps(selector)}); {code};"
            f" for (const k of ['input', 'change']) e.dispatchEvent(new Event(k, {{bubbles: true}})); }})({json.dumps(value)})"
        )

    def picture(self, path: Path, whole: bool = True) -> None:
        """A PNG of the page, whole or as in the window."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def downloaded(self, name: str, seconds: float = 20) -> bytes:
        """A file that the page saved."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            path = self.downloads / name
            if path.is_file() and path.stat().st_size:
                return path.read_bytes()
            time.sleep(0.05)
        raise AssertionError(f"{name} was not saved; there are {sorted(p.name for p in self.downloads.iterdir())}")

    def close(self) -> None:
        """End this browser."""
        self.closing.close()

    def _end(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.folder.cleanup()


def _address(profile: Path, seconds: float = 60) -> str:
    """Where the browser listens, once it says so in its profile."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(FileNotFoundError):
            said = (profile / "DevToolsActivePort").read_text().split()
            if len(said) == 2:
                return f"ws://127.0.0.1:{said[0]}{said[1]}"
        time.sleep(0.05)
    raise AssertionError(f"Chromium did not start within {seconds} s")
