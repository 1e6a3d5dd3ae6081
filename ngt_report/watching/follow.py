"""Looks again and again: a screen that redraws itself, and ends quietly when its terminal is gone."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

from msgspec import Struct

from ngt_report.watching import screen
from ngt_report.watching.looks import Looks
from ngt_report.watching.status import Screen, look, to_json

HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


class Drawing(Struct, frozen=True):
    """How a screen is to be shown."""

    as_json: bool = False
    plain_ascii: bool = False
    everything: bool = False
    width: int | None = None

    def __call__(self, seen: Screen) -> str:
        if self.as_json:
            return to_json(seen)
        height = _height() if sys.stdout.isatty() and not self.everything else None
        return screen.to_text(seen, self.width, height, screen.ascii_only(self.plain_ascii))


def _height() -> int:
    import shutil

    return shutil.get_terminal_size().lines


def once(paths: tuple[str, ...], draw: Drawing) -> str:
    """One look."""
    return draw(look(paths))


class Hangup:
    """While entered, SIGHUP is a wish to end that is granted between two looks, so that what is kept is kept whole."""

    def __init__(self) -> None:
        self.came = threading.Event()
        self.before: object = None

    def __enter__(self) -> Hangup:
        if hasattr(signal, "SIGHUP") and threading.current_thread() is threading.main_thread():
            self.before = signal.signal(signal.SIGHUP, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self.before is not None:
            signal.signal(signal.SIGHUP, self.before)  # type: ignore[arg-type]

    def _note(self, _: int, __: FrameType | None) -> None:
        self.came.set()


def follow(paths: tuple[str, ...], every: float, draw: Drawing, wait: Callable[[float], bool] | None = None) -> None:
    """Draw until Ctrl+C, a hangup, or until nobody reads: `wait` returns whether to end.

    Raises:
        BrokenPipeError: stdout is closed, or its terminal is gone.
    """
    terminal = sys.stdout.isatty()
    looks: Looks | None = None
    with Hangup() as hangup:
        while not hangup.came.is_set():
            began = time.monotonic()
            looks = looks or Looks(paths)
            text = draw(look(paths, looks))
            _write(HOME + text.replace("\n", f"{CLEAR_LINE}\n") + CLEAR_LINE + "\n" + CLEAR_BELOW if terminal else text + "\n")
            if (wait or hangup.came.wait)(max(0.05, every - (time.monotonic() - began))):
                return


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as e:
        if e.errno in (errno.EIO, errno.ENXIO):  # the terminal was dropped
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from e
        raise
