"""Data loading against a training step, and preparing against the tokenizer alone; CPU seconds on one thread, medians."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

LOADS, STEPS = 200, 4  # a round
SHAPES = {"smallest": (4, 64, 2, 64), "small": (8, 128, 4, 128)}  # batch, block, layers, hidden; larger steps only hide it better


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of all threads of this process."""
    start = time.process_time()
    work()
    return time.process_time() - start


def share(folder: Path, shape: tuple[int, int, int, int]) -> tuple[float, float]:
    """CPU seconds that one batch takes to load, and one step of vanilla with fused AdamW on it."""
    import torch

    from ngt_train import data, losses
    from ngt_train.variants import vanilla

    batch, block, layers, hidden = shape
    tokens = data.open_tokens(folder, "train")
    batches = data.Batches(tokens, batch=batch, block=block)
    model = vanilla.Model(vanilla.Config(vocab_size=tokens.vocab_size, block=block, layers=layers, heads=4, hidden=hidden, mlp=4 * hidden))
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    inputs, targets = next(batches)

    def step() -> None:
        found = losses.cross_entropy(model, model(inputs).hidden, targets, 1024)
        (found.loss_sum / targets.numel()).backward()
        optimizer.step()
        optimizer.zero_grad()

    step()
    loading = [cpu(lambda: [next(batches) for _ in range(LOADS)]) / LOADS for _ in range(5)]
    steps = [cpu(lambda: [step() for _ in range(STEPS)]) / STEPS for _ in range(5)]
    batches.close()
    return statistics.median(loading), statistics.median(steps)


def preparing(scratch: Path) -> tuple[float, float]:
    """CPU seconds of preparing the standard library with a saved BPE, and of the tokenizers library on the same texts."""
    from tokenizers import Tokenizer

    from ngt_train import datasets
    from ngt_train.prepare import prepare
    from ngt_train.recipe import Recipe

    file = scratch / "first" / "tokenizer.json"
    peer = Tokenizer.from_file(str(file))
    source = datasets.source(Recipe())
    assert isinstance(source, datasets.Source)
    texts = [document.text for document in source.documents()]
    ours, theirs = [], []
    for number in range(3):
        out = scratch / f"again{number}"
        ours.append(cpu(lambda out=out: prepare(out=out, tokenizer_file=str(file))))  # type: ignore[misc]
        theirs.append(cpu(lambda: peer.encode_batch_fast(texts)))
    return statistics.median(ours), statistics.median(theirs)


def main() -> None:
    """Print a line a figure."""
    try:
        import tokenizers  # noqa: F401
        import torch
    except ImportError as e:
        print(f"bench_data: skipped, {e.name} is not installed")
        return
    from ngt_train.prepare import prepare

    torch.set_num_threads(1)
    os.environ["RAYON_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory(prefix="ngttrain-bench-") as root:
        scratch = Path(root)
        prepare(out=scratch / "first")
        for name, shape in SHAPES.items():
            loading, step = share(scratch / "first", shape)
            said = "batch {}, block {}, {} layers of {}".format(*shape)
            print(f"loading, {name} ({said}): {1e6 * loading:.0f} us of a step of {1e3 * step:.1f} ms: {loading / step:.2%} (bar: 2 %)")
        ours, theirs = preparing(scratch)
        print(f"preparing the standard library {ours:.2f} s, the tokenizer alone {theirs:.2f} s: ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
