"""Runs the experiments of a sweep as processes of their own, one or several at a time, and keeps a row of each.

Nothing is remembered but files: an experiment is done when its event log says so and its settings are the same, so a sweep that
was stopped goes on where it was. A run that fails is a row with its reason.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ngt_train import config as configuration
from ngt_train import environment, experiments, manifest, outcomes, settings
from ngt_train.config import RunConfig
from ngt_train.errors import ConfigError, TrainError
from ngt_train.experiments import Experiment, Plan
from ngt_train.files import make_folder, replacing
from ngt_train.outcomes import Row

FOLDER = "sweeps"  # FOLDER/GROUP: settings and output of each run, results.jsonl, summary.json
PROGRAM = (sys.executable, "-m", "ngt_train.commands")
POLL = 0.1  # seconds between looks at the running processes
PATIENCE = 120  # seconds that runs get to save when the sweep is stopped, and that a restarted sweep waits for them
PR_SET_PDEATHSIG = 1  # Linux: the signal that a process gets when its parent dies


@dataclass
class _Process:
    """An experiment that is running."""

    experiment: Experiment
    device: str | None
    popen: subprocess.Popen[bytes]
    output: IO[bytes]


@dataclass
class Sweep:
    """A plan being carried out. `say` takes narration."""

    plan: Plan
    say: Callable[[str], None] = lambda text: None
    rows: dict[str, Row] = field(default_factory=dict)  # by name, of what is done
    order: list[Experiment] = field(default_factory=list)
    running: list[_Process] = field(default_factory=list)
    lock: int = -1  # an open file whose lock this process and its runs hold
    program: tuple[str, ...] = field(default_factory=lambda: PROGRAM)

    @property
    def folder(self) -> Path:
        return Path(FOLDER) / self.plan.group

    def run(self) -> list[Row]:
        """Run what is not done yet, the auto round last, and return all rows.

        Raises:
            TrainError: another process runs this sweep, or a file cannot be written. KeyboardInterrupt: stopped; runs have saved.
        """
        make_folder(self.folder, TrainError)
        with self._alone(), _stoppable():
            try:
                self._all(self.plan.experiments)
                for experiment in self._auto():
                    self._all([experiment])
            finally:
                self._stop()
        return list(self.rows.values())

    def _auto(self) -> Iterator[Experiment]:
        """The winners combined, then the best run extended; each depends on the rows before it."""
        if self.plan.auto.combine and (winning := outcomes.winners(self.order, self.rows)):
            yield experiments.combined(self.plan, winning)
        best = outcomes.ranked([row for row in self.rows.values() if row["val_loss"] is not None])
        if self.plan.auto.extend and best:
            yield experiments.extended(self.plan, next(e.run for e in self.order if e.name == best[0]["name"]))

    def _all(self, added: Sequence[Experiment]) -> None:
        """Run these, as many at a time as the plan says."""
        self.order += added
        waiting = []
        for experiment in added:
            if self._begun(experiment) == _settings(_text(experiment)) and outcomes.is_done(experiment.run):
                self._finished(experiment, None, "was done before")
            else:
                waiting.append(experiment)
        while waiting or self.running:
            ready = [experiment for experiment in waiting if self._has_data(experiment)]
            for experiment in ready[: self.plan.jobs - len(self.running)] or (waiting[:1] if not self.running else []):
                waiting.remove(experiment)
                self.running.append(self._start(experiment))
            time.sleep(POLL)
            for process in [p for p in self.running if p.popen.poll() is not None]:
                self._ended(process)

    def _has_data(self, experiment: Experiment) -> bool:
        """Whether its tokens are prepared; else one run prepares them while the others wait."""
        return (experiment.run.data_folder() / manifest.FILE).exists()

    def _start(self, experiment: Experiment) -> _Process:
        """Start a run: resumed if it was begun with these settings and has saved, anew if it was begun with others."""
        begun = self._begun(experiment)
        flag = [] if begun is None else ["--overwrite"]
        if begun == _settings(_text(experiment)) and experiment.run.checkpoint_path("last").exists():
            flag = ["--resume"]
        path = self.folder / f"{experiment.name}.toml"
        with replacing(path, TrainError) as f:
            f.write(_text(experiment).encode())
        device = next((d for d in self._devices if d not in {p.device for p in self.running}), None)
        if device is None and self._devices:
            device = self._devices[len(self.running) % len(self._devices)]
        command = [*self.program, "run", "--config", str(path), "--no-bar", *flag]
        output = open(path.with_suffix(".out"), "wb")  # noqa: SIM115 -- closed when the process has ended
        popen = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=self._environment(device), start_new_session=True,
            pass_fds=[self.lock] if self.lock >= 0 else [], preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )  # fmt: skip
        return _Process(experiment, device, popen, output)

    @property
    def _devices(self) -> tuple[str, ...]:
        return self.plan.devices or _cuda_devices()

    def _environment(self, device: str | None) -> dict[str, str]:
        """What a run gets: its device, its share of the cores, no setting from outside (the plan has those already)."""
        found = {name: value for name, value in os.environ.items() if name not in environment.SETTINGS}
        if device is not None:
            found["CUDA_VISIBLE_DEVICES"] = device
        if self.plan.jobs > 1:
            found.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // self.plan.jobs)))
        here = str(Path(__file__).resolve().parents[1])
        found["PYTHONPATH"] = os.pathsep.join(filter(None, (here, found.get("PYTHONPATH"))))
        return found

    def _ended(self, process: _Process) -> None:
        self.running.remove(process)
        process.output.close()
        code = process.popen.returncode
        done = outcomes.is_done(process.experiment.run)
        self._finished(process.experiment, None if done else _failure(self.folder / f"{process.experiment.name}.out", code))

    def _finished(self, experiment: Experiment, failure: str | None, remark: str = "") -> None:
        """Keep the row, and all rows and the summary on disk."""
        row = outcomes.row(experiment, self.order.index(experiment) + 1, failure)
        self.rows[experiment.name] = row
        rows = [self.rows[e.name] for e in self.order if e.name in self.rows]
        outcomes.write(self.folder, self.plan.group, rows, outcomes.winners(self.order, self.rows))
        loss = "no val/loss" if row["val_loss"] is None else f"val/loss {row['val_loss']:.4f}"
        told = remark or (f"failed: {failure}" if failure else str(row["status"]))
        self.say(f"[{len(rows)}/{len(self.order)}] {experiment.name}: {told}, {loss}")

    def _begun(self, experiment: Experiment) -> RunConfig | str | None:
        """The settings that a run of this name was begun with; None where there was none."""
        path = self.folder / f"{experiment.name}.toml"
        return _settings(path.read_text(encoding="utf-8")) if path.exists() else None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process per sweep. Its runs hold the lock too: one that outlives a killed sweep is waited for. No lock on Windows."""
        try:
            import fcntl
        except ImportError:
            yield
            return
        self.lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        deadline = time.monotonic() + PATIENCE
        try:
            while True:
                try:
                    fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() > deadline:
                        raise TrainError(f"the sweep {self.plan.group} is running in another process; wait until that has ended") from error
                    time.sleep(POLL)
            for left in self.folder.glob(".*.tmp"):  # by a sweep that was killed
                left.unlink()
            yield
        finally:
            os.close(self.lock)

    def _stop(self) -> None:
        """Ask what still runs to save and end; kill what does not."""
        for process in self.running:
            process.popen.terminate()
        deadline = time.monotonic() + PATIENCE
        for process in self.running:
            try:
                process.popen.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.popen.kill()
                process.popen.wait()
            process.output.close()
        self.running.clear()


