"""Records of one value each: a column names the metric, another holds its value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ngt_report import names
from ngt_report.sources._scalars import metrics_of

NAMES = frozenset("metric metric_name name key tag variable scalar".split())
VALUES = frozenset(("value", "metric_value"))


def is_long(columns: Sequence[str]) -> bool:
    """Whether columns are a step, the name of a metric and its value."""
    clean = {names.clean(c) for c in columns}
    return bool(clean & NAMES and clean & VALUES) and any(names.role(c) == "step" for c in columns)


def melted(record: dict[str, Any]) -> dict[str, Any]:
    """The record with the metric that it names as a column of its own; any other record as it is."""
    value = next((k for k in record if k.lower() in VALUES), None)
    if value is None:
        return record
    for key, name in record.items():
        if names.clean(key) in NAMES and isinstance(name, str) and metrics_of((name,)):
            return {k: v for k, v in record.items() if k not in (key, value)} | {name: record[value]}
    return record
