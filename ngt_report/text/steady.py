"""The quick way for long stretches of equal lines whose step and clock only rise: their columns stay arrays, from text to database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ngt_report.text.spans import Span
from ngt_report.text.tokens import scaled

if TYPE_CHECKING:
    from ngt_report.text.reader import TextReader

PLAIN = frozenset({"@step", "@total", "@clock"})  # what such lines may count beside their metrics


def add_steady(reader: TextReader, span: Span) -> bool:
    """Whether the points of these lines were added; anything that falls or counts otherwise is left to the general way."""
    if span.columns is None or span.told or reader.lone.held or reader.epochs.epoch is not None or reader.dialect.iterations:
        return False
    columns = {v.name: (c, v) for c, v in zip(span.columns, span.shapes[0].values, strict=True)}
    if any(name[0] == "@" and name not in PLAIN for name in columns) or "@step" not in columns:
        return False
    steps = columns["@step"][0].values.astype("int64")
    clock = scaled(columns["@clock"][0].values, columns["@clock"][1].scale) if "@clock" in columns else None
    if _falls(steps, reader.last_step) or clock is not None and _falls(clock, reader.last_clock):
        return False
    if clock is not None:
        reader.elapsed, reader.last_clock = True, float(clock[-1])
    reader.add_points(span, steps, clock)
    return True


def _falls(values: Any, before: float | None) -> bool:
    """Whether a column falls anywhere, or below what came before it."""
    return before is not None and bool(values[0] < before) or bool((values[1:] < values[:-1]).any())
