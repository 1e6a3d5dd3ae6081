"""Prepared tokens and the batches that training and validation take from them.

A split of N tokens is cut into (N - 1) // block windows; window i has the tokens [i block, (i + 1) block] as inputs and, one
further, as targets. Everything is a pure function of the position: resuming means setting a number.
"""

from __future__ import annotations

import bisect
import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch

from ngt_train import manifest, shards
from ngt_train.errors import DataError
from ngt_train.manifest import Manifest


class Batch(NamedTuple):
    """Tokens and what follows each of them: inputs and targets (B, T), int64."""

    inputs: torch.Tensor
    targets: torch.Tensor


class Tokens:
    """The memory-mapped tokens of one split."""

    def __init__(self, folder: Path, made: Manifest, split: str, parts: list[shards.Array]) -> None:
        self.folder, self.manifest, self.split = folder, made, split
        self._parts = [part.view(np.ndarray) for part in parts]  # slicing a memmap itself is several times slower
        self._ends = list(np.cumsum([len(part) for part in parts]))
        self.tokens = int(self._ends[-1]) if parts else 0
        self.vocab_size = made.vocab_size
        digests = "".join(f"{shard.sha256}\n" for shard in made.split(split).shards)
        self.fingerprint = f"sha256:{hashlib.sha256(digests.encode()).hexdigest()}"  # of the very tokens

    def window(self, start: int, length: int) -> shards.Array:
        """The tokens [start, start + length), across shards where need be."""
        first = bisect.bisect_right(self._ends, start)
        begin = start - (int(self._ends[first - 1]) if first else 0)
        part = self._parts[first][begin : begin + length]
        if len(part) == length:
            return part
        return np.concatenate([part, self.window(start + len(part), length - len(part))])

    def windows(self, block: int) -> int:
        """How many windows of this length there are.

        Raises:
            DataError: not one.
        """
        count = (self.tokens - 1) // block
        if count < 1:
            raise DataError(
                f"{self.folder}: {self.split!r} has {self.tokens:,} tokens, too few for a block of {block}; "
                f"set data.block to at most {max(self.tokens, 2) - 1}, or prepare more text"
            )
        return count


def open_tokens(folder: str | Path, split: str, *, verify: bool = True) -> Tokens:
    """Map a split of a prepared folder into memory.

    Args:
        folder: what `ngttrain prepare` made.
        split: train, val or test.
        verify: read the shards once and compare their sha256 with the manifest's; sizes and headers are always checked.

    Raises:
        DataError: something is missing, damaged, or not what the manifest says.
    """
    folder = Path(folder)
    made = manifest.read(folder)
    parts = []
    for shard in made.split(split).shards:
        path = folder / shard.file
        part = shards.read(path)
        if len(part) != shard.tokens or (verify and shards.digest(path) != shard.sha256):
            raise DataError(f"{path} is not the shard that {manifest.FILE} lists: it was damaged or replaced; run `ngttrain prepare` again")
        if shard.largest >= made.vocab_size:
            raise DataError(f"{path} has token {shard.largest}, but its vocabulary ends at {made.vocab_size - 1}; {manifest.ANEW}")
        parts.append(part)
    return Tokens(folder, made, split, parts)


def _batch(tokens: Tokens, windows: Iterable[int], block: int, pin: bool) -> Batch:
    found = [tokens.window(index * block, block + 1) for index in windows]
    rows = np.concatenate(found, dtype=np.int64).reshape(len(found), block + 1)
    made = (torch.from_numpy(np.ascontiguousarray(part)) for part in (rows[:, :-1], rows[:, 1:]))
    return Batch(*(part.pin_memory() for part in made)) if pin else Batch(*made)


