"""Training on one core: our vanilla against a plain GPT loop of nanoGPT's shape, and what logging and progress cost.

    python benchmarks/bench_train.py [--layers 2] [--hidden 256] [--block 512] [--steps 4] [--rounds 7]

Both sides: pre-norm GPT, one fused QKV product, causal SDPA, tied head, GELU MLP of four times the width, no dropout, fused AdamW,
clipping, the same batch size, tokens from a memory map. The peer is written here from that description: batches at random offsets,
whole logits, torch's cross-entropy. Steps are interleaved; a ratio is the median over the rounds of tokens a CPU-second.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.measure import one_core
from ngt_train import config, manifest, shards
from ngt_train.corpus import open_corpus
from ngt_train.distributed import World
from ngt_train.journal import Journal, Position
from ngt_train.progress import Bar
from ngt_train.session import Session, torch_settings

VOCABULARY = 8192
HEADS = 8
BATCH = 4


# -- the peer ----------------------------------------------------------------------------------------------------------
class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(hidden), nn.LayerNorm(hidden)
        self.qkv, self.out = nn.Linear(hidden, 3 * hidden), nn.Linear(hidden, hidden)
        self.up, self.down = nn.Linear(hidden, 4 * hidden), nn.Linear(4 * hidden, hidden)

    def forward(self, x: Tensor) -> Tensor:
        b, t, c = x.shape
        q, k, v = (part.view(b, t, HEADS, c // HEADS).transpose(1, 2) for part in self.qkv(self.norm_1(x)).split(c, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).contiguous().view(b, t, c)
        x = x + self.out(y)
        return x + self.down(F.gelu(self.up(self.norm_2(x))))


class Gpt(nn.Module):
    """The decoder with learned positions and a tied head."""

    def __init__(self, layers: int, hidden: int, block: int) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(VOCABULARY, hidden), nn.Embedding(block, hidden)
        self.blocks = nn.ModuleList(Block(hidden) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(hidden), nn.Linear(hidden, VOCABULARY, bias=False)
        for weight in self.parameters():
            if weight.ndim > 1:
                nn.init.normal_(weight, std=0.02)
        self.head.weight = self.words.weight

    def forward(self, tokens: Tensor, targets: Tensor) -> Tensor:
        x = self.words(tokens) + self.places(torch.arange(tokens.size(1)))
        for block in self.blocks:
            x = block(x)
        return F.cross_entropy(self.head(self.norm(x)).view(-1, VOCABULARY), targets.view(-1))


def peer(folder: Path, layers: int, hidden: int, block: int) -> Callable[[], None]:
    """One step of the plain loop."""
    torch.manual_seed(0)
    model = Gpt(layers, hidden, block)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=3e-4, betas=(0.9, 0.95), fused=True)
    tokens = np.memmap(folder / "train.bin", np.uint16, "r", shards.HEADER_BYTES)

    def step() -> None:
        starts = torch.randint(len(tokens) - block - 1, (BATCH,)).tolist()
        x = torch.stack([torch.from_numpy(tokens[i : i + block].astype(np.int64)) for i in starts])
        y = torch.stack([torch.from_numpy(tokens[i + 1 : i + 1 + block].astype(np.int64)) for i in starts])
        loss = model(x, y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


# -- ours --------------------------------------------------------------------------------------------------------------
def tokens(folder: Path) -> None:
    """Random tokens as `ngttrain prepare` would leave them."""
    drawn = np.random.default_rng(0).integers(0, VOCABULARY, 2_000_000, dtype=np.uint16)
    splits = [("train", drawn), ("val", drawn[:100_000])]
    made = tuple(
        manifest.Split(name=name, tokens=len(part), documents=None, text_bytes=None, shards=(shards.write(folder / f"{name}.bin", part),))
        for name, part in splits
    )
    manifest.write(
        folder,
        manifest.Manifest(
            dataset="text", fingerprint="sha256:" + "0" * 64, tokenizer="byte", tokenizer_fingerprint="sha256:" + "0" * 64,
            tokenizer_file=None, vocab_size=VOCABULARY, splits=made,
        ),
    )  # fmt: skip


def ours(folder: Path, layers: int, hidden: int, block: int, variant: str = "vanilla") -> Session:
    """The session of a run of that size."""
    model = {"variant": variant, "layers": layers, "heads": HEADS, "hidden": hidden, "mlp": 4 * hidden, "dropout": 0.0}
    tree: dict[str, Any] = {
        "model": model,
        "data": {"dataset": "text", "tokenizer": "byte", "folder": str(folder), "block": block},
        "train": {"batch": BATCH, "steps": 1_000_000, "device": "cpu"},
        "optim": {"beta2": 0.95, "weight_decay": 0.1, "decay": ["matrix", "embedding"]},
        "log": {"folder": str(folder / "logs"), "results": str(folder / "results")},
    }
    run = config.from_dict(tree)
    world = World()
    return Session(run, world, open_corpus(run, world, print))


def step_and_settle(session: Session) -> None:
    """What the loop does at each step on one CPU."""
    session.step(False)
    session.settle()


# -- measuring -----------------------------------------------------------------------------------------------------------
def cpu_seconds(step: Callable[[], object], count: int) -> float:
    """CPU time of this process, all threads, a step."""
    began = time.process_time()
    for _ in range(count):
        step()
    return (time.process_time() - began) / count


def compared(mine: Callable[[], object], theirs: Callable[[], object], count: int, rounds: int) -> tuple[float, float, float]:
    """Medians of both, and of the rounds' ratios theirs / mine: how many times faster we are."""
    cpu_seconds(mine, 2), cpu_seconds(theirs, 2)
    pairs = [(cpu_seconds(mine, count), cpu_seconds(theirs, count)) for _ in range(rounds)]
    ratio = statistics.median(b / a for a, b in pairs)
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs), ratio


def telling(session: Session) -> float:
    """CPU seconds a step of the event log, the log for people and the progress bar, at the default interval."""
    book = Journal(session.config, session.model_config, at=Position())
    bar = Bar("bench", session.config.train.steps)
    bar.shown = True
    bar._write = lambda text: None  # type: ignore[method-assign]
    done = session.progress

    def tell() -> None:
        done.step += 1
        bar.step(done.step, 1)
        if done.step % session.config.log.interval == 0:
            done.sums = dict.fromkeys(done.sums, 1.0)
            book.train(session.train_metrics(), done.step, done.tokens, session.clock.elapsed_s)

    return cpu_seconds(tell, 5000)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("layers", 2), ("hidden", 256), ("block", 512), ("steps", 4), ("rounds", 7)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    one_core()
    torch.set_num_threads(1)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ngttrain-bench-")))
        tokens(folder)
        session = ours(folder, given.layers, given.hidden, given.block)
        stack.callback(session.batches.close)
        stack.enter_context(torch_settings(session.config))
        theirs = peer(folder, given.layers, given.hidden, given.block)
        mine, other, ratio = compared(lambda: step_and_settle(session), theirs, given.steps, given.rounds)
        each = BATCH * given.block
        print(f"vanilla, tokens a CPU-second: ours {each / mine:,.0f}, plain GPT {each / other:,.0f}, ratio {ratio:.3f} (bar: >= 1)")
        told = telling(session)
        print(f"event log, log for people and progress: {told * 1e6:.0f} microseconds a step, {told / mine:.2%} of it (bar: under 1%)")


if __name__ == "__main__":
    main()
