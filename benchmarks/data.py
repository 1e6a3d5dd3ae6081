"""Data for the benchmarks: 200 runs as native events or as text lines, written once into a temporary folder."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

FILES = 200


def events(folder: Path, total: int) -> Path:
    """`total` events over 200 files, about 205 bytes each: eleven fields, five metrics."""
    folder.mkdir(parents=True)
    for number in range(FILES):
        rng = Random(number)
        name = f"run_{number:03d}"
        rows = []
        for i in range(total // FILES):
            head = {"kind": "eval" if i % 100 == 99 else "train", "run": name, "segment": 0, "seq": i, "ts": i, "step": i + 1}
            clock = {"tokens": (i + 1) * 16384, "elapsed_s": round((i + 1) * 0.2, 1), "segment_elapsed_s": round((i + 1) * 0.2, 1)}
            loss = round(rng.random() * 5, 4)
            if head["kind"] == "eval":
                rows.append({**head, **clock, "val/loss": loss})
            else:
                extra = {"lr": round(rng.random() / 1e3, 7), "grad_norm": round(rng.random(), 4)}
                rows.append(
                    {**head, **clock, "train/loss": loss, **extra, "tokens_per_s": round(rng.random() * 1e5), "mfu": round(rng.random(), 3)}
                )
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return folder


def text(folder: Path, total: int) -> Path:
    """`total` lines of `step 500/15000 train_loss=.. val_loss=.. elapsed=..s` over 200 files."""
    folder.mkdir(parents=True)
    lines = total // FILES
    for number in range(FILES):
        rng = Random(number)
        rows = [
            f"step {i * 500}/{lines * 500} train_loss={rng.random() * 5:.4f} val_loss={rng.random() * 5:.4f} elapsed={i * 37.2:.1f}s\n"
            for i in range(1, lines + 1)
        ]
        (folder / f"run_{number:03d}.log").write_text("".join(rows), encoding="utf-8")
    return folder
