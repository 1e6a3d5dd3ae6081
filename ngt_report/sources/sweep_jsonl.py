"""Sweep results: JSONL with one run a line, its final metric beside its configuration."""

from __future__ import annotations

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._objects import objects_of, sample
from ngt_report.sources._row import RowReader
from ngt_report.sources._scalars import is_result
from ngt_report.sources._shape import aggregate_reason, identity_of, path_of, shape_of
from ngt_report.waist import Reading

ORDER = ("name", "run", "run_id", "run_name", "config_name", "experiment", "exp_name", "id")


def sniff(file: InputFile) -> str | None:
    """Lines of JSON objects of which most hold a result, and which are not moments of a run."""
    records = sample(file)
    with_result = sum(is_result(r) for r in records)
    if not records or with_result * 2 < len(records) or with_result == 1 and len(records[0]) < 2:
        return None
    shape = shape_of(records)
    return None if shape.kind == "curve" else f"{len(records)} JSON objects with a final metric, {shape.why}"


def read(file: InputFile) -> Reading:
    """A trial for each object."""
    reading = Reading()
    records = sample(file)
    reason = aggregate_reason(records) if records else None
    rows = RowReader(reading, identity_of(records, ORDER) if records else None, path_of(records) if records else None, typed=True)
    seen: set[str] = set()
    for line, record in objects_of(file, reading):
        if reason:
            reading.ignore("aggregate table")
        elif rows.identity and (text := repr(record)) in seen:
            reading.ignore("repeated row")
        else:
            seen.add(text if rows.identity else "")
            rows.add(record, line)
            reading.lines_used += 1
    rows.finish()
    if reason:
        reading.status = "aggregate table"
        reading.note("info", "aggregate_table", f"These objects are not counted as runs: {reason}.", None, 1)
    return reading


FORMAT = Format(
    name="sweep_jsonl",
    title="sweep results (JSONL)",
    example='{"name": "alpha_0.1", "alpha": 0.1, "steps": 500, "val_loss": 6.9131, "time_seconds": 20.1, "tokens_per_sec": 49102.4}',
    clock="time_seconds and the like: the time of the whole run; scope unknown",
    sniff=sniff,
    read=read,
    rank=26,
    precedence=2,
    version=5,
)
