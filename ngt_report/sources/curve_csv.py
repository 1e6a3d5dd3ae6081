"""Curves in CSV or TSV: many rows a run, a step column, metrics, and perhaps a column that names the run."""

from __future__ import annotations

from itertools import pairwise

from ngt_report import names
from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._curve import CurveReader
from ngt_report.sources._lines import head_lines, lines_of
from ngt_report.sources._scalars import number
from ngt_report.sources._shape import shape_of, split_key
from ngt_report.sources._table import Table, cells_of, layout_of, record_of, sample, unnamed
from ngt_report.waist import Reading


def sniff(file: InputFile) -> str | None:
    """A table with a metric's name in its header whose counter advances, or numbers whose header is missing."""
    layout = layout_of(file)
    if layout is None:
        return "a table of numbers without a header" if _headless(file) else _nameless(file)
    records = sample(file, layout)
    shape = shape_of(records) if records else None
    return f"line {layout.line} is a header with metrics, {shape.why}" if shape and shape.kind == "curve" else None


def _headless(file: InputFile) -> bool:
    """Whether the head is a table of numbers whose first column counts up: a curve whose columns nobody named."""
    lines = [t for t in head_lines(file)[:200] if t.strip()]
    if len(lines) < 3:
        return False
    for delimiter in (d for d in ",\t;" if all(number(c) is not None for c in lines[0].split(d)[:2]) and d in lines[0]):
        rows = [[number(c) for c in t.split(delimiter)] for t in lines]
        width = len(rows[0])
        if width >= 2 and all(len(r) == width and None not in r for r in rows):
            first = [r[0] or 0.0 for r in rows]
            return all(b > a for a, b in pairwise(first)) and all(f.is_integer() for f in first) and "." in lines[-1]
    return False


def _nameless(file: InputFile) -> str | None:
    """A step beside numbers of which no name says what they measure, such as TensorBoard's Value or a column a run."""
    lines = [t for t in head_lines(file)[:50] if t.strip()]
    for delimiter in (d for d in ",\t;" if lines and d in lines[0]):
        columns, *rows = [cells_of(t, delimiter) or [] for t in lines]
        known = any(names.known_metric(c) or names.known_config(c) or number(c) is not None for c in columns)
        numbers = all(len(r) == len(columns) and None not in map(number, r) for r in rows)
        if rows and numbers and not known and any(names.role(c) == "step" for c in columns):
            return "a table with steps whose other columns do not say what they measure"
    return None


def read(file: InputFile) -> Reading:
    """Trials with their points."""
    reading = Reading()
    layout = layout_of(file)
    records = sample(file, layout) if layout else []
    if layout is None or not records:
        return _unlabelled(file, reading)
    curves = CurveReader(reading, shape_of(records), split_key(layout.columns, records))
    table = Table(file, layout, reading)
    axis = curves.shape.axis
    for row in table.rows():
        record = record_of(table.columns, row.cells, layout.decimal_comma)
        if curves.add(record, row.line):
            reading.lines_used += row.lines
        elif axis in record and number(record[axis]) is not None:
            reading.ignore("no values", row.lines)
        else:
            reading.bad.extend((row.line + i, f"no number in the column {axis!r}") for i in range(row.lines))
    curves.finish()
    if missing := unnamed(layout.columns):
        text = f"Columns {', '.join(map(str, missing))} have no name in the header and are not read."
        reading.note("warning", "unlabelled_columns", text, None, layout.line)
    return reading


def _unlabelled(file: InputFile, reading: Reading) -> Reading:
    """Nothing can be known of columns without names."""
    for _, text in lines_of(file, reading):
        reading.ignore("unlabelled columns" if text.strip() else "blank")
    reading.status = "no metrics"
    text = "The columns do not say what they measure, so it cannot be known; give the file a header line such as step,val_loss."
    reading.note("warning", "unlabelled_columns", text, None, 1)
    return reading


FORMAT = Format(
    name="curve_csv",
    title="curves (CSV, TSV)",
    example="run_id,step,val_loss,train_time_ms\nvanilla_a,0,10.8212,140\nvanilla_a,125,4.9305,46110\ngated_a,0,10.8194,151",
    clock="train_time, elapsed and the like, cumulative, in the unit of the column's name; scope unknown",
    sniff=sniff,
    read=read,
    rank=30,
    precedence=2,
    version=5,
)
