"""Closing figures in a document of their own (final_metrics.json): numbers of known metrics only, of the only run of the folder."""

from __future__ import annotations

from typing import Any

from ngt_report import names
from ngt_report.files import HEAD, InputFile
from ngt_report.sources import Format
from ngt_report.sources._document import load, pointer
from ngt_report.sources._scalars import load_json, metrics_of, number, printed
from ngt_report.waist import Block, Column, Reading, Trial

TELLING = frozenset(("best/loss", "val/loss", "final/loss", "test/loss"))


def sniff(file: InputFile) -> str | None:
    """One small, flat JSON object of metrics alone, a loss of validation or test among them."""
    if not 0 < file.size <= HEAD or file.head.lstrip()[:1] != b"{":
        return None
    try:
        found = _named(load_json(file.text_head))
    except ValueError:
        return None
    told = sorted(raw for raw, name in found.items() if name in TELLING)
    return f"a JSON object of metrics such as {told[0]}" if told and len(found) > 1 else None


def _named(value: Any) -> dict[str, str]:
    """Raw -> canonical, where all that the object holds are numbers of metrics; else nothing."""
    if not isinstance(value, dict) or any(isinstance(v, bool) or number(v) is None for v in value.values()):
        return {}
    found = metrics_of(tuple(value))
    return found if all(raw in found and names.role(raw) is None for raw in value) else {}


def read(file: InputFile) -> Reading:
    """Points of a trial that is no run: a loss of validation is the closing one, or the best where it says so."""
    reading = Reading()
    document = load(file, reading)
    if document is None:
        return reading
    reading.trials.append(Trial(0, "settings", None, 1))
    for raw, name in _named(document.value).items():
        at, value = pointer([raw]), document.value[raw]
        line, figure = document.lines.get(at, 1), number(value)
        if figure is not None:
            told = {"final/loss" if name == "val/loss" else name: Column([figure], printed(value))}
            reading.blocks.append(Block(0, 0, [None], told, [line], [at]))
    reading.lines_used = document.total
    return reading


FORMAT = Format(
    name="closing_json",
    title="closing figures of a run (final_metrics.json)",
    example='{"best_val_loss": 3.125, "test_loss": 3.25}',
    clock="none",
    sniff=sniff,
    read=read,
    rank=94,
    precedence=4,
)
