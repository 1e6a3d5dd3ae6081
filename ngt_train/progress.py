"""The progress bar: one line on a terminal's stderr, nothing in a pipe."""

from __future__ import annotations

import shutil
import sys
import time

PAUSE_S = 0.2  # between two drawings
WIDTH = 20


class Bar:
    """`120/1000 ████░░░░ loss 5.1234 val 5.4021 12.3k tok/s ETA 0:01:30`."""

    def __init__(self, label: str, total: int, start: int = 0, wanted: bool = True) -> None:
        self.label, self.total, self.start = label, total, start
        self.shown = wanted and sys.stderr.isatty()
        self.facts: dict[str, str] = {}
        self._began = self._drawn = time.perf_counter()

    def fact(self, **facts: float) -> None:
        """What is written beside the bar from now on."""
        self.facts |= {name: f"{name} {value:.4f}" for name, value in facts.items()}

    def step(self, step: int, tokens_per_step: float) -> None:
        """So many steps are done."""
        now = time.perf_counter()
        if self.shown and now - self._drawn >= PAUSE_S:
            self._drawn = now
            rate = (step - self.start) / (now - self._began)
            self._write(f"\r{self.line(step, rate, tokens_per_step)}\x1b[K")

    def line(self, step: int, rate: float, tokens_per_step: float) -> str:
        """The line at a step, cut to the terminal; `rate` in steps per second."""
        filled = WIDTH * step // self.total
        left = f"ETA {clock((self.total - step) / rate)}" if rate else ""
        parts = [self.label, f"{step}/{self.total}", "█" * filled + "░" * (WIDTH - filled), *self.facts.values()]
        text = "  ".join((*parts, f"{short(rate * tokens_per_step)} tok/s", left))
        return text[: shutil.get_terminal_size().columns - 1]

    def say(self, text: str) -> None:
        """A line of its own above the bar; also written where there is no bar."""
        self._write(f"\r\x1b[K{text}\n" if self.shown else f"{text}\n")

    def close(self) -> None:
        """Leave the terminal's line empty."""
        if self.shown:
            self._write("\r\x1b[K")

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def clock(seconds: float) -> str:
    """`0:01:30`, hours without a bound."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def short(number: float) -> str:
    """`12.3k`, `4.56M`: three digits and a unit."""
    for unit in ("", "k", "M", "G", "T"):
        if number < 999.5 or unit == "T":
            break
        number /= 1000
    digits = 0 if number >= 99.95 or not unit else 1 if number >= 9.995 else 2
    return f"{number:.{digits}f}{unit}"
