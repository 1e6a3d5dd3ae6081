"""Curves in JSONL: a JSON object a line with a step and metrics, as trainers' own loggers write them."""

from __future__ import annotations

from typing import Any

from ngt_report import names
from ngt_report.files import InputFile
from ngt_report.sections import told_apart
from ngt_report.sources import Format
from ngt_report.sources._curve import CurveReader
from ngt_report.sources._objects import objects_of, record_of, sample
from ngt_report.sources._scalars import is_result, number, plain
from ngt_report.sources._shape import SPLIT_KEYS, Shape, columns_of, curve_shape, split_key, split_of
from ngt_report.waist import Reading


def _with_metrics(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records that hold a result; a config line on top holds none."""
    split = split_key(columns_of(records), records)
    return [r for r in records if is_result(r, split_of(r.get(split)) if split else None)]


def _shape(file: InputFile) -> tuple[Shape, list[dict[str, Any]]] | None:
    """How the head's objects make curves, and those that do; None when they do not."""
    records = sample(file)
    points = _with_metrics(records)
    if not points or len(points) * 10 < len(records):
        return None
    shape = curve_shape(points)
    return (shape, points) if shape else None


def sniff(file: InputFile) -> str | None:
    """Lines of JSON objects with metrics whose counter advances."""
    found = _shape(file)
    return f"JSON objects with metrics, {found[0].why}" if found else None


def read(file: InputFile) -> Reading:
    """Trials with their points."""
    reading = Reading()
    found = _shape(file)
    if not found:
        reading.status = "no metrics"
        return reading
    shape, points = found
    curves = CurveReader(reading, shape, split_key(columns_of(points), points), typed=True)
    spoken: list[tuple[int, dict[str, Any]]] = []  # lines before the first point: configuration
    for line, value in objects_of(file, reading):
        record = record_of(value)
        if curves.add(record, line):
            reading.lines_used += 1
        elif not reading.trials and shape.axis not in record:
            spoken.append((line, record))
        else:
            reading.ignore("no values")
    curves.finish()
    _configuration(reading, spoken)
    return reading


def _configuration(reading: Reading, spoken: list[tuple[int, dict[str, Any]]]) -> None:
    """Facts from the lines above the points, when the file holds one run."""
    if len(reading.trials) != 1:
        reading.ignore("no values", len(spoken))
        return
    said = {f.key for f in reading.facts}
    found: dict[str, tuple[int, Any]] = {}
    for line, record in spoken:
        for raw, value in record.items():
            found.setdefault(raw, (line, value))
    short = {raw: key for raw, (_, value) in found.items() if (key := _fact_key(raw, value))}
    for raw, key in (short | told_apart(short, {raw: value for raw, (_, value) in found.items()})).items():
        if key not in said:
            said.add(key)
            reading.fact(key, plain(found[raw][1]), 0, found[raw][0])
    reading.lines_used += len(spoken)


def _fact_key(raw: str, value: Any) -> str | None:
    """What a setting is called by the last part of its path; None for what was measured."""
    base = raw.rpartition("/")[2]
    if names.clean(raw) in SPLIT_KEYS or names.measured(base) and number(value) is not None:
        return None
    key = names.known_config(base) or names.section_named(raw)
    return "total_steps" if names.role(base) == "total" else key or "config." + names.clean(base)


FORMAT = Format(
    name="curve_jsonl",
    title="curves (JSONL)",
    example='{"step": 100, "train": {"loss": 5.9123}, "elapsed_s": 31.4}\n{"step": 200, "val": {"loss": 5.4210}, "elapsed_s": 64.0}',
    clock="elapsed_time, elapsed_s and the like, cumulative; durations such as 0:10:42 are read; scope unknown",
    sniff=sniff,
    read=read,
    rank=25,
    precedence=2,
    version=7,
)
