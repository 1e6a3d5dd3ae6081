"""One run, top to bottom: data, model, steps, evaluations, checkpoints, and the ways in which it ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ngt_train import checkpoint, corpus, distributed, evaluate, outcomes, runlog, semantic, session
from ngt_train.errors import CheckpointError, ConfigError, Diverged, TrainError
from ngt_train.interrupts import Interrupts
from ngt_train.journal import Journal, Position, Silent
from ngt_train.progress import Bar, clock
from ngt_train.session import Session

if TYPE_CHECKING:
    from ngt_train.config import RunConfig

Book = Journal | Silent


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended; losses in nats per token."""

    status: str  # finished, stopped early
    reason: str | None
    step: int
    val_loss: float | None  # last
    best_val: float | None
    best_step: int | None
    first: bool  # whether this is the process that writes
    already: bool = False  # it had ended so before: nothing was owed, and nothing was written


def run(config: RunConfig, *, resume: bool = False, overwrite: bool = False, bar: bool = True) -> Result:
    """Train as configured.

    Args:
        resume: go on from NAME.pt_last.pt, or else NAME.pt_best.pt, in a new segment of the log; a run that came to its end stays as it is.
        overwrite: remove what a run of this name left before.
        bar: draw progress where stderr is a terminal.

    Raises:
        ConfigError, DataError, CheckpointError: it cannot begin, or a file cannot be written.
        Diverged: a loss or a gradient was not finite; the log ends with status `diverged`.
    """
    with distributed.join(config.train.device, config.train.timeout) as world, session.torch_settings(config):
        if world.first:
            _make_folders(config)
            runlog.refuse_busy(config.events_path())
            if not resume:
                _make_room(config, overwrite)
        world.barrier()
        found = corpus.open_corpus(config, world, _say if world.first else _ignore)
        config = session.resolved(config, found, world)
        encoder = semantic.prepared(config, found) if config.eval.semantic else None
        training = Session(config, world, found)
        try:
            resumed_from = _restore(training) if resume else ""
            if resume and (ended := _ended(training)):
                return ended
            with Interrupts() as interrupts, _book(training, resumed_from) as book:
                return _Run(training, book, interrupts, encoder, bar).go()
        finally:
            training.batches.close()


