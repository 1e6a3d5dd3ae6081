"""Cold builds of many runs against the peers: DuckDB's own JSON reader, one findall over the bytes; growth and memory."""

from __future__ import annotations

from pathlib import Path

from benchmarks import data
from benchmarks.measure import Row, cost, fresh, median, paired

READ_NDJSON = """
import duckdb, os
if os.path.exists(sys.argv[2]): os.remove(sys.argv[2])
con = duckdb.connect(sys.argv[2], config={"threads": 1})
con.execute("create table points(run varchar, segment int, step bigint, metric varchar, value double, elapsed_s double, tokens bigint)")
columns = {"kind": "VARCHAR", "run": "VARCHAR", "segment": "INTEGER", "step": "BIGINT", "tokens": "BIGINT", "elapsed_s": "DOUBLE"}
metrics = ["train/loss", "val/loss", "lr", "grad_norm", "tokens_per_s", "mfu"]
listed = ", ".join(f"'{k}': '{v}'" for k, v in {**columns, **dict.fromkeys(metrics, "DOUBLE")}.items())
names = ", ".join(f'"{m}"' for m in metrics)
con.execute(f"insert into points select run, segment, step, metric, value, elapsed_s, tokens"
            f" from read_ndjson('{sys.argv[1]}/*.jsonl', columns={{{listed}}}) unpivot (value for metric in ({names}))").fetchall()
con.close()
"""
FINDALL = r"""
import glob, re
data = b"".join(open(f, "rb").read() for f in sorted(glob.glob(sys.argv[1] + "/*.log")))
found = re.findall(rb"^step (\d+)/(\d+) train_loss=([\d.]+) val_loss=([\d.]+) elapsed=([\d.]+)s$", data, re.M)
assert found
"""


def rows(scratch: Path, total: int) -> list[Row]:
    """Events and text at `total` rows; growth from a fifth to twice as many events."""
    events, text, out = data.events(scratch / "ev", total), data.text(scratch / "tx", total), scratch / "out"
    mine, theirs, ratio = paired(["build", str(events), str(out)], [READ_NDJSON, str(events), str(scratch / "peer.db")], fresh(out))
    table = [Row(f"{total:,} events, cold, over read_ndjson", f"{mine.seconds:.2f} s", f"{theirs.seconds:.2f} s", ratio, 1.6)]
    table.append(Row(f"{total:,} events, peak memory in MB", f"{mine.megabytes:.0f}", "450", mine.megabytes, 450))
    mine, theirs, ratio = paired(["build", str(text), str(out)], [FINDALL, str(text)], fresh(out))
    table.append(Row(f"{total:,} text lines, cold, over findall", f"{mine.seconds:.2f} s", f"{theirs.seconds:.2f} s", ratio, 3.0))
    return [*table, growth(scratch, total)]


def growth(scratch: Path, total: int) -> Row:
    """CPU time per event at twice the events over that at a fifth of them."""
    small, large = total // 5, total * 2
    folders = {n: data.events(scratch / f"ev{n}", n) for n in (small, large)}
    out = scratch / "growing"
    times = {}
    for n, folder in folders.items():
        runs = []
        for _ in range(3):
            fresh(out)()
            runs.append(cost(["build", str(folder), str(out)]))
        times[n] = median(runs).seconds
    ratio = (times[large] / large) / (times[small] / small)
    return Row(f"{small:,} to {large:,} events, time per event", f"{times[large]:.2f} s", f"{times[small]:.2f} s", ratio, 1.15)
