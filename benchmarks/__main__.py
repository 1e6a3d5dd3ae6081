"""`make bench`: one table of ratios against the bars. `--quick` takes a tenth of the data.

`python -m benchmarks page` runs that one only.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
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


PARTS: dict[str, Callable[[Path, int], list[Row]]] = {
    "start": lambda scratch, total: bench_start.rows(scratch),
    "ingest": bench_ingest.rows,
    "rebuild": bench_rebuild.rows,
    "status": bench_status.rows,
    "verify": lambda scratch, total: bench_verify.rows(scratch),
    "page": lambda scratch, total: _page(scratch),
}


def _page(scratch: Path) -> list[Row]:
    if not any(shutil.which(name) for name in CHROMIUM):
        print("page: skipped, there is no Chromium")
        return []
    from benchmarks import bench_page

    return bench_page.rows(scratch)


def main(arguments: list[str]) -> None:
    """Run all benchmarks, or those that are named."""
    names = [a for a in arguments if a != "--quick"]
    known = (*PARTS, *(script.removeprefix("bench_") for script in OTHERS))
    if unknown := [n for n in names if n not in known]:
        sys.exit(f"there is no benchmark {unknown[0]!r}; there are {', '.join(known)}")
    total = 100_000 if "--quick" in arguments else 1_000_000
    one_core()
    rows: list[Row] = []
    for name, part in PARTS.items():
        if not names or name in names:
            with tempfile.TemporaryDirectory(prefix="ngtreport-bench-") as scratch:
                rows += part(Path(scratch), total)
    if rows:
        print(table(rows), flush=True)
    for script, peer in OTHERS.items():
        if names and script.removeprefix("bench_") not in names:
            continue
        if importlib.util.find_spec(peer) is None:
            print(f"{script}: skipped, {peer} is not installed")
        else:
            subprocess.run([sys.executable, str(ROOT / "benchmarks" / f"{script}.py")], check=False)


main(sys.argv[1:])
