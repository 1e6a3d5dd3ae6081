"""What a run consists of while it trains: model, optimisers, data, clock, counters; built, packed into a checkpoint, restored."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ngt_train import checkpoint, config, data, distributed, evaluate, losses, optim, provenance, schedules, settings, variants
from ngt_train.clock import Clock
from ngt_train.errors import CheckpointError, ConfigError, DataError, Diverged

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ngt_train.config import RunConfig
    from ngt_train.corpus import Corpus
    from ngt_train.distributed import World
    from ngt_train.losses import LossSum

State = dict[str, Any]
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
LEAST_SCALE = 2.0**-10  # of fp16: below it every step overflows
SUMS = ("cross_entropy", "objective", "cosine", "tokens", "penalty", "penalties")  # of this rank since the last train event
CHUNKS = {"cpu": 512}  # tokens whose logits fit the cache; other devices want large products
LARGE_CHUNK = 4096
FREE = ("name", "group", "log", "checkpoint")  # parts of the configuration that a resume may change, and settings:
HERE = ("data.folder", "train.device", "train.threads", "train.timeout")  # where it goes on; which data it is, fingerprints say


@dataclass(slots=True)
class Progress:
    """Counters that a checkpoint keeps."""

    step: int = 0
    tokens: int = 0
    best_val: float | None = None
    best_step: int | None = None
    evaluated: int | None = None  # the step of the last evaluation that was not cut short
    latest: dict[str, float] = field(default_factory=dict)  # the last value of each metric; of val/loss, that of `evaluated`
    grad_norm: float = math.nan
    logged_tokens: int = 0  # at the last train event
    logged_s: float = 0.0
    sums: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SUMS, 0.0))


class Session:
    """One process's share of a run.

    Args:
        run: with `train.epochs` already resolved into steps.

    Raises:
        ConfigError, DataError: the configuration does not fit the data or this machine.
    """

    def __init__(self, run: RunConfig, world: World, corpus: Corpus) -> None:
        self.config, self.world, self.corpus = run, world, corpus
        self.device = world.device
        self.commit, self.changes = provenance.code_state()
        self.model_config = config.model_config(run, corpus.made.vocab_size)
        seed(run.seed)
        self.model = variants.load(run.model.variant).Model(self.model_config).to(self.device)
        if run.eval.coords and not (hasattr(self.model, "trajectory") and corpus.tokenizer):
            why = f"{run.model.variant} has no coordinates" if corpus.tokenizer else "the prepared data has no tokenizer"
            raise ConfigError(f"eval.coords is true, but {why}; set eval.coords=false")
        world.share([*self.model.parameters(), *self.model.buffers()])
        if world.rank:  # equal weights, but dropout of its own
            seed((run.seed + 0x9E3779B97F4A7C15 * world.rank) % 2**63)
        self.forward = self.model.compiled() if run.train.compile else self.model
        self.optim = optim.build(self.model, self.model.roles(), run.optim, self.device.type)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=run.train.precision == "float16")
        self.batches = data.Batches(
            corpus.train, batch=run.train.batch, block=run.data.block, seed=run.seed, order=run.data.order,
            rank=world.rank, world=world.size, pin=self.device.type == "cuda", ahead=run.train.accumulation + 2,
        )  # fmt: skip
        self.clock = Clock(settle=partial(distributed.settle, self.device))
        self.progress = Progress()
        self._pending: list[tuple[int, Tensor]] = []  # sums of micro-steps that the device has not been asked for yet

    # -- one optimizer step -------------------------------------------------------------------------------------------
    def step(self, stop: bool) -> bool:
        """Train on the next `accumulation` batches; returns whether any rank was asked to stop."""
        run, done = self.config, self.progress
        waiting = self.clock.waiting if self.device.type == "cpu" else nullcontext  # a GPU trains on meanwhile
        with waiting():
            micro = [next(self.batches) for _ in range(run.train.accumulation)]
        tokens, asked = self.world.total(sum(int((t != losses.IGNORED).sum()) for _, t in micro), stop)
        if not tokens:
            raise DataError(f"the batch of step {done.step + 1} has no token with a target; check the data's labels")
        self.optim.set_factor(schedules.factor(run.schedule, done.step, run.train.steps))
        parts = [self._micro_step(inputs, targets, tokens) for inputs, targets in micro]
        self.world.sum_gradients(self.model)
        norm = self._clip()
        self.optim.step(self.scaler, norm)
        self.optim.zero_grad()
        done.step += 1
        done.tokens += int(tokens)
        if self.model.project_every and done.step % self.model.project_every == 0:
            self.model.project()
        self._pending.append((done.step, torch.stack([*torch.stack(parts).sum(0), norm.detach()])))
        return bool(asked)

    def _micro_step(self, inputs: Tensor, targets: Tensor, tokens: float) -> Tensor:
        """Gradients of one batch's share in the whole step; returns its sums, in the order of SUMS."""
        with self.precise():
            output = self.forward(inputs.to(self.device, non_blocking=True))
            found = self.loss(output.hidden, targets.to(self.device, non_blocking=True))
            total = found.loss_sum / tokens
            penalty = self.model.penalty(output, self.progress.step)
            share = 1 / (self.config.train.accumulation * self.world.size)
            if penalty is not None:
                total = total + penalty * share
        self.scaler.scale(total).backward()
        zero = total.new_zeros(())
        told = [found.cross_entropy, found.loss_sum, found.cosine, found.tokens]
        told += [zero, zero] if penalty is None else [penalty * share, zero + share]
        return torch.stack([part.detach().float() for part in told])

    def _clip(self) -> Tensor:
        """The norm of all gradients, which are scaled down to train.clip where it is larger."""
        for part in self.optim.parts.values():
            self.scaler.unscale_(part)
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        if self.config.train.clip:
            torch.nn.utils.clip_grads_with_norm_(self.model.parameters(), self.config.train.clip, norm)
        return norm

    def loss(self, hidden: Tensor, targets: Tensor, evaluating: bool = False) -> LossSum:
        """Sums of the run's loss over hidden (B, T, C) and targets (B, T); evaluation takes the final alpha and counts hits."""
        c = self.config.loss
        chunk = c.chunk or CHUNKS.get(self.device.type, LARGE_CHUNK)
        if c.kind == "cross_entropy":
            return losses.cross_entropy(self.model, hidden, targets, chunk, accuracy=evaluating)
        alpha = c.alpha if evaluating else losses.alpha_at(self.progress.step, c.alpha, c.alpha_ramp)
        return losses.mixed(
            self.model, hidden, targets, chunk,
            alpha=alpha, temperature=c.temperature, topk=c.topk, detach=c.detach, accuracy=evaluating,
        )  # fmt: skip

    def precise(self) -> AbstractContextManager[Any]:
        """The autocast of train.precision."""
        kind = PRECISIONS[self.config.train.precision]
        return torch.autocast(self.device.type, kind, enabled=kind != torch.float32)

    # -- what the steps came to ------------------------------------------------------------------------------------------
    def settle(self) -> None:
        """Fetch the sums of the steps since the last call.

        Raises:
            Diverged: a loss or a gradient was not finite; the message names the first such step. All ranks raise alike.
        """
        bad: list[tuple[int, str]] = []
        for step, values in self._pending:
            *sums, norm = values.tolist()
            for name, value in zip(SUMS, sums, strict=True):
                self.progress.sums[name] += value
            self.progress.grad_norm = norm
            if not math.isfinite(sums[1] + sums[4]):
                bad.append((step, f"train/loss is {_called(sums[1] + sums[4])}"))
            elif not math.isfinite(norm) and not self.scaler.is_enabled():
                bad.append((step, f"the gradient's norm is {_called(norm)}"))
        self._pending.clear()
        if self.scaler.is_enabled() and self.scaler.get_scale() < LEAST_SCALE:
            bad.append((self.progress.step, "gradients overflow float16 at every scale"))
        if found := [first for rank in self.world.gather(bad[:1]) for first in rank]:
            step, what = min(found)
            raise Diverged(f"{what} at step {step}")

    def train_metrics(self) -> dict[str, float]:
        """Means since the last call, over all ranks; their sums begin anew."""
        done = self.progress
        sums = dict(zip(SUMS, self.world.total(*(done.sums[name] for name in SUMS)), strict=True))
        seconds = self.clock.elapsed_s - done.logged_s
        told = {"train/loss": sums["cross_entropy"] / sums["tokens"], "lr": self._rate(), "grad_norm": done.grad_norm}
        told["tokens_per_s"] = (done.tokens - done.logged_tokens) / seconds if seconds > 0 else math.nan
        if self.config.loss.kind == "mixed":
            told |= {"train/objective": sums["objective"] / sums["tokens"], "train/cosine": sums["cosine"] / sums["tokens"]}
        if sums["penalties"]:
            told["rep_loss"] = sums["penalty"] / sums["penalties"]
        if self.device.type == "cuda":
            told["memory_gib"] = torch.cuda.max_memory_allocated(self.device) / 2**30
        done.logged_tokens, done.logged_s, done.sums = done.tokens, self.clock.elapsed_s, dict.fromkeys(SUMS, 0.0)
        return told

    def _rate(self) -> float:
        """optim.lr times the factor of the last step."""
        return self.config.optim.lr * schedules.factor(self.config.schedule, max(0, self.progress.step - 1), self.config.train.steps)

    def evaluate(self, split: str, stop: Callable[[], bool]) -> dict[str, float]:
        """Means over a split's fixed tokens, unless `stop` cuts it short; the model must be in evaluation mode."""
        tokens = self.corpus.test if split == "test" else self.corpus.val
        if tokens is None:
            raise DataError(f"{self.config.data_folder()} has no {split} split; prepare it with --{split}")
        batches = data.validation_batches(
            tokens, self.config.eval.batch, self.config.data.block, self.config.eval.tokens, rank=self.world.rank, world=self.world.size
        )
        return evaluate.evaluate(self._measure, batches, self.world, self.precise(), split, stop)

    def _measure(self, inputs: Tensor, targets: Tensor) -> LossSum:
        return self.loss(self.forward(inputs.to(self.device)).hidden, targets.to(self.device), evaluating=True)

    def reached(self) -> bool:
        """Whether the last evaluation came to train.target_loss before the last step."""
        target, loss = self.config.train.target_loss, self.progress.latest.get("val/loss")
        return target is not None and loss is not None and loss <= target and self.progress.step < self.config.train.steps

    # -- checkpoints ---------------------------------------------------------------------------------------------------
    def pack(self, raw: dict[str, Tensor]) -> State:
        """Everything a resume needs; called on every rank, the weights projected and `raw` those that projection changed."""
        tokenizer = self.corpus.tokenizer
        return {
            "format": checkpoint.FORMAT,
            "config": config.to_dict(self.config),
            "model_config": settings.plain(self.model_config),
            "model": {name: value.detach() for name, value in self.model.state_dict().items()},
            "model_raw": raw,
            "optimizer": self.optim.state_dict(),
            "routing": self.optim.routing,
            "schedule": {"step": self.progress.step, "steps": self.config.train.steps, **settings.plain(self.config.schedule)},
            "scaler": self.scaler.state_dict(),
            "random": self.world.gather(checkpoint.random_state(self.device)),
            "loader": self.batches.state_dict(),
            "validation": self.corpus.val.fingerprint,
            **asdict(self.progress),
            "elapsed_s": self.clock.elapsed_s,
            "wall_s": self.clock.wall_s,
            "tokenizer": None if tokenizer is None else _text_tensor(tokenizer.to_json()),
            "tokenizer_name": self.corpus.made.tokenizer,
            "git_commit": self.commit,
            "git_diff": self.changes,
            "versions": provenance.versions(),
        }

    def restore(self, state: State, name: str) -> None:
        """Go on exactly where a checkpoint was packed; `name` is its path, for messages.

        Raises:
            CheckpointError: it is of another configuration, number of ranks, or lacks a part; the message says where.
        """
        self._refuse_another(state, name)
        try:
            self.model.load_state_dict(state["model"], strict=True)
            evaluate.restore(self.model, state["model_raw"])
            self.optim.load_state_dict(state["optimizer"])
            self.scaler.load_state_dict(state["scaler"])
            held = {"evaluated": state["step"], "latest": {}, **state}  # checkpoints of old: saved after the evaluation, without values
            if "latest" not in state and state["best_step"] == held["evaluated"] and state["best_val"] is not None:
                held["latest"] = {"val/loss": state["best_val"]}
            self.progress = Progress(**{key: held[key] for key in asdict(self.progress)})
            self.clock = Clock(state["elapsed_s"], state["wall_s"], partial(distributed.settle, self.device))
            states = state["random"]
        except (KeyError, RuntimeError, ValueError, TypeError) as e:
            raise CheckpointError(f"checkpoint {name} does not fit the model: {next(iter(str(e).splitlines()), '')[:200]}") from e
        self.batches.load_state_dict(state["loader"])
        checkpoint.set_random_state(states[self.world.rank], self.device)

    def _refuse_another(self, state: State, name: str) -> None:
        began = config.to_dict(config.from_dict(state["config"]))  # settings that its version did not have are at their defaults
        old, new = ({k: v for k, v in tree.items() if k not in FREE} for tree in (began, config.to_dict(self.config)))
        if found := [difference for difference in settings.differences(old, new) if difference[0] not in HERE]:
            told = ", ".join(f"{key} ({was!r} there, {now!r} here)" for key, was, now in found[:5])
            more = f" and {len(found) - 5} more" if len(found) > 5 else ""
            raise CheckpointError(f"checkpoint {name} is of another configuration: {told}{more}; resume with its own, or give another name")
        if state["validation"] != self.corpus.val.fingerprint:
            raise CheckpointError(
                f"checkpoint {name} was validated on other tokens than {self.config.data_folder()} has; resume with the data it began with"
            )
        if len(state["random"]) != self.world.size:
            raise CheckpointError(
                f"checkpoint {name} was written by {len(state['random'])} ranks, not {self.world.size}; resume with as many"
            )


