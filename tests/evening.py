"""An evening on a pod: six logs that grow at random speeds; one crashes, one is killed, one stalls, one is killed and resumed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

TOTAL, EVERY = 6000, 100  # steps, and steps between evaluations
TRACEBACK = (
    'Traceback (most recent call last):\n  File "train.py", line 88, in <module>\nRuntimeError: CUDA error: an illegal memory access\n'
)
NAMES = ("vanilla", "gated", "crashes", "killed", "stalls", "resumed")


@dataclass
class Writer:
    """One run as it really is: what it wrote, when, and what state it is in."""

    path: Path
    pace: float  # seconds between evaluations, on the average
    start: float
    step: int = 0
    state: str = "waiting"
    last: float | None = None
    best: float | None = None
    wrote: float = 0.0
    losses: dict[int, float] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def write(self, text: str, now: float) -> None:
        """Append, at a time that is given."""
        with self.path.open("a", encoding="utf-8") as f:
            f.write(text)
        os.utime(self.path, (now, now))
        self.wrote = now

    def evaluate(self, rng: Random, now: float) -> None:
        """One evaluation more."""
        self.step += EVERY
        loss = round(3 + 4 / (1 + self.step / 800) + rng.uniform(-0.05, 0.05), 4)
        self.losses = {step: old for step, old in self.losses.items() if step < self.step} | {self.step: loss}
        self.last, self.best = loss, min(self.losses.values())
        self.write(self.line(loss, now), now)
        self.state = "finished" if self.step >= TOTAL else "going"

    def line(self, loss: float, now: float) -> str:
        """As its trainer prints it: an event, or text."""
        elapsed = round(now - self.start, 2)
        if self.path.suffix == ".jsonl":
            stamp = datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z")
            head = {"kind": "eval", "run": self.path.stem, "segment": 0, "seq": self.step, "ts": stamp, "step": self.step}
            return (
                json.dumps({**head, "tokens": self.step * 64, "elapsed_s": elapsed, "segment_elapsed_s": elapsed, "val/loss": loss}) + "\n"
            )
        return f"step {self.step}/{TOTAL} train_loss={loss + 0.1:.4f} val_loss={loss:.4f} elapsed={elapsed:.2f}s\n"

    def begin(self) -> None:
        """A process with a pid file: it sleeps, and something else writes for it."""
        self.process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        self.path.with_suffix(".pid").write_text(f"{self.process.pid}\n")

    def end(self) -> None:
        """SIGKILL, as an out-of-memory killer sends it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class Evening:
    """Six writers and a clock that only moves when it is told to."""

    def __init__(self, folder: Path, seed: int, processes: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.rng, self.now, self.processes = Random(seed), time.time() + 10, processes
        paths = [folder / f"{name}.{'jsonl' if name == 'gated' else 'log'}" for name in NAMES]
        self.writers = [Writer(path, self.rng.uniform(20, 60), self.now) for path in paths]
        for writer in self.writers:
            if writer.path.suffix == ".jsonl":
                start = {"kind": "run_start", "run": writer.path.stem, "segment": 0, "seq": 0, "ts": "", "step": 0, "elapsed_s": 0.0}
                writer.write(json.dumps({**start, "schema": 1, "total_steps": TOTAL}) + "\n", self.now)
            else:
                writer.write("loading the data\n", self.now)
            if processes:
                writer.begin()

    def close(self) -> None:
        """End what was started."""
        for writer in self.writers:
            writer.end()

    def play(self) -> Iterator[Writer]:
        """Write by write until all has happened; yields who wrote or changed."""
        due = [(self.now + self._pause(w), i) for i, w in enumerate(self.writers)]
        misfortunes: dict[str, Callable[[Writer], None]] = {"crashes": self._crash, "killed": self._kill, "resumed": self._kill}
        resumed = False
        while due:
            due.sort()
            self.now, place = due.pop(0)
            writer = self.writers[place]
            name = writer.path.stem
            if writer.state == "crashed":  # somebody starts it again, 20 evaluations before where it died
                self._resume(writer)
                resumed = True
            elif writer.step >= TOTAL // 2 and name in misfortunes and not (name == "resumed" and resumed):
                misfortunes[name](writer)
                if name == "resumed":
                    due.append((self.now + 12 * writer.pace, place))
                yield writer
                continue
            elif writer.step >= TOTAL // 2 and name == "stalls":
                continue  # it hangs: no word, and its process lives
            writer.evaluate(self.rng, self.now)
            if writer.state == "going":
                due.append((self.now + self._pause(writer), place))
            yield writer
        self.now += 20 * max(w.pace for w in self.writers)

    def _pause(self, writer: Writer) -> float:
        return writer.pace * self.rng.uniform(0.7, 1.3)

    def _crash(self, writer: Writer) -> None:
        writer.write(TRACEBACK, self.now)
        writer.end()
        writer.state = "crashed"

    def _kill(self, writer: Writer) -> None:
        writer.end()
        writer.state = "crashed"

    def _resume(self, writer: Writer) -> None:
        writer.step -= 20 * EVERY
        writer.start = self.now - writer.pace * writer.step / EVERY
        writer.write(f"Resuming from checkpoints/{writer.path.stem}.pt_last.pt (iter={writer.step})\n", self.now)
        if self.processes:
            writer.begin()
