"""Data parallelism by torchrun: which rank this is, sums over ranks, one all-reduce of the gradients a step.

Gradients are summed once after the last micro-step, in buckets that travel while the next is packed; nothing is synchronised
before. Decisions (stop, target reached) are taken from summed values, so all ranks take them alike.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ngt_train.errors import ConfigError, TrainError

BUCKET = 32 << 20  # bytes of gradients sent at a time
LOST = ("RuntimeError", "DistBackendError", "DistNetworkError", "DistStoreError")  # how the back ends say that a peer is gone


@dataclass(frozen=True, slots=True)
class World:
    """This process among its peers; alone without torchrun."""

    rank: int = 0
    size: int = 1
    device: torch.device = torch.device("cpu")

    @property
    def first(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    def total(self, *values: float) -> list[float]:
        """The sum of each value over all ranks, in float64."""
        if self.size == 1:
            return list(map(float, values))
        packed = torch.tensor(values, dtype=torch.float64)
        with self._peers():
            dist.all_reduce(packed)
        return [float(value) for value in packed.tolist()]

    def gather(self, value: Any) -> list[Any]:
        """The plain values of all ranks, in their order, on every rank."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        with self._peers():
            dist.all_gather_object(found, value)
        return found

    def barrier(self) -> None:
        """Wait for all ranks."""
        self.total(0.0)

    def share(self, tensors: Iterable[Tensor]) -> None:
        """Give every rank the values of rank 0."""
        if self.size > 1:
            with self._peers():
                for tensor in tensors:
                    dist.broadcast(tensor.detach(), 0)

    def sum_gradients(self, model: nn.Module) -> None:
        """Replace every gradient by its sum over the ranks."""
        if self.size == 1:
            return
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        with self._peers():
            sent = [(bucket, flat, dist.all_reduce(flat, async_op=True)) for bucket, flat in _packed(gradients)]
            for bucket, flat, work in sent:
                work.wait()
                parts = flat.split([gradient.numel() for gradient in bucket])
                for gradient, part in zip(bucket, parts, strict=True):
                    gradient.copy_(part.view_as(gradient))

    @contextmanager
    def _peers(self) -> Iterator[None]:
        """Says in one sentence that a peer is gone."""
        try:
            yield
        except RuntimeError as e:
            if type(e).__name__ not in LOST:
                raise
            raise TrainError(
                f"rank {self.rank} of {self.size} lost another rank, which died or hung ({_why(e)}); see its output, then --resume"
            ) from e


def _why(error: Exception) -> str:
    """The back end's own words, without its source's path and its guesses."""
    first = next(iter(str(error).splitlines()), type(error).__name__)
    return re.sub(r"^\[[^\]]*\] ", "", first).partition(". ")[0][:160]


def _packed(gradients: list[Tensor]) -> Iterator[tuple[list[Tensor], Tensor]]:
    """Gradients of one type in flat buckets."""
    bucket: list[Tensor] = []
    size = 0
    for gradient in gradients:
        if bucket and (size > BUCKET or gradient.dtype != bucket[0].dtype):
            yield bucket, torch.cat([g.reshape(-1) for g in bucket])
            bucket, size = [], 0
        bucket.append(gradient)
        size += gradient.numel() * gradient.element_size()
    if bucket:
        yield bucket, torch.cat([g.reshape(-1) for g in bucket])


@contextmanager
def join(device: str, timeout_s: float) -> Iterator[World]:
    """The world that torchrun's environment describes, left at the end.

    Args:
        device: auto, cpu, cuda, cuda:N or mps; with several ranks each takes the CUDA device of its LOCAL_RANK.
        timeout_s: silence of a rank after which the run ends.
    """
    size = _number("WORLD_SIZE", 1)
    chosen = pick_device(device, _number("LOCAL_RANK", 0) if size > 1 else None)
    if size == 1:
        yield World(device=chosen)
        return
    backend = "cpu:gloo,cuda:nccl" if chosen.type == "cuda" else "gloo"
    try:
        dist.init_process_group(backend, timeout=timedelta(seconds=timeout_s))
    except (RuntimeError, ValueError, OSError) as e:
        raise TrainError(f"{size} ranks did not come together within {timeout_s:g} s ({_why(e)}); start all of them with torchrun") from e
    try:
        yield World(dist.get_rank(), size, chosen)
    finally:
        dist.destroy_process_group()


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, "").strip() or str(default)
    if not text.isdigit():
        raise ConfigError(f"the environment has {name}={text!r}, which is not a number; start several processes with torchrun")
    return int(text)


def pick_device(wanted: str, local_rank: int | None = None) -> torch.device:
    """The device to train on.

    Raises:
        ConfigError: it does not exist here.
    """
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("train.device is mps, but this machine has none; use auto or cpu")
    if not wanted.startswith("cuda"):
        return torch.device(wanted)
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    index = int(wanted.partition(":")[2] or 0) if local_rank is None or ":" in wanted else local_rank
    if index >= count:
        raise ConfigError(f"train.device is cuda:{index}, but this machine has {count} CUDA devices; use auto or cpu")
    torch.cuda.set_device(index)
    return torch.device("cuda", index)


def settle(device: torch.device) -> None:
    """Wait until the device has done what was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
