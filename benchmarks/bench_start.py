"""What starting costs: --help against importing click, a build of the sample against importing duckdb."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import ROOT, Row, fresh, paired

HELP = "sys.argv[1:] = ['--help']\nfrom ngt_report.commands import main\ntry:\n    main()\nexcept SystemExit:\n    pass"


def rows(scratch: Path) -> list[Row]:
    """Whole processes."""
    mine, theirs, ratio = paired([HELP], ["import click"], rounds=9)
    table = [Row("ngtreport --help, over import click", f"{mine.seconds * 1e3:.0f} ms", f"{theirs.seconds * 1e3:.0f} ms", ratio, 2.5)]
    sample, out = ROOT / "tests" / "data" / "w3_25m" / "logs" / "w3_25m", scratch / "sample"
    mine, theirs, ratio = paired(["build", str(sample), str(out)], ["import duckdb"], fresh(out), rounds=9)
    return [
        *table,
        Row("build of the sample, over import duckdb", f"{mine.seconds * 1e3:.0f} ms", f"{theirs.seconds * 1e3:.0f} ms", ratio, 4.0),
    ]
