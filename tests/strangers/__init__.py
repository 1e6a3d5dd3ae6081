"""Logs in the shapes that other people's scripts print, each with what a person reads from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

End = tuple[float, int | None, float, int | None]  # best, its step, last, its step


@dataclass(frozen=True)
class Stranger:
    """Files, and per run its ends; None for a run without a validation loss."""

    kind: str
    files: Mapping[str, str]
    runs: list[End | None]
    trained: int | None = None  # points of the training loss, over all runs
    seconds: float | None = None  # the train time of the only run
    finding: str | None = None


STRANGERS: dict[str, Stranger] = {}


def stranger(kind: str, name: str, files: str | Mapping[str, str], *runs: End | None, **more: object) -> None:
    """A log by its text, or files by name."""
    assert name not in STRANGERS, name
    held = {"run.log": files} if isinstance(files, str) else files
    STRANGERS[name] = Stranger(kind, held, list(runs), **more)  # type: ignore[arg-type]


def load() -> dict[str, Stranger]:
    """All of them."""
    from tests.strangers import bars, counts, documents, frameworks, headings, issues, kinds, later, prints, quotes, tables  # noqa: F401

    return STRANGERS
