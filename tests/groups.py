"""Groups of training runs for tests, invented but for what is published: logs, results CSV, checkpoints, and the tables they must give.

`write_group(out, W3_25M, Random("..."))` writes the w3_25m reconstruction; `random_group(rng)` makes up another group of the same kind.
"""

from __future__ import annotations

import csv
import sys
import zipfile
from dataclasses import dataclass, field
from math import exp
from pathlib import Path
from random import Random
from typing import Any

from tests import torch_zip

RULER = "=" * 48
HEAD = (
    "Loading tokenizer from data/tokenizer_bpe_{vocab}.json (type=bpe, vocab_size={vocab})",
    "{dataset}: read the cached ids of train and validation",
    "UserWarning: lr_scheduler.step() was called before optimizer.step(); the first value of the schedule is skipped.",
    "  warnings.warn(",
    "note: val_loss is an estimate over 100 batches at every evaluation, not over the whole split",
)
NOISE = (
    "Warning: the tokenizer file overrides --tokenizer; going on.",
    "UserWarning: the given NumPy array is not writable, and PyTorch does not support non-writable tensors.",
    "Token indices sequence length is longer than the specified maximum for this model (1304 > 512).",
    "saved embedding projector: runs/{group}/{run} step={step}",
    "saved checkpoint to checkpoints/{group}/{run}.pt_last.pt",
    "gpu memory 17.9GiB of 24.0GiB",
)


@dataclass(frozen=True)
class Run:
    """One run's stated figures; everything else in its log is made up around them."""

    name: str
    model: str
    flags: str  # as results.csv writes them
    best: float  # full precision, as the checkpoint has it; the log prints four decimals
    best_step: int
    last: float  # as printed at the last step
    seconds: float  # on the clock between the first and the last evaluation
    options: str = ""  # the command line's
    config: dict[str, Any] = field(default_factory=dict)  # beyond what all runs share
    repulsion: bool = True  # False: the log's rep_loss is zero
    plain: bool = False  # the other script: no rep_loss, and a closing line


@dataclass(frozen=True)
class Group:
    """Runs of one screening, with what they share."""

    name: str
    runs: tuple[Run, ...]
    stage: str = "screen"
    total: int = 15000
    every: int = 500
    dataset: str = "wikitext103"
    vocab: int = 8192
    seed: int = 42
    shape: tuple[int, int, int] = (512, 8, 8)  # hidden, layers, heads
    nohup: str = "budget15k.out"  # all logs in one
    resumed: tuple[str, int] | None = None  # the run that a later log goes on with, and to which step

    @property
    def steps(self) -> range:
        """Where the validation loss is evaluated."""
        return range(self.every, self.total + 1, self.every)

    @property
    def label(self) -> str:
        """The first line of each log."""
        return f"# RECONSTRUCTION of {self.name}, not real data: only the figures of its published summary are real"

    def log(self, run: Run) -> str:
        """The name of a run's log, without its ending."""
        return f"{self.name}_{self.stage}_{run.name}"

    def checkpoint(self, run: Run, kind: str = "best") -> str:
        """Where a run's checkpoint is, from the group's top folder."""
        return f"checkpoints/{self.name}/{run.name}.pt_{kind}.pt"


@dataclass(frozen=True)
class Expected:
    """The tables a report on the group must have, as printed; the first row of each is its head."""

    common_step: int
    best_vs_last: list[list[str]]
    fixed_step: list[list[str]]
    ranking: list[list[str]]
    throughput: list[list[str]]


def _ngt(**differs: bool) -> dict[str, Any]:
    return {"coord_dim": 64, "use_rsqrt": True, "use_radius_cutoff": True, "mass_in_value": False, "use_soft_cutoff": False, **differs}