class _Run:
    """The loop over the steps of a session."""

    def __init__(self, training: Session, book: Book, interrupts: Interrupts, encoder: semantic.Encoder | None, bar: bool) -> None:
        self.session, self.book, self.interrupts, self.encoder = training, book, interrupts, encoder
        self.config, self.done = training.config, training.progress
        self.steps = self.config.train.steps
        self.bar = Bar(self.config.name, self.steps, self.done.step, bar and training.world.first)
        self.asked = False  # a signal to any rank asked for the end

    def go(self) -> Result:
        """Train to the end, or to where a signal, the target loss or a loss that is not finite ends it."""
        try:
            return self._train()
        except evaluate.Abandoned:
            return self._stop()
        finally:
            self.bar.close()

    def _train(self) -> Result:
        if self._owes_evaluation():
            self._evaluate()
        while self.done.step < self.steps and not self.session.reached():
            self.asked |= self.session.step(bool(self.interrupts.asked))
            self._watch()
            if self._due(self.config.log.interval) or self.done.step == self.steps:
                self._log()
            if self._owes_evaluation():
                self._evaluate()
            elif self.asked:
                return self._stop()
            elif self._due(self.config.checkpoint.interval) or self._due(self.config.checkpoint.keep):
                self._save()
        if self.session.reached():
            loss = self.done.latest["val/loss"]
            return self._end("stopped early", f"val/loss {loss:.4f} reached train.target_loss {self.config.train.target_loss}")
        return self._end("finished", None, self._close())

    def _stop(self) -> Result:
        """Save and end where a signal asked for it; a resume begins with what was due here."""
        self._save()
        return self._end("stopped early", f"{self.interrupts.asked or 'a signal'} at step {self.done.step}; --resume goes on")

    def _asked(self) -> bool:
        return self.asked or bool(self.interrupts.asked)

    def _due(self, interval: int) -> bool:
        return bool(interval) and self.done.step % interval == 0

    def _watch(self) -> None:
        """Progress, and on one CPU the check for divergence, which is free there."""
        if self.session.world.size == 1 and self.session.device.type == "cpu":
            self.session.settle()
        self.bar.step(self.done.step, self.done.tokens / self.done.step)

    def _log(self) -> None:
        self.session.settle()
        told = self.session.train_metrics()
        self.book.train(told, **self._where())
        self.done.latest |= told
        self.bar.fact(loss=told["train/loss"])

    def _where(self) -> dict[str, Any]:
        """The envelope of an event."""
        return {"step": self.done.step, "tokens": self.done.tokens, "elapsed_s": round(self.session.clock.elapsed_s, 6)}

    # -- evaluation and saving -------------------------------------------------------------------------------------------
    def _owes_evaluation(self) -> bool:
        """Whether one is due at this step and was not made; a signal may have cut it short before a resume."""
        step = self.done.step
        due = self._due(self.config.eval.interval) or step == self.steps if step else self.config.eval.at_start
        return due and self.done.evaluated != step

    def _evaluate(self) -> None:
        """Validate, and save: last always, best where it is."""
        self.session.settle()
        with self.session.clock.apart(), evaluate.quiet(self.session.model, self.session.device) as raw:
            told = {**self._measured("val"), "epoch": self.session.batches.epoch}
            loss = told["val/loss"]
            self.book.eval(told, **self._where())
            self._refuse_nonsense(loss)
            if self.config.eval.coords:
                self._coords()
            better = self.done.best_val is None or loss < self.done.best_val
            self.done.evaluated = self.done.step
            self.done.latest |= told
            if better:
                self.done.best_val, self.done.best_step = loss, self.done.step
            self._write(raw, better and self.config.checkpoint.best)
        self.bar.fact(val=loss)
        if self.session.world.first and not self.bar.shown:
            where = f"{self.config.name}  step {self.done.step}/{self.steps}"
            self.bar.say(f"{where}  val/loss {loss:.4f}  {clock(self.session.clock.elapsed_s)}")

    def _measured(self, split: str) -> dict[str, float]:
        """The split's metrics, and the seconds they took."""
        began = time.perf_counter()
        told = self.session.evaluate(split, self._asked)
        return told | {f"{split}/eval_s": round(time.perf_counter() - began, 6)}

    def _refuse_nonsense(self, loss: float) -> None:
        if loss - loss != 0:
            raise Diverged(f"val/loss is {'NaN' if loss != loss else 'infinite'} at step {self.done.step}")

    def _save(self) -> None:
        self.session.settle()
        with self.session.clock.apart(), evaluate.quiet(self.session.model, self.session.device) as raw:
            self._write(raw, best=False)

    def _write(self, raw: dict[str, torch.Tensor], best: bool) -> None:
        """Write one file under its step if it is kept, best if it is, and last.

        In this order: last says that the rest is there, for a resume goes on after it and would never write them again.
        """
        state = self.session.pack(raw)
        kinds = ["step"] * self._due(self.config.checkpoint.keep) + ["best"] * best + ["last"]
        if self.session.world.first:
            paths = [self.config.checkpoint_path(kind if kind != "step" else f"step_{self.done.step}") for kind in kinds]
            facts = {key: state[key] for key in ("step", "tokens", "elapsed_s", "best_val", "best_step")}
            size = checkpoint.save(paths[0], state, facts)
            for kind, path in zip(kinds, paths, strict=True):
                if path != paths[0]:
                    checkpoint.copy(paths[0], path, facts)
                self.book.checkpoint(kind, path, size=size, best_val=self.done.best_val, best_step=self.done.best_step, **self._where())
        self.session.world.barrier()

    def _coords(self) -> None:
        from ngt_train.coords import of_session

        for layer in of_session(self.session):
            self.book.coords(**layer, **self._where())

    # -- the end -----------------------------------------------------------------------------------------------------------
    def _close(self) -> dict[str, Any]:
        """What is done once, after the last step; returns further sections of metrics.json."""
        with self.session.clock.apart(), evaluate.quiet(self.session.model, self.session.device):
            if self.config.eval.test:
                self.book.eval(self._measured("test"), **self._where())
            if self.config.eval.samples:
                from ngt_train.sample import of_session

                for number, text in enumerate(of_session(self.session), start=1):
                    self.book.note(f"sample {number}: {text}")
                    self._heed()
            if self.encoder is None:
                return {}
            told = semantic.of_session(self.session, self.encoder, self._heed)
            self.book.eval({semantic.METRIC: told["sbert_cosine_mean"]}, **self._where())
            return {"semantic": told}

    def _heed(self) -> None:
        """Abandon what follows the last step if any rank was asked to."""
        if any(self.session.world.total(self._asked())):
            raise evaluate.Abandoned

    def _end(self, status: str, reason: str | None, extra: dict[str, Any] | None = None) -> Result:
        self.book.finish(status, reason, extra)
        return _result(self.session, status, reason)


