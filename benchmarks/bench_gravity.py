"""Gravity attention against its bars: step times in ratios and peak memory, on one CPU thread. `ngttrain bench gravity` prints the table.

Run by itself (`python -m benchmarks.bench_gravity`): it needs torch, about 6 GB of memory and ten minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import torch

from benchmarks.measure import ROUNDS, Row, one_core
from ngt_train import bench_gravity

SHAPE = {"batch": 2, "layers": 4}


def times() -> Iterator[Row]:
    """Steps of the same shape (hidden 512, 8 heads, MLP 2048), block 512 or 1024."""
    asked = [
        ("NGT / vanilla materialised, dropout 0.1", "ngt", "materialised", 512, 0.1, 1.0, False),
        ("NGT / vanilla SDPA, dropout 0.1", "ngt", "sdpa", 512, 0.1, 1.15, False),
        ("NGT / vanilla SDPA, dropout 0", "ngt", "sdpa", 512, 0.0, 1.25, False),
        ("direct / NGT, block 512", "direct", "ngt", 512, 0.1, 3.0, True),
        ("direct / NGT, block 1024", "direct", "ngt", 1024, 0.1, 4.5, True),
    ]
    for name, over, under, length, dropout, bar, at_least in asked:
        taken = bench_gravity.seconds([over, under], ROUNDS, length=length, dropout=dropout, **SHAPE)
        mine, theirs = (f"{1e3 * sorted(taken[form])[ROUNDS // 2]:.0f} ms" for form in (over, under))
        yield Row(name, mine, theirs, bench_gravity.ratio(taken, over, under), bar, at_least)


def memory() -> list[Row]:
    """Peak memory of steps with one sequence."""
    peaks = {
        key: bench_gravity.peak(key[0], length=key[1], batch=1, layers=4)
        for key in (("ngt", 1024), ("ngt", 2048), ("ngt", 4096), ("direct", 1024))
    }

    def row(name: str, over: tuple[str, int], under: tuple[str, int], bar: float) -> Row:
        return Row(name, f"{peaks[over]:.0f} MiB", f"{peaks[under]:.0f} MiB", peaks[over] / peaks[under], bar)

    return [
        row("memory of NGT, block 4096 / 2048", ("ngt", 4096), ("ngt", 2048), 2.0),
        row("memory of NGT / direct, block 1024", ("ngt", 1024), ("direct", 1024), 0.2),
    ]


def main() -> None:
    """Print a line a bar."""
    one_core()
    torch.set_num_threads(1)
    for row in chain(memory(), times()):
        print(f"{row.name}: {row.ours} / {row.peer} = {row.ratio:.2f}, bar {row.bar:g}: {'ok' if row.met else 'NOT MET'}", flush=True)


if __name__ == "__main__":
    main()