def seed(number: int) -> None:
    """Seed every generator that training may draw from."""
    torch.manual_seed(number)
    random.seed(number)
    np.random.seed(number % 2**32)


def _called(value: float) -> str:
    return "NaN" if math.isnan(value) else "infinite"


def _text_tensor(text: str) -> Tensor:
    """UTF-8 bytes as a tensor, so that a reader of the metadata need not go through them."""
    return torch.frombuffer(bytearray(text.encode("utf-8")), dtype=torch.uint8)


@contextmanager
def torch_settings(run: RunConfig) -> Iterator[None]:
    """Threads and determinism as the run wants them, put back afterwards."""
    if run.train.deterministic:  # else torch refuses every product on a GPU
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    if run.train.threads:
        torch.set_num_threads(run.train.threads)
    torch.use_deterministic_algorithms(run.train.deterministic or strict)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(strict)


def resolved(run: RunConfig, corpus: Corpus, world: World) -> RunConfig:
    """The configuration with the steps that its epochs come to.

    Raises:
        ConfigError: warm-up and warm-down do not fit into them.
    """
    try:
        return config.resolve_steps(run, corpus.train.tokens, world.size)
    except ConfigError as e:
        raise ConfigError(f"{e} (train.epochs = {run.train.epochs:g} of {corpus.train.tokens:,} tokens)") from e