def _text(experiment: Experiment) -> str:
    """The settings of a run as TOML."""
    return settings.to_toml(configuration.to_dict(experiment.run))


def _settings(text: str) -> RunConfig | str:
    """The settings of such a text: one that an older version wrote has the defaults of what came later; the text where it is none."""
    try:
        return configuration.from_dict(tomllib.loads(text))
    except (ConfigError, tomllib.TOMLDecodeError):
        return text


def _failure(output: Path, code: int) -> str:
    """Why a run gave no result, from the end of what it printed."""
    lines = [line.strip() for line in output.read_bytes().decode("utf-8", "replace").splitlines() if line.strip()]
    last = next((line for line in reversed(lines) if line.startswith("Error: ")), lines[-1] if lines else "it printed nothing")
    how = f"killed by signal {-code}" if code < 0 else f"exit {code}"
    return f"{last.removeprefix('Error: ')[:500]} ({how})"


def _cuda_devices() -> tuple[str, ...]:
    """What CUDA_VISIBLE_DEVICES allows, else all that the driver lists; empty without CUDA."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(filter(None, (device.strip() for device in visible.split(","))))
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(str(i) for i in range(listed.stdout.count("GPU "))) if listed.returncode == 0 else ()


def _end_with_parent() -> None:
    """Runs of a sweep that is killed are asked to save and end."""
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM stops a sweep like Ctrl-C."""

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
