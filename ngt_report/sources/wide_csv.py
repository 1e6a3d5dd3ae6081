"""Wide tables: a step and a column for each run, as W&B exports a chart: `Step, gated - val/loss, gated - val/loss__MIN, ...`."""

from __future__ import annotations

import re

from msgspec import Struct

from ngt_report import names
from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._curve import CurveReader
from ngt_report.sources._lines import head_lines
from ngt_report.sources._scalars import STRONG, number
from ngt_report.sources._shape import Shape
from ngt_report.sources._table import Layout, Table, cells_of, tidy
from ngt_report.waist import Reading

RUN = "run"
_BAND = re.compile(r"__(?:MIN|MAX)$")
_NO_RUN = frozenset(  # words before a metric's name that say which value of one run it is
    "train training val valid validation eval evaluation dev test best final last min max mean avg average std ema swa raw smoothed aux"
    " main total lm ce nll running current epoch step global unnamed".split()
)


class Wide(Struct, frozen=True):
    """A layout whose columns are those of runs."""

    layout: Layout
    axis: str
    cells: dict[int, tuple[str, str]]  # position -> run, metric as printed


def _split(column: str) -> tuple[str, str] | None:
    """Run and metric of a column's name: 'gated - val/loss', 'gated_val_loss', 'gated/val_loss'."""
    run, dash, metric = column.rpartition(" - ")
    if dash:
        return (run, metric) if run and _is_result(metric) else None
    for found in re.finditer(r"[_/: .\-]", column):
        run, metric = column[: found.start()], column[found.end() :]
        if _is_result(metric):
            return (run, metric) if run and not set(re.split(r"[^a-z]+", run.lower())) & _NO_RUN else None
    return None


def _is_result(metric: str) -> bool:
    return names.known_metric(metric) in STRONG


def _wide(file: InputFile) -> Wide | None:
    """How the table is wide; None when it is not. Remembered."""
    if "wide" not in file.notes:
        lines = head_lines(file) if file.head else []
        file.notes["wide"] = next((w for d in ",\t;" if lines and d in lines[0] and (w := _of_header(lines[0], d))), None)
    found: Wide | None = file.notes["wide"]
    return found


def _of_header(line: str, delimiter: str) -> Wide | None:
    """A header whose other columns are all a run's name before a metric's; without W&B's dash, every metric is told of several runs."""
    columns = tuple(c.strip() for c in cells_of(line, delimiter) or ())
    axis = next((c for c in columns if names.role(c.rpartition("/")[2]) in ("step", "tokens") and " - " not in c), None)
    if axis is None:
        return None
    cells = {i: found for i, c in enumerate(columns) if c != axis and not _BAND.search(c) and (found := _split(c))}
    if not cells or any(c != axis and i not in cells and not _BAND.search(c) and " - " not in c for i, c in enumerate(columns)):
        return None
    metrics = [metric for _, metric in cells.values()]
    if not any(" - " in columns[i] for i in cells) and min(map(metrics.count, metrics)) < 2:
        return None
    return Wide(Layout(delimiter, columns, 1), axis, cells)


def sniff(file: InputFile) -> str | None:
    """A header with a step and, in all other columns, a run's name before a metric's."""
    wide = _wide(file)
    runs = len({run for run, _ in wide.cells.values()}) if wide else 0
    return f"line 1 is a header with {wide.axis!r} and columns of {runs} run{'s' if runs > 1 else ''}" if wide else None


def read(file: InputFile) -> Reading:
    """A trial for each run, its points where its cells are filled."""
    reading = Reading()
    wide = _wide(file)
    if wide is None:
        reading.status = "no metrics"
        return reading
    curves = CurveReader(reading, Shape("curve", "a column a run", wide.axis, (RUN,), True))
    at = wide.layout.columns.index(wide.axis)
    for row in Table(file, wide.layout, reading).rows():
        records: dict[str, dict[str, str]] = {}
        for i, (run, metric) in wide.cells.items():
            if cell := tidy(row.cells[i], False):
                records.setdefault(run, {RUN: run, wide.axis: row.cells[at].strip()})[metric] = cell
        if sum(curves.add(record, row.line) for record in records.values()):
            reading.lines_used += row.lines
        elif number(row.cells[at]) is not None:
            reading.ignore("no values", row.lines)
        else:
            reading.bad.extend((row.line + i, f"no number in the column {wide.axis!r}") for i in range(row.lines))
    curves.finish()
    return reading


FORMAT = Format(
    name="wide_csv",
    title="wide tables, a column a run (CSV, TSV)",
    example='"Step","gated - val/loss","gated - val/loss__MIN","plain - val/loss"\n"100","5.1012","5.1012","5.2012"',
    clock="none",
    sniff=sniff,
    read=read,
    rank=29,
    precedence=2,
)
