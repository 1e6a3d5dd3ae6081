"""Metadata of a 300 MB checkpoint: ngt_report's reader against torch.load, each in a process of its own, imports not counted.

Run with a Python that has torch: `python benchmarks/bench_checkpoint.py`. Bars: at least 10 times faster, peak under 60 MB.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WRITE = """
import sys, torch
shapes = {"qkv": 1536, "out": 512, "up": 2048, "down": 2048}
layers = {f"layers.{i}.{name}": torch.randn(512, width) for i in range(8) for name, width in shapes.items()}
state = {"embed": torch.randn(8192, 512), **layers}
moments = {
    i: {"step": torch.tensor(1.0), "exp_avg": torch.zeros_like(t), "exp_avg_sq": torch.zeros_like(t)} for i, t in enumerate(state.values())
}
config = dict(hidden_dim=512, num_layers=8, seed=42, model_type="ngt", dataset="wikitext103")
torch.save({"model_state": state, "optimizer_state": {"state": moments, "param_groups": [{"lr": 3e-4, "params": list(moments)}]},
            "iter": 13000, "best_val": 4.776237, "config": config, "vocab": {f"token{i}": i for i in range(8192)}}, sys.argv[1])
"""
PEAK = """
def peak():
    import re
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
"""
OURS = """
import os, sys, time
from ngt_report.files import InputFile
from ngt_report.sources import checkpoint
path = sys.argv[1]
start = time.perf_counter()
file = InputFile(path, "a.pt", os.path.getsize(path), 0)
found = {f.key: f.value for f in checkpoint.read(file).facts}
seconds = time.perf_counter() - start
assert found["checkpoint.best_val"] == 4.776237 and found["seed"] == 42 and "torch" not in sys.modules, found
"""
TORCH = """
import sys, time, torch
start = time.perf_counter()
found = torch.load(sys.argv[1], map_location="cpu", weights_only=True)
seconds = time.perf_counter() - start
assert found["best_val"] == 4.776237
"""
REPORT = "\nprint(seconds, peak())\n"


def measure(code: str, path: str) -> tuple[float, float]:
    """Seconds and peak MiB of one run."""
    out = subprocess.run(
        [sys.executable, "-c", PEAK + code + REPORT, path],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    seconds, mib = map(float, out.stdout.split())
    return seconds, mib


def main() -> None:
    """Five pairs, medians."""
    try:
        import torch  # noqa: F401
    except ImportError:
        print("bench_checkpoint: skipped, torch is not importable here")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.pt")
        subprocess.run([sys.executable, "-c", WRITE, path], check=True)
        pairs = [(measure(OURS, path), measure(TORCH, path)) for _ in range(5)]
        size = os.path.getsize(path) / 1e6
    ours, theirs = ([pair[i] for pair in pairs] for i in (0, 1))
    ratio = statistics.median(t[0] / o[0] for o, t in zip(ours, theirs, strict=True))
    print(f"checkpoint of {size:.0f} MB, medians of 5")
    print(f"ngt_report {statistics.median(s for s, _ in ours) * 1e3:8.1f} ms  peak {max(m for _, m in ours):6.0f} MiB")
    print(f"torch.load {statistics.median(s for s, _ in theirs) * 1e3:8.1f} ms  peak {max(m for _, m in theirs):6.0f} MiB")
    print(f"ratio {ratio:.1f} (bar: 10)")


if __name__ == "__main__":
    main()
