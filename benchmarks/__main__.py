"""`make bench`: one table of ratios against the bars. `--quick` takes a tenth of the data."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import bench_ingest, bench_rebuild, bench_start, bench_status, bench_verify
from benchmarks.measure import ROOT, Row, one_core

# These print their own lines, and need a peer.
OTHERS = {
    "bench_checkpoint": "torch",
    "bench_tfevents": "tensorboard",
    "bench_data": "torch",
    "bench_train": "torch",
    "bench_gravity": "torch",
    "bench_runlog": "tensorboard",
}

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    head = "| what | ours | peer | ratio | bar | |\n|---|---:|---:|---:|---:|---|\n"
    return head + "".join(
        f"| {r.name} | {r.ours} | {r.peer} | {r.ratio:.2f} | {'>=' if r.at_least else '<='} {r.bar:g} | {'ok' if r.met else 'NOT MET'} |\n"
        for r in rows
    )


def main(arguments: list[str]) -> None:
    """Run all benchmarks."""
    total = 100_000 if "--quick" in arguments else 1_000_000
    one_core()
    with tempfile.TemporaryDirectory(prefix="ngtreport-bench-") as name:
        scratch = Path(name)
        rows = (
            bench_start.rows(scratch)
            + bench_ingest.rows(scratch, total)
            + bench_rebuild.rows(scratch, total)
            + bench_status.rows(scratch, total)
            + bench_verify.rows(scratch)
        )
    print(table(rows))
    if any(shutil.which(name) for name in CHROMIUM):
        from benchmarks import bench_page

        with tempfile.TemporaryDirectory(prefix="ngtreport-bench-") as name:
            print(table(bench_page.rows(Path(name))))
    else:
        print("bench_page: skipped, there is no Chromium")
    for script, peer in OTHERS.items():
        if importlib.util.find_spec(peer) is None:
            print(f"{script}: skipped, {peer} is not installed")
        else:
            subprocess.run([sys.executable, str(ROOT / "benchmarks" / f"{script}.py")], check=False)


main(sys.argv[1:])
