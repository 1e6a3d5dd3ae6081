"""What one logged step of five metrics costs: runlog against TensorBoard's writer, tensorboardX, W&B offline and trackio.

Each writer runs in a process of its own, in rounds that interleave; process CPU time, medians, and ratios within a round. Writers
that are not installed are left out. Bar: at most 5 microseconds an event on a quiet machine, which is 3 times a bare `os.write` of a line
made beforehand plus its JSON. Run `python benchmarks/bench_runlog.py`.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROUNDS = 5
BAR_OVER_FLOOR = 3.0

HEAD = """
import os, sys, time
folder, steps = sys.argv[1], int(sys.argv[2])
os.chdir(folder)
def metrics(i):
    return {"train/loss": 4.2 + i * 1e-6, "lr": 3e-4, "grad_norm": 1.25, "tokens_per_s": 1e5 + i, "rep_loss": 0.1}
"""
TAIL = """
for i in range(steps // 10): log(metrics(i), i)  # warm
best = []
for part in range(5):
    began = time.process_time()
    for i in range(steps): log(metrics(i), steps * (part + 1) + i)
    best.append((time.process_time() - began) / steps * 1e6)
print(sorted(best)[2])
end()
"""
# name -> steps of a part, the module it needs, how to make `log` and `end`
WRITERS: dict[str, tuple[int, str, str]] = {
    "runlog": (5000, "ngt_train.runlog", "from ngt_train import runlog\nr = runlog.init('a.jsonl')\nlog, end = r.train, r.finish"),
    "bare write of JSON (floor)": (
        5000, "orjson",
        "import orjson\nfd = os.open('a', os.O_WRONLY | os.O_CREAT | os.O_APPEND)\n"
        "whole = ('segment', 'seq', 'tokens', 'elapsed_s', 'segment_elapsed_s')\n"
        "event = dict.fromkeys(('kind', 'run', 'ts'), 'train') | dict.fromkeys(whole, 7)\n"
        "def log(m, i): os.write(fd, orjson.dumps({**event, 'step': i, **m}, option=orjson.OPT_APPEND_NEWLINE))\ndef end(): pass",
    ),
    "TensorBoard's SummaryWriter": (
        500, "tensorboard",
        "from torch.utils.tensorboard import SummaryWriter\nw = SummaryWriter('a')\n"
        "def log(m, i):\n    for k, v in m.items(): w.add_scalar(k, v, i)\nend = w.close",
    ),
    "tensorboardX": (
        500, "tensorboardX",
        "from tensorboardX import SummaryWriter\nw = SummaryWriter('a')\n"
        "def log(m, i):\n    for k, v in m.items(): w.add_scalar(k, v, i)\nend = w.close",
    ),
    "our TensorBoard files": (
        2000, "google_crc32c",
        "from pathlib import Path\nfrom ngt_train.tensorboard import TensorBoardLog\n"
        "w = TensorBoardLog(Path('a'))\nlog, end = w.write, w.close",
    ),
    "W&B offline": (
        200, "wandb",
        "import wandb\nr = wandb.init(mode='offline', project='a', settings=wandb.Settings(silent=True))\n"
        "def log(m, i): r.log(m, step=i)\nend = r.finish",
    ),
    "trackio": (
        200, "trackio",
        "import trackio\nr = trackio.init(project='a', embed=False)\ndef log(m, i): trackio.log(m)\nend = trackio.finish",
    ),
}  # fmt: skip


def microseconds(name: str) -> float | None:
    """CPU time of one logged step in a process of its own; None where the writer is not installed or does not run here."""
    steps, module, setup = WRITERS[name]
    with tempfile.TemporaryDirectory() as folder:
        path = os.pathsep.join(filter(None, (ROOT, os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "HF_HOME": folder, "TRACKIO_DIR": folder, "HOME": folder}
        code = f"import importlib.util, sys\nif importlib.util.find_spec({module!r}) is None: sys.exit()\n{HEAD}{setup}{TAIL}"
        command = [sys.executable, "-c", code, folder, str(steps)]
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
        except subprocess.TimeoutExpired:
            return None
    numbers = [line for line in done.stdout.split() if line.replace(".", "", 1).isdigit()]
    return float(numbers[0]) if numbers else None


def main() -> None:
    """Interleaved rounds of all writers; medians, and the medians of ratios to runlog."""
    rounds = [{name: microseconds(name) for name in WRITERS} for _ in range(ROUNDS)]
    print("one step of five metrics       microseconds   over runlog")
    for name in WRITERS:
        pairs = [(r[name], r["runlog"]) for r in rounds if r[name] is not None and r["runlog"]]
        if not pairs:
            print(f"{name:30} not installed")
            continue
        ratio = statistics.median(theirs / ours for theirs, ours in pairs)
        print(f"{name:30} {statistics.median(t for t, _ in pairs):12.1f} {ratio:13.2f}")
    over = statistics.median(r["runlog"] / r["bare write of JSON (floor)"] for r in rounds)  # type: ignore[operator]
    print(f"runlog over the floor {over:.2f} (bar: {BAR_OVER_FLOOR:g}) {'ok' if over <= BAR_OVER_FLOOR else 'NOT MET'}")


if __name__ == "__main__":
    main()
