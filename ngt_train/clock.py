"""Two clocks: training only, which stops for evaluation, checkpoints and waiting for data, and the wall."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Clock:
    """Seconds of training over the whole run; `settle` waits for the device, so that its queue counts where it belongs."""

    def __init__(self, before_s: float = 0.0, wall_before_s: float = 0.0, settle: Callable[[], None] = lambda: None) -> None:
        self._settle = settle
        self._base_s = before_s
        self._wall_base_s = wall_before_s
        self._began = self._since = time.perf_counter()
        self._apart_s = 0.0  # of this segment, not training
        self._depth = 0

    @property
    def elapsed_s(self) -> float:
        """Training seconds over the whole run."""
        now = self._since if self._depth else time.perf_counter()
        return self._base_s + now - self._began - self._apart_s

    @property
    def wall_s(self) -> float:
        """Seconds over the whole run, everything included."""
        return self._wall_base_s + time.perf_counter() - self._began

    @contextmanager
    def apart(self) -> Iterator[None]:
        """What happens inside is not training."""
        if not self._depth:
            self._settle()
            self._since = time.perf_counter()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self._settle()
                self._apart_s += time.perf_counter() - self._since

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Waiting for data is not training, where nothing goes on meanwhile."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._apart_s += time.perf_counter() - began
