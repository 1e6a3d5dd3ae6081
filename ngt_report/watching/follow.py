"""Looks again and again: a screen that redraws itself, and ends quietly when its terminal is gone."""

from __future__ import annotations

import contextlib
import errno
import os
import queue
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
    """While entered, SIGHUP is a wish to end that is granted between two looks, so that what is kept is kept whole.

    Only what is reentrant may be called by a handler: an Event's lock may be held by the very thread that the signal interrupts.
    """

    def __init__(self) -> None:
        self.came = False
        self._woken: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._before: object = None

    def __enter__(self) -> Hangup:
        if hasattr(signal, "SIGHUP") and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGHUP, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGHUP, self._before)  # type: ignore[arg-type]

    def wait(self, seconds: float) -> bool:
        """Whether a hangup came before so many seconds were over."""
        with contextlib.suppress(queue.Empty):
            self._woken.get(timeout=seconds)
        return self.came

    def _note(self, _: int, __: FrameType | None) -> None:
        self.came = True
        self._woken.put(None)


def follow(paths: tuple[str, ...], every: float, draw: Drawing, wait: Callable[[float], bool] | None = None) -> None:
    """Draw until Ctrl+C, a hangup, or until nobody reads: `wait` returns whether to end.

    Raises:
        BrokenPipeError: stdout is closed, or its terminal is gone.
    """
    terminal = sys.stdout.isatty()
    looks: Looks | None = None
    with Hangup() as hangup:
        while not hangup.came:
            began = time.monotonic()
            looks = looks or Looks(paths)
            text = draw(look(paths, looks))
            _write(HOME + text.replace("\n", f"{CLEAR_LINE}\n") + CLEAR_LINE + "\n" + CLEAR_BELOW if terminal else text + "\n")
            if (wait or hangup.wait)(max(0.05, every - (time.monotonic() - began))):
                return


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as e:
        if e.errno in (errno.EIO, errno.ENXIO):  # the terminal was dropped
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from e
        raise
