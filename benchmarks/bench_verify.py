"""Verifying a report against a cold build of the data it is about, both as whole processes."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import ROOT, Row, cost, fresh, paired

VERIFY = """
from ngt_report.build import Request
from ngt_report.verify.check import verify
verify(arguments[0], Request((arguments[1],), threads=1))
"""


def rows(scratch: Path) -> list[Row]:
    """The published summary of the sample where it is at hand, else the one that a build writes."""
    sample, out = ROOT / "tests" / "data" / "w3_25m" / "logs" / "w3_25m", scratch / "verified"
    published = sorted((ROOT.parent / "shared" / "reference").glob("000_*.txt"))
    report = published[0] if published else _built(sample, scratch)
    mine, theirs, ratio = paired([VERIFY, str(report), str(sample)], ["build", str(sample), str(out)], fresh(out))
    return [
        Row("verify a report of the sample, over its build", f"{mine.seconds * 1e3:.0f} ms", f"{theirs.seconds * 1e3:.0f} ms", ratio, 1.5)
    ]


def _built(sample: Path, scratch: Path) -> Path:
    cost(["build", str(sample), str(scratch / "written")])
    return scratch / "written" / "Summary.md"
