"""Result tables: CSV or TSV with one row a run; tables of means over runs are recognised and are not runs."""

from __future__ import annotations

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._row import RowReader
from ngt_report.sources._scalars import is_result
from ngt_report.sources._shape import aggregate_reason, commit_of, identity_of, path_of, shape_of
from ngt_report.sources._table import Layout, Table, layout_of, record_of, sample
from ngt_report.waist import Reading


def sniff(file: InputFile) -> str | None:
    """A table with a metric's name in its header whose rows are not moments of a run."""
    layout = layout_of(file)
    if layout is None:
        return None
    records = sample(file, layout)
    shape = shape_of(records) if records else None
    if shape and (shape.kind == "curve" or shape.kind == "rows" and not is_result(layout.columns)):
        return None
    return f"line {layout.line} is a header with metrics, " + (shape.why if shape else "no rows yet")


def read(file: InputFile) -> Reading:
    """A trial for each row."""
    reading = Reading()
    layout = layout_of(file)
    if layout is None:
        reading.status = "no metrics"
        return reading
    records = sample(file, layout)
    reason = aggregate_reason(records) if records else None
    if reason:
        return _skip(file, layout, reading, reason)
    path = path_of(records) if records else None
    named = (identity_of(records) or (commit_of(records) if path is None else None)) if records else None
    rows = RowReader(reading, named, path)
    _rows(Table(file, layout, reading), rows, layout)
    rows.finish()
    return reading


def _rows(table: Table, rows: RowReader, layout: Layout) -> None:
    """Hand each row on as a record; a named row that is written twice counts once."""
    seen: set[tuple[str, ...]] = set()
    for row in table.rows():
        if rows.identity and tuple(row.cells) in seen:
            rows.reading.ignore("repeated row", row.lines)
            continue
        seen.add(tuple(row.cells) if rows.identity else ())
        rows.add(record_of(table.columns, row.cells, layout.decimal_comma), row.line)
        rows.reading.lines_used += row.lines


def _skip(file: InputFile, layout: Layout, reading: Reading, reason: str) -> Reading:
    """Count an aggregate table's rows as ignored."""
    for row in Table(file, layout, reading).rows():
        reading.ignore("aggregate table", row.lines)
    reading.status = "aggregate table"
    reading.note("info", "aggregate_table", f"This table is not counted as runs: {reason}.", None, layout.line)
    return reading


FORMAT = Format(
    name="results_csv",
    title="results table (CSV, TSV)",
    example="run_id,seed,num_iterations,final_val_loss,train_time_ms\nvanilla_a,1,1500,3.5124,612400\ngated_a,1,1500,3.4991,655300",
    clock="train_time and the like: the time of the whole run, in the unit of the column's name; scope unknown",
    sniff=sniff,
    read=read,
    rank=31,
    precedence=2,
    version=6,
)