W3_25M = Group(
    name="w3_25m",
    runs=(
        Run("vanilla_25m", "vanilla", "default", 4.552418, 13500, 4.5554, 2920.9, plain=True),
        Run("ngt_default", "ngt", "rsqrt", 4.776237, 13000, 4.7915, 17489.6, "--use-rsqrt --repulsion-interval 4", _ngt()),
        Run("ngt_no_repulsion", "ngt", "rsqrt", 4.721417, 15000, 4.7214, 17486.2, "--use-rsqrt --no-repulsion", _ngt(), repulsion=False),
        Run("ngt_repulsion_interval_8", "ngt", "rsqrt", 4.774766, 13000, 4.7889, 17476.8, "--use-rsqrt --repulsion-interval 8", _ngt()),
        Run(
            "ngt_mass_in_value", "ngt", "rsqrt,mass_val", 4.645074, 13000, 4.6635, 17019.4,
            "--use-rsqrt --repulsion-interval 4 --mass-in-value", _ngt(mass_in_value=True),
        ),
        Run(
            "ngt_no_radius", "ngt", "no_radius,rsqrt", 4.777163, 13000, 4.7940, 16958.7,
            "--use-rsqrt --repulsion-interval 4 --no-radius-cutoff", _ngt(use_radius_cutoff=False),
        ),
    ),
    resumed=("ngt_mass_in_value", 50000),
)  # fmt: skip

SYLLABLES = "ba co da fe gi ho ju ka lo mi nu po ra se ti vu wa xe yo zu".split()


def random_group(rng: Random, runs: int = 6) -> Group:
    """A group of the same kind with other names and figures; its first run is the baseline, three recorded configs are equal."""
    every = rng.choice([100, 250, 400, 1000])
    total = every * rng.randint(16, 40)
    names = _words(rng, runs + 2)
    family = _word(rng)
    losses = _spaced(rng, runs, rng.uniform(2.5, 5.0))
    made = []
    for i in range(runs):
        config, flags = {"gate_dim": 32, "mixing": "plain"}, "gate"
        if i > 3:
            config, flags = {"gate_dim": 32, "mixing": names[i]}, f"gate,{names[i]}"
        best_step = total if rng.random() < 0.3 else total - every * rng.randint(1, 5)
        best = losses[i] + rng.uniform(-4e-5, 4e-5)
        last = round(best, 4) if best_step == total else round(best + rng.uniform(0.002, 0.02), 4)
        seconds = round((total - every) / rng.uniform(0.5, 9.0), 1)
        if i == 0:
            name = rng.choice([f"vanilla_{_word(rng)}", f"{_word(rng)}_baseline"])
            made.append(Run(name, "gpt", "none", best, best_step, last, seconds, plain=True))
        else:
            made.append(Run(f"{family}_{names[i]}", family, flags, best, best_step, last, seconds, f"--gate --{names[i]}", config))
    group = f"{_word(rng)}{rng.randint(2, 9)}_{rng.choice([60, 90, 130])}m"
    return Group(
        group, tuple(made), stage=_word(rng), total=total, every=every, dataset=_word(rng), vocab=4096, seed=rng.randint(1, 999),
        shape=(384, 6, 6), nohup=f"{_word(rng)}.out", resumed=(made[-1].name, total * 2),
    )  # fmt: skip


def _word(rng: Random) -> str:
    return "".join(rng.sample(SYLLABLES, 3))


def _words(rng: Random, n: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < n:
        found[_word(rng)] = None
    return list(found)


def _spaced(rng: Random, n: int, lowest: float) -> list[float]:
    """Losses in random order, 0.03 or more apart, so that no ranking hangs on rounding, not even with `last` above `best`."""
    losses = [lowest]
    for _ in range(n - 1):
        losses.append(losses[-1] + rng.uniform(0.03, 0.15))
    losses = [round(v, 4) for v in losses]
    rng.shuffle(losses)
    return losses


def write_group(out: Path, group: Group, rng: Random) -> Expected:
    """Write logs/, results/ and checkpoints/ of the group under `out`; the tables that a report on it must have."""
    logs, results = out / "logs" / group.name, out / "results" / group.name
    (out / "checkpoints" / group.name).mkdir(parents=True, exist_ok=True)
    logs.mkdir(parents=True, exist_ok=True)
    results.mkdir(parents=True, exist_ok=True)
    together = []
    for run in group.runs:
        text = _log(group, run, rng)
        _write(logs / f"{group.log(run)}.log", text)
        together.append(text)
        for kind, step in (("best", run.best_step), ("last", group.total)):
            _save(out / group.checkpoint(run, kind), _checkpoint(group, run, step))
    _write(out / "logs" / group.nohup, "".join(together) + f"\n{RULER}\n[DONE] {group.dataset} @{group.total}\n{RULER}\n")
    if group.resumed:
        _resumed(logs, group, rng)
    with open(results / "results.csv", "w", newline="", encoding="utf-8") as f:
        csv.writer(f, lineterminator="\n").writerows(_results(group))
    return expected(group)


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode())


