"""JSON documents of many records: a list of objects, or an object of lists of equal length such as Keras' History."""

from __future__ import annotations

from typing import Any

from ngt_report import names
from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._curve import CurveReader
from ngt_report.sources._document import LIMIT, load, outline
from ngt_report.sources._objects import record_of
from ngt_report.sources._row import RowReader
from ngt_report.sources._scalars import STRONG, is_result, load_json, metrics_of
from ngt_report.sources._shape import Shape, aggregate_reason, columns_of, identity_of, path_of, shape_of, split_key
from ngt_report.waist import Reading

POSITION = "epoch"  # what a place in lists without steps counts as
Records = tuple[list[dict[str, Any]], list[str]]  # and the JSON pointer of each


def _text(file: InputFile) -> str:
    return file.read_bytes(LIMIT).decode("utf-8", "replace").removeprefix("\ufeff")


def _held(file: InputFile) -> Records:
    """The records of a document that may be one of these. Loaded once."""
    if "json lists" not in file.notes:
        first = file.head.lstrip()[:1]
        value = None
        if first == b"[" or first == b"{" and b"[" in file.head and file.size <= LIMIT:
            try:
                value = load_json(_text(file)) if file.size <= LIMIT else None
            except ValueError:
                value = None  # lines of objects, or a document that is not whole
        file.notes["json lists"] = _of_list(value) if isinstance(value, list) else _of_lists(value) if isinstance(value, dict) else ([], [])
    found: Records = file.notes["json lists"]
    return found


def _of_list(value: list[Any]) -> Records:
    """A list of objects."""
    if len(value) < 2 or not all(isinstance(v, dict) for v in value):
        return [], []
    return [record_of(v) for v in value], [f"/{i}" for i in range(len(value))]


def _of_lists(value: dict[str, Any]) -> Records:
    """Lists of numbers, the longest validation loss or the steps saying how long; others are of something else."""
    numbers = {
        k.removesuffix("es") if k.endswith("losses") else k: v
        for k, v in value.items()
        if isinstance(v, list) and len(v) > 1 and all(type(x) in (int, float) for x in v)
    }
    results = [k for k, name in metrics_of(tuple(numbers)).items() if name in STRONG]
    axis = next((k for k in numbers if names.role(k) == "step"), None) or next((k for k in numbers if names.clean(k) == POSITION), None)
    leading = axis or max(results, key=lambda k: (names.metric(k).startswith("val/"), len(numbers[k])), default=None)
    if leading is None or not results:
        return [], []
    length = len(numbers[leading])
    columns: dict[str, Any] = {} if axis else {POSITION: range(1, length + 1)}
    columns |= {k: v for k, v in numbers.items() if len(v) == length}
    if not any(k in columns for k in results):
        return [], []
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)], [f"/{leading}/{i}" for i in range(length)]


def sniff(file: InputFile) -> str | None:
    """A list of objects of which most hold a result, or lists of numbers under the names of metrics."""
    records, _ = _held(file) if file.encoding != "binary" else ([], [])
    if not records or sum(is_result(r) for r in records) * 2 < len(records):
        return None
    return f"a JSON document of {len(records)} records, {shape_of(records).why}"


def read(file: InputFile) -> Reading:
    """As the same records, one a line, would be read."""
    reading = Reading()
    document = load(file, reading)
    records, places = _held(file) if document else ([], [])
    if document is None or not records:
        reading.status = "no metrics" if document else reading.status
        reading.ignore("no metrics", document.total if document else 0)
        return reading
    lines = document.lines or {k[2:]: n for k, n in (outline('{"_":' + _text(file) + "}") or {}).items()}
    shape = shape_of(records)
    if shape.kind == "curve":
        _curve(reading, shape, records, places, lines)
    elif reason := aggregate_reason(records):
        reading.note("info", "aggregate_table", f"These records are not counted as runs: {reason}.", None, 1)
        reading.status = "aggregate table"
    else:
        rows = RowReader(reading, identity_of(records), path_of(records), typed=True)
        for record, place in zip(records, places, strict=True):
            rows.add(record, lines.get(place, 1))
        rows.finish()
    if reading.trials:
        reading.lines_used = document.total
    else:
        reading.ignore("no runs", document.total)
    return reading


def _curve(reading: Reading, shape: Shape, records: list[dict[str, Any]], places: list[str], lines: dict[str, int]) -> None:
    """Points of curves."""
    curves = CurveReader(reading, shape, split_key(columns_of(records), records), typed=True)
    for record, place in zip(records, places, strict=True):
        curves.add(record, lines.get(place, 1), place)
    curves.finish()


FORMAT = Format(
    name="json_lists",
    title="JSON documents of many records",
    example='{"step": [100, 200], "train_loss": [5.1, 4.1], "val_loss": [5.2, 4.2]}',
    clock="as in the same records one a line",
    sniff=sniff,
    read=read,
    rank=24,
    precedence=2,
    version=5,
)
