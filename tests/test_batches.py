"""Training and validation batches: every window once an epoch, positions that resume exactly, ranks that share one sequence."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ngt_train import manifest, shards
from ngt_train.errors import DataError
from ngt_train.manifest import Manifest, Split

torch = pytest.importorskip("torch")
data = pytest.importorskip("ngt_train.data")

BLOCK = 8


def make(folder: Path, tokens: int, cuts: tuple[int, ...] = ()) -> Path:
    """A prepared folder whose tokens are 0, 1, 2, ... so that a batch tells where it was taken from."""
    folder.mkdir()
    splits = []
    for name in ("train", "val"):
        parts = np.split(np.arange(tokens, dtype=np.uint16), cuts)
        made = tuple(shards.write(folder / f"{name}_{i:06d}.bin", part) for i, part in enumerate(parts))
        splits.append(Split(name=name, tokens=tokens, documents=None, text_bytes=None, shards=made))
    about = {"dataset": "numbers", "fingerprint": "", "tokenizer": "", "tokenizer_fingerprint": "", "tokenizer_file": None}
    manifest.write(folder, Manifest(**about, vocab_size=65536, splits=tuple(splits)))
    return folder


@pytest.fixture
def tokens(tmp_path: Path) -> Callable[..., data.Tokens]:
    def tokens(count: int = 20 * BLOCK + 1, cuts: tuple[int, ...] = (), split: str = "train") -> data.Tokens:
        return data.open_tokens(make(tmp_path / f"d{random.random()}", count, cuts), split)

    return tokens


def starts(batches: data.Batches, steps: int) -> list[int]:
    """Which windows the next steps take."""
    return [int(row[0]) // BLOCK for _ in range(steps) for row in next(batches).inputs]


def test_targets_are_the_inputs_one_further_and_both_are_int64(tokens: Callable[..., data.Tokens]) -> None:
    inputs, targets = next(data.Batches(tokens(), batch=3, block=BLOCK))
    assert inputs.shape == targets.shape == (3, BLOCK)
    assert inputs.dtype == targets.dtype == torch.int64
    assert torch.equal(inputs + 1, targets)


def test_an_epoch_takes_every_window_once_and_the_next_one_in_another_order(tokens: Callable[..., data.Tokens]) -> None:
    batches = data.Batches(tokens(), batch=4, block=BLOCK, seed=3)
    first, second = starts(batches, 5), starts(batches, 5)
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second
    assert batches.epoch == 2.0


def test_batches_that_span_two_epochs_lose_no_window(tokens: Callable[..., data.Tokens]) -> None:
    taken = starts(data.Batches(tokens(), batch=3, block=BLOCK, seed=3), 20)
    assert [sorted(taken[i : i + 20]) for i in (0, 20, 40)] == [list(range(20))] * 3


def test_the_order_is_the_seeds_alone(tokens: Callable[..., data.Tokens]) -> None:
    opened = tokens()
    one, same, other = (starts(data.Batches(opened, batch=4, block=BLOCK, seed=s), 5) for s in (1, 1, 2))
    assert one == same != other


def test_sequential_order_is_the_order_of_the_text(tokens: Callable[..., data.Tokens]) -> None:
    assert starts(data.Batches(tokens(), batch=4, block=BLOCK, order="sequential"), 6) == [*range(20), *range(4)]


@pytest.mark.parametrize("done", [0, 1, 4, 5, 9])
def test_a_resumed_loader_goes_on_with_the_very_next_batch(tokens: Callable[..., data.Tokens], done: int) -> None:
    opened = tokens()
    whole = data.Batches(opened, batch=4, block=BLOCK, seed=7)
    starts(whole, done)
    state, rest = whole.state_dict(), starts(whole, 6)
    resumed = data.Batches(opened, batch=4, block=BLOCK, seed=7)
    next(resumed)  # what was made ahead must not be trained on
    resumed.load_state_dict(state)
    assert starts(resumed, 6) == rest


@pytest.mark.parametrize("world", [2, 4])
def test_ranks_together_see_what_one_rank_with_the_whole_batch_sees(tokens: Callable[..., data.Tokens], world: int) -> None:
    opened = tokens()
    alone = data.Batches(opened, batch=8, block=BLOCK, seed=5)
    ranks = [data.Batches(opened, batch=8 // world, block=BLOCK, seed=5, rank=r, world=world) for r in range(world)]
    for _ in range(4):
        assert torch.equal(next(alone).inputs, torch.cat([next(rank).inputs for rank in ranks]))
    assert {rank.position for rank in ranks} == {alone.position}


def test_a_state_resumes_with_another_number_of_ranks(tokens: Callable[..., data.Tokens]) -> None:
    opened = tokens()
    pair = [data.Batches(opened, batch=2, block=BLOCK, seed=5, rank=r, world=2) for r in range(2)]
    for rank in pair:
        starts(rank, 3)
    alone = data.Batches(opened, batch=4, block=BLOCK, seed=5)
    alone.load_state_dict(pair[1].state_dict())
    assert torch.equal(next(alone).inputs, torch.cat([next(rank).inputs for rank in pair]))


@pytest.mark.parametrize(("key", "value"), [("seed", 9), ("block", 4), ("order", "sequential")])
def test_a_state_of_other_settings_is_refused(tokens: Callable[..., data.Tokens], key: str, value: object) -> None:
    opened = tokens()
    state = data.Batches(opened, batch=4, block=BLOCK, seed=5).state_dict()
    other = data.Batches(opened, **{"batch": 4, "block": BLOCK, "seed": 5, key: value})
    with pytest.raises(DataError, match=f"had {key} .*; resume with the data it began with"):
        other.load_state_dict(state)


def test_a_state_of_other_tokens_is_refused(tokens: Callable[..., data.Tokens]) -> None:
    state = data.Batches(tokens(), batch=4, block=BLOCK).state_dict()
    with pytest.raises(DataError, match="had tokens 'sha256:"):
        data.Batches(tokens(200), batch=4, block=BLOCK).load_state_dict(state)


def test_windows_across_shards_are_whole(tokens: Callable[..., data.Tokens]) -> None:
    opened = tokens(100, cuts=(3, 5, 40, 41))
    for start in range(0, 90):
        assert list(opened.window(start, 10)) == list(range(start, start + 10))


def test_validation_is_the_first_windows_for_any_batch_and_number_of_ranks(tokens: Callable[..., data.Tokens]) -> None:
    opened = tokens(split="val")
    wanted = list(range(10))
    for batch, world in ((1, 1), (4, 1), (10, 1), (3, 2), (64, 4)):
        ranks = [list(data.validation_batches(opened, batch, BLOCK, 10 * BLOCK, rank=r, world=world)) for r in range(world)]
        assert sorted(int(row[0]) // BLOCK for rank in ranks for made in rank for row in made.inputs) == wanted


def test_validation_counts_its_tokens(tokens: Callable[..., data.Tokens]) -> None:
    opened = tokens(split="val")
    for asked, given in ((1, BLOCK), (3 * BLOCK, 3 * BLOCK), (3 * BLOCK + 5, 3 * BLOCK), (10**9, 20 * BLOCK)):
        assert sum(made.targets.numel() for made in data.validation_batches(opened, 4, BLOCK, asked)) == given
        assert data.validation_windows(opened, BLOCK, asked) * BLOCK == given


def test_no_batch_touches_a_random_generator_of_the_training(tokens: Callable[..., data.Tokens]) -> None:
    opened = tokens()
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index]
    starts(data.Batches(opened, batch=4, block=BLOCK), 12)
    list(data.validation_batches(opened, 4, BLOCK, 80))
    after = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index]
    assert torch.equal(before[0], after[0]) and before[1:] == after[1:]


def test_fewer_tokens_than_a_block_are_refused(tokens: Callable[..., data.Tokens]) -> None:
    with pytest.raises(DataError, match=r"'train' has 8 tokens, too few for a block of 8; set data.block to at most 7"):
        data.Batches(tokens(8), batch=1, block=8)


def test_closing_ends_the_thread(tokens: Callable[..., data.Tokens]) -> None:
    batches = data.Batches(tokens(), batch=1, block=BLOCK)
    next(batches)
    batches.close()
    with pytest.raises(RuntimeError, match="shutdown"):
        starts(batches, 5)
