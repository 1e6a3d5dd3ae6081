"""SIGTERM and SIGINT as a wish that the training loop grants after the step it is in."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

WATCHED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")  # the last is what batch systems send before the end


class Interrupts:
    """While entered, `asked` is the name of the first signal that came, or empty; a second SIGINT ends at once.

    A signal that is ignored already stays so: nohup ignores SIGHUP for what it starts, a shell SIGINT for what it puts in the background.
    """

    def __init__(self) -> None:
        self.asked = ""
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for name in WATCHED:
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        if self.asked == "SIGINT" and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = self.asked or signal.Signals(number).name
