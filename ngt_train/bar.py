"""A progress bar for what takes long: on a terminal only, nothing in a pipe."""

from __future__ import annotations

import sys
from typing import Any

import click


class StageBar:
    """Called with what is done, how much of it and of how much; each new `what` begins a bar of its own. A context manager."""

    def __init__(self) -> None:
        self._what = ""
        self._bar: Any = None

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """Show the state; with an unknown total, nothing."""
        if total is None or not sys.stderr.isatty():
            return
        if what != self._what:
            self.close()
            self._what = what
            self._bar = click.progressbar(length=total, label=what, file=sys.stderr, show_pos=False)
            self._bar.__enter__()
        self._bar.update(min(done, total) - self._bar.pos)

    def close(self) -> None:
        """End the line."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
        self._bar, self._what = None, ""

    def __enter__(self) -> StageBar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