class Batches:
    """Training batches without end, made ahead of their use in a thread.

    The samples of all ranks are one sequence; position p is window order[p] of its epoch. A step takes the next batch * world
    samples, rank r the r-th `batch` of them, so 2 ranks of batch b see what 1 rank of batch 2b sees. Each epoch has its own order,
    drawn from (seed, epoch), and every window once; a batch may span two epochs.
    """

    def __init__(
        self,
        tokens: Tokens,
        *,
        batch: int,
        block: int,
        seed: int = 0,
        order: Literal["shuffled", "sequential"] = "shuffled",
        rank: int = 0,
        world: int = 1,
        pin: bool = False,
        ahead: int = 3,
    ) -> None:
        """`ahead` batches are made before they are asked for: at least those of an optimizer step; `pin` their memory for a GPU."""
        self.tokens, self.batch, self.block, self.seed, self.order = tokens, batch, block, seed, order
        self.rank, self.world, self.pin, self.ahead = rank, world, pin, ahead
        self.windows = tokens.windows(block)
        self.position = 0  # samples taken by all ranks together
        self._orders: dict[int, shards.Array] = {}
        self._ahead: deque[Future[Batch]] = deque()
        self._thread = ThreadPoolExecutor(1, "batches")

    @property
    def epoch(self) -> float:
        """How many times the split has been gone through."""
        return self.position / self.windows

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> Batch:
        """The next batch of this rank."""
        while len(self._ahead) < self.ahead:
            place = self.position + len(self._ahead) * self.batch * self.world
            self._ahead.append(self._thread.submit(self._make, place + self.rank * self.batch))
        made = self._ahead.popleft().result()
        self.position += self.batch * self.world
        return made

    def _make(self, place: int) -> Batch:
        return _batch(self.tokens, map(self._window, range(place, place + self.batch)), self.block, self.pin)

    def _window(self, place: int) -> int:
        epoch, index = divmod(place, self.windows)
        return int(self._order(epoch)[index]) if self.order == "shuffled" else index

    def _order(self, epoch: int) -> shards.Array:
        if epoch not in self._orders:
            self._orders = {old: kept for old, kept in self._orders.items() if old == epoch - 1}
            self._orders[epoch] = np.random.Generator(np.random.PCG64([self.seed, epoch])).permutation(self.windows)
        return self._orders[epoch]

    def state_dict(self) -> dict[str, Any]:
        """Where training stands, whatever the number of ranks: plain values."""
        return {"position": self.position, **self._identity()}

    def _identity(self) -> dict[str, Any]:
        return {"seed": self.seed, "block": self.block, "order": self.order, "split": self.tokens.split, "tokens": self.tokens.fingerprint}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there; the next batch is the one that would have come.

        Raises:
            DataError: the state is of other tokens, another block, seed or order.
        """
        for key, value in self._identity().items():
            if state.get(key) != value:
                had = f"the checkpoint's data had {key} {state.get(key)!r}"
                raise DataError(f"{had}, {self.tokens.folder} has {value!r}; resume with the data it began with")
        self._drop_ahead()
        self.position = int(state["position"])

    def _drop_ahead(self) -> None:
        for future in self._ahead:
            future.cancel()
        self._ahead.clear()

    def close(self) -> None:
        """Stop the thread."""
        self._drop_ahead()
        self._thread.shutdown(wait=True)


def validation_windows(tokens: Tokens, block: int, max_tokens: int) -> int:
    """How many windows, from the first on, a validation on at most this many tokens takes: at least one."""
    return min(tokens.windows(block), max(1, max_tokens // block))


def validation_batches(
    tokens: Tokens, batch: int, block: int, max_tokens: int, *, rank: int = 0, world: int = 1, pin: bool = False
) -> Iterator[Batch]:
    """The first windows of a split in order: the same tokens for every run, whatever its batch, seed or number of ranks.

    The last batch may be smaller. Batches are dealt to the ranks in turn, so a rank may have one fewer.
    """
    count = validation_windows(tokens, block, max_tokens)
    for start in range(rank * batch, count, batch * world):
        yield _batch(tokens, range(start, min(start + batch, count)), block, pin)