def _log(group: Group, run: Run, rng: Random) -> str:
    losses = _losses(group, run, rng)
    first = group.every * run.seconds / (group.total - group.every) * rng.uniform(1.05, 1.12) + rng.uniform(3, 9)  # start-up is slow
    seconds = _clock(len(losses), first, run.seconds, rng)
    banner = f"\n{RULER}\n[RUN] {group.log(run)}\n[LOG] logs/{group.name}/{group.log(run)}.log\n{RULER}\n"
    lines = _lines(group, run, list(group.steps), losses, seconds, group.total, rng)
    if run.plain:
        lines.append(f"Training complete. Best val loss: {run.best:.4f}")
    return group.label + banner + "\n".join([*_head(group, run), *lines]) + "\n"


def _head(group: Group, run: Run) -> list[str]:
    hidden, layers, heads = group.shape
    said = [text.format(vocab=group.vocab, dataset=group.dataset) for text in HEAD]
    return [*said, f"Model: {run.model}  hidden_dim={hidden} num_layers={layers} num_heads={heads}  flags: {run.options or '(none)'}"]


def _losses(group: Group, run: Run, rng: Random) -> list[float]:
    """A falling curve with noise that meets the stated best and last, and is above the best everywhere else."""
    best, start, power = round(run.best, 4), round(run.best, 4) + rng.uniform(2.2, 2.8), 0.45
    floor = (run.best_step / group.every) ** -power
    losses = []
    for step in group.steps:
        part = ((step / group.every) ** -power - floor) / (1 - floor)
        trend = best + (start - best) * part if step < run.best_step else run.last
        losses.append(round(max(trend + rng.uniform(-1, 1) * (0.004 + 0.05 * max(part, 0)), best + 0.0004), 4))
    losses[-1] = run.last
    losses[run.best_step // group.every - 1] = best
    return losses


def _clock(n: int, first: float, seconds: float, rng: Random) -> list[float]:
    """n increasing readings with one decimal, the last exactly `seconds` after the first."""
    parts = [rng.uniform(0.97, 1.03) for _ in range(n - 1)]
    first, done, clock = round(first, 1), 0.0, []
    clock.append(first)
    for part in parts:
        done += part
        clock.append(round(first + seconds * done / sum(parts), 1))
    clock[-1] = round(first + seconds, 1)
    return clock


def _lines(group: Group, run: Run, steps: list[int], losses: list[float], seconds: list[float], total: int, rng: Random) -> list[str]:
    lines = []
    for step, loss, elapsed in zip(steps, losses, seconds, strict=True):
        if rng.random() < 0.25:
            lines.append(rng.choice(NOISE).format(group=group.name, run=run.name, step=step))
        repulsion = f"rep_loss={_repulsion(run, step, rng):.4f} " if not run.plain else ""
        train = loss - 0.12 + rng.uniform(-0.03, 0.03)
        lines.append(f"step {step}/{total} train_loss={train:.4f} val_loss={loss:.4f} {repulsion}elapsed={elapsed:.1f}s")
    return lines


def _repulsion(run: Run, step: int, rng: Random) -> float:
    return 0.015 + 0.1 * exp(-step / 3500) + rng.uniform(0, 0.005) if run.repulsion else 0.0


def _resumed(logs: Path, group: Group, rng: Random) -> None:
    """A later log that goes on from a run's last checkpoint: first line one evaluation later, elapsed from zero again."""
    assert group.resumed is not None
    name, total = group.resumed
    run = next(r for r in group.runs if r.name == name)
    steps = list(range(group.total + group.every, total + 1, group.every))
    done = [(step - group.total) / (total - group.total) for step in steps]
    losses = [round(run.last - 0.36 * (1 - exp(-2.4 * part)) + rng.uniform(-0.007, 0.007), 4) for part in done]
    rate = run.seconds / (group.total - group.every)
    seconds = _clock(len(steps), group.every * rate + rng.uniform(4, 9), rate * (steps[-1] - steps[0]), rng)
    text = [
        group.label,
        "nohup: ignoring input",
        f"Resuming from {group.checkpoint(run, 'last')} (iter={group.total})",
        *_head(group, run),
        *_lines(group, run, steps, losses, seconds, total, rng),
    ]
    final = f"final_{name}_resume_{total // 1000}k"
    _write(logs / f"{final}.out", "\n".join(text) + "\n")
    _write(logs / f"{final}.pid", f"{rng.randint(2000, 30000)}\n")


def _results(group: Group) -> list[list[Any]]:
    head = "model_type,dataset,hidden_dim,num_layers,num_heads,ablation_flags,seed,best_val_loss,total_steps,path".split(",")
    rows: list[list[Any]] = [head]
    for run in sorted(group.runs, key=lambda r: r.best):  # total_steps is the best step, as the script wrote it
        rows.append([run.model, group.dataset, *group.shape, run.flags, group.seed, run.best, run.best_step, group.checkpoint(run)])
    return rows


def _checkpoint(group: Group, run: Run, step: int) -> dict[str, Any]:
    """What the trainer saves, with toy tensors. Neither --no-repulsion nor the repulsion interval is in its config."""
    hidden, layers, heads = group.shape
    shared = {
        "hidden_dim": hidden, "num_layers": layers, "num_heads": heads, "mlp_dim": hidden * 4, "max_seq_len": 512, "dropout": 0.1,
        "vocab_size": group.vocab, "dataset": group.dataset, "seed": group.seed, "model_type": run.model, "gradient_accumulation_steps": 2,
    }  # fmt: skip
    return {
        "model_state": {"embed.weight": torch_zip.FakeTensor(4, 3)},
        "optimizer_state": {"state": {0: {"step": float(step)}}, "param_groups": [{"lr": 0.0003, "params": [0]}]},
        "iter": step,
        "best_val": run.best,
        "config": shared | run.config,
        "vocab": {"type": "bpe", "vocab_size": group.vocab},
        "note": group.label[2:],
    }


def _save(path: Path, obj: dict[str, Any]) -> None:
    """A checkpoint as torch.save writes it, but undated: the same bytes every time."""
    data, storages = torch_zip.dumps(_interned(obj))
    members = {"data.pkl": data, "byteorder": b"little", **{f"data/{key}": s.data for key, s in storages.items()}, "version": b"3\n"}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(f"archive/{name}", (1980, 1, 1, 0, 0, 0))
            info.create_system = 3  # on Windows too
            archive.writestr(info, content)


def _interned(value: Any) -> Any:
    """The same with equal strings as one object: pickle writes the same bytes whatever Python shared before."""
    if isinstance(value, str):
        return sys.intern(value)
    if isinstance(value, dict):
        return {_interned(k): _interned(v) for k, v in value.items()}
    return [_interned(v) for v in value] if isinstance(value, list) else value


def expected(group: Group) -> Expected:
    """The four tables as the published summary has them: from the stated figures, never from what was written."""
    by_best = sorted(group.runs, key=lambda r: r.best)
    by_last = sorted(group.runs, key=lambda r: r.last)

    def shown(run: Run) -> str:
        return f"{group.stage}_{run.name}"

    rate = {run.name: (group.total - group.every) / run.seconds for run in group.runs}
    return Expected(
        common_step=group.total,
        best_vs_last=[
            ["run", "best_val_loss", "best_step", "last_val_loss"],
            *([shown(r), f"{r.best:.4f}", str(r.best_step), f"{r.last:.4f}"] for r in by_best),
        ],
        fixed_step=[["run", f"val_loss_at_{group.total}"], *([shown(r), f"{r.last:.4f}"] for r in by_last)],
        ranking=[
            ["rank", "model", "flags", "best_val_loss", "ppl", "step", "checkpoint"],
            *(
                [str(i), r.model, r.flags, f"{r.best:.4f}", f"{exp(r.best):.2f}", str(r.best_step), group.checkpoint(r)]
                for i, r in enumerate(by_best, 1)
            ),
        ],
        throughput=[
            ["run", "steps_per_sec", "sec_per_step"],
            *([f"{group.log(r)}.log", f"{rate[r.name]:.3f}", f"{1 / rate[r.name]:.2f}"] for r in group.runs),
        ],
    )
