"""100,000 scalars in 20 event files: ngt_report's reader against TensorBoard's EventAccumulator, in one process, in pairs.

Run with a Python that has tensorboard and google-crc32c: `python benchmarks/bench_tfevents.py`. Bar: at least 8 times faster.
"""

from __future__ import annotations

import os
import statistics
import struct
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

TAGS = ("Loss/train", "Loss/val", "train/lr", "grad_norm", "tokens_per_s")
FILES, STEPS = 20, 1000


def record(payload: bytes) -> bytes:
    """A TFRecord."""
    from google_crc32c import value

    def masked(data: bytes) -> bytes:
        crc = value(data)
        return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)

    length = struct.pack("<Q", len(payload))
    return length + masked(length) + payload + masked(payload)


def write(path: str) -> None:
    """A run of 1,000 steps with five scalars each, one event a scalar as SummaryWriter writes them."""
    with open(path, "wb") as f:
        f.write(record(b"\x09" + struct.pack("<d", 1.7e9) + b"\x1a\x0dbrain.Event:2"))
        for step in range(1, STEPS + 1):
            number = bytes([step & 127 | 128, step >> 7]) if step > 127 else bytes([step])
            for tag in TAGS:
                value = b"\x0a" + bytes([len(tag)]) + tag.encode() + b"\x15" + struct.pack("<f", 1 / step)
                summary = b"\x0a" + bytes([len(value)]) + value
                f.write(record(b"\x09" + struct.pack("<d", 1.7e9 + step) + b"\x10" + number + b"\x2a" + bytes([len(summary)]) + summary))


def ours(folders: list[str]) -> int:
    """Points read by ngt_report."""
    from ngt_report.files import InputFile
    from ngt_report.sources import tfevents

    count = 0
    for folder in folders:
        path = os.path.join(folder, "events.out.tfevents.1.host")
        reading = tfevents.read(InputFile(path, path, os.path.getsize(path), 0))
        count += sum(len(column.values) for block in reading.blocks for column in block.columns.values())
    return count


def theirs(folders: list[str]) -> int:
    """Points read by EventAccumulator, none sampled away."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    count = 0
    for folder in folders:
        accumulator = EventAccumulator(folder, size_guidance={"scalars": 0})
        accumulator.Reload()
        count += sum(len(accumulator.Scalars(tag)) for tag in accumulator.Tags()["scalars"])
    return count


def seconds(read: object, folders: list[str]) -> float:
    """Wall time of one reading of all files."""
    start = time.perf_counter()
    count = read(folders)  # type: ignore[operator]
    assert count == FILES * STEPS * len(TAGS), count
    return time.perf_counter() - start


def main() -> None:
    """One pair to warm up, then five; medians."""
    try:
        import tensorboard.backend.event_processing.event_accumulator  # noqa: F401
    except ImportError:
        print("bench_tfevents: skipped, tensorboard is not importable here")
        return
    with tempfile.TemporaryDirectory() as root:
        folders = [os.path.join(root, f"run_{i}") for i in range(FILES)]
        for folder in folders:
            os.mkdir(folder)
            write(os.path.join(folder, "events.out.tfevents.1.host"))
        pairs = [(seconds(ours, folders), seconds(theirs, folders)) for _ in range(6)][1:]
    ratio = statistics.median(t / o for o, t in pairs)
    print(f"{FILES * STEPS * len(TAGS):,} scalars, medians of 5")
    print(f"ngt_report       {statistics.median(o for o, _ in pairs):6.2f} s, every checksum checked")
    print(f"EventAccumulator {statistics.median(t for _, t in pairs):6.2f} s")
    print(f"ratio {ratio:.1f} (bar: 8)")


if __name__ == "__main__":
    main()
