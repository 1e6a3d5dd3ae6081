"""MLflow's folder of a run: a file for each metric, `1714557600123 5.1012 100` a line, the metric's name being the file's."""

from __future__ import annotations

import re
from pathlib import PurePath

from ngt_report import names
from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._curve import CurveReader
from ngt_report.sources._lines import head_lines, lines_of, torn_line
from ngt_report.sources._shape import Shape
from ngt_report.waist import Reading

LINE = re.compile(r"(?P<ms>[0-9]{13}) (?P<value>[-+0-9.eE]+|nan|-?inf|NaN|-?Infinity) (?P<step>-?[0-9]{1,18})")
RUN = re.compile(r"[0-9a-f]{32}")


def _place(file: InputFile) -> tuple[str, str] | None:
    """Run and metric as MLflow lays them out: RUN/metrics/METRIC, the metric's slashes being folders."""
    parts = PurePath(file.path.replace("\\", "/")).parts
    at = next((i for i, p in enumerate(parts) if p == "metrics" and i and RUN.fullmatch(parts[i - 1])), None)
    return None if at is None or at + 1 >= len(parts) else (parts[at - 1], "/".join(parts[at + 1 :]))


def sniff(file: InputFile) -> str | None:
    """Lines of a time in milliseconds, a value and a step, in a folder of metrics below a run's id."""
    lines = [t for t in head_lines(file)[:50] if t.strip()] if file.size and file.encoding != "binary" else []
    if not lines or not all(LINE.fullmatch(t) for t in lines):
        return None
    place = _place(file)
    return place and f"a metric of MLflow's run {place[0][:8]}: a time, a value and a step a line"


def read(file: InputFile) -> Reading:
    """Points of one metric of one run."""
    reading = Reading()
    run, metric = _place(file) or ("", "")
    curves = CurveReader(reading, Shape("curve", "a step a line", "step", ("run",), True))
    torn, first = torn_line(file), None
    for line, text in lines_of(file, reading):
        found = LINE.fullmatch(text)
        if torn and line == reading.lines_read:
            reading.pending += 1
        elif found is None:
            reading.bad.append((line, "no time, value and step"))
        else:
            first = int(found["ms"]) if first is None else first
            record = {"run": run, "step": found["step"], metric: found["value"], "wall_time": (int(found["ms"]) - first) / 1000}
            if curves.add(record, line):
                reading.lines_used += 1
            else:
                reading.ignore(f"no result: {names.clean(metric)}")
    curves.finish()
    return reading


FORMAT = Format(
    name="mlflow",
    title="MLflow's files of metrics",
    example="1714557600123 5.1012 100\n1714557660123 4.1012 200",
    clock="the time since the first line of the same metric, pauses and evaluation included",
    sniff=sniff,
    read=read,
    rank=28,
    precedence=2,
)