# -- beginning ---------------------------------------------------------------------------------------------------------
def _make_room(config: RunConfig, overwrite: bool) -> None:
    """Refuse to mix with, or remove, what a run of this name left."""
    events = config.events_path()
    last = config.checkpoint_path("last")
    kept = sorted(last.parent.glob(f"{config.name}.pt_*.pt*")) if last.parent.is_dir() else []
    left = [path for path in (events, events.with_suffix(".log"), *kept) if path.exists()]
    if left and not overwrite:
        raise ConfigError(f"{left[0]} is there already; go on with --resume, start anew with --overwrite, or give another name")
    told = [Path(config.log.results) / config.group / config.name / "metrics.json"]  # they are no sign of a run, but were of this one
    if config.log.tensorboard:
        told += (Path(config.log.tensorboard) / config.group / config.name).glob("events.out.tfevents.*")
    for path in (*left, *told):
        path.unlink(missing_ok=True)


def _make_folders(config: RunConfig) -> None:
    """Find out now, not after the training, that a folder cannot be written to."""
    where = {"log.folder": config.log.folder, "log.results": config.log.results, "checkpoint.folder": config.checkpoint.folder}
    where |= {"log.tensorboard": config.log.tensorboard} if config.log.tensorboard else {}
    for key, top in where.items():
        folder = Path(top) / config.group
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held = os.access(folder, os.W_OK | os.X_OK)
        except OSError:
            held = False
        if not held:
            raise TrainError(f"{folder} cannot be made or written to; free its name, change its rights, or set {key}")


def _restore(training: Session) -> str:
    """Go on from last, or from best where there is no last or it is damaged; returns which."""
    paths = [training.config.checkpoint_path(kind) for kind in ("last", "best")]
    found = [path for path in paths if path.exists()]
    if not found:
        raise CheckpointError(f"there is no checkpoint to resume from: {paths[0]} does not exist; run without --resume")
    state, path = _first_loadable(found)
    training.restore(state, str(path))
    return path.as_posix()


def _ended(training: Session) -> Result | None:
    """How a run ended that came to its own end, by its log and its checkpoint: nothing is owed. All ranks say alike."""
    end = training.world.gather(outcomes.last_end(training.config.events_path()) if training.world.first else {})[0]
    status, reason = str(end.get("status")), end.get("reason")
    finished = training.progress.step >= training.config.train.steps and status == "finished"
    at_target = training.reached() and status == "stopped early" and outcomes.TO_GO_ON not in (reason or "")
    return replace(_result(training, status, reason), already=True) if finished or at_target else None


def _result(training: Session, status: str, reason: str | None) -> Result:
    done = training.progress
    return Result(status, reason, done.step, done.latest.get("val/loss"), done.best_val, done.best_step, training.world.first)


def _first_loadable(paths: list[Path]) -> tuple[dict[str, Any], Path]:
    for path in paths[:-1]:
        try:
            return checkpoint.load(path), path
        except CheckpointError as e:
            _say(f"{e}; trying {paths[-1]}")
    return checkpoint.load(paths[-1]), paths[-1]


@contextmanager
def _book(training: Session, resumed_from: str) -> Iterator[Book]:
    """The run's log; divergence and what nobody foresaw end it with their name."""
    if not training.world.first:
        yield Silent()
        return
    done, made = training.progress, training.corpus.made
    book = Journal(
        training.config,
        training.model_config,
        device=str(training.device),
        world=training.world.size,
        at=Position(done.step, done.tokens, training.clock.elapsed_s, done.best_val, done.latest),
        resumed_from=resumed_from,
        params=sum(p.numel() for p in training.model.parameters() if p.requires_grad),
        val_tokens=training.corpus.val_tokens(training.config),
        dataset_fingerprint=made.fingerprint,
        tokenizer_fingerprint=made.tokenizer_fingerprint,
    )
    try:
        yield book
    except Diverged as e:
        book.finish("diverged", str(e))
        raise
    except BaseException as e:
        book.finish("crashed", " ".join(f"{type(e).__name__}: {e}".split())[:500])
        raise


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _ignore(text: str) -> None:
    """Ranks beyond the first are silent."""
