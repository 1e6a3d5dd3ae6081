"""ngtreport: from a folder of training logs to a report whose every number can be traced to a file and a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ngt_report.notebook import LoadedReport


__version__ = "0.1.0"


def load(*paths: str, **options: object) -> LoadedReport:
    """A report to ask in Python: of logs, or of a report's folder; see docs/python.md."""
    from ngt_report.notebook import load

    return load(*paths, **options)
