"""FineWeb 10B as GPT-2 tokens, in the shards that modded-nanogpt trains on; or any such shards that are there already."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from ngt_train import files, hub, shards
from ngt_train.datasets import Tokenized, identity, stamps
from ngt_train.errors import ConfigError, DataError
from ngt_train.recipe import Recipe
from ngt_train.tokenizers import GPT2_SIZE

SUMMARY = "10 billion GPT-2 tokens in 103 shards of 200 MB: --chunks N downloads the first N, --path takes local ones"
REPOSITORY = "kjj0/fineweb10B-gpt2"
CHUNKS = 103
FEW = 9  # downloaded when nobody says how many


def source(recipe: Recipe) -> Tokenized:
    """The shards at recipe.path, else those of the hub."""
    if recipe.tokenizer != "gpt2":
        raise ConfigError(f"dataset {recipe.dataset} was tokenised with gpt2 already; tokenizer {recipe.tokenizer!r} cannot be applied")
    if recipe.path:
        return _local(recipe)
    chunks = FEW if recipe.chunks is None else recipe.chunks
    if chunks > CHUNKS:
        raise ConfigError(f"{recipe.dataset} has {CHUNKS} training shards, not {chunks}")
    return Tokenized(lambda folder, report: _download(folder, chunks, report), identity([REPOSITORY, chunks]), "gpt2", GPT2_SIZE)


def _download(folder: Path, chunks: int, report: Callable[[int, int], None]) -> dict[str, list[Path]]:
    names = ["fineweb_val_000000.bin", *(f"fineweb_train_{i:06d}.bin" for i in range(1, chunks + 1))]
    for done, name in enumerate(names):
        report(done, len(names))
        if not _whole(folder / name):
            hub.download(REPOSITORY, name, dataset=True, folder=folder)
    report(len(names), len(names))
    return {"train": [folder / name for name in names[1:]], "val": [folder / names[0]]}


def _whole(path: Path) -> bool:
    """An earlier run brought it, and its size is what its header says."""
    with contextlib.suppress(DataError):
        shards.read(path)
        return True
    return False


def _local(recipe: Recipe) -> Tokenized:
    """`*train*.bin` and `*val*.bin` of a folder; they are linked, or copied where that cannot be."""
    root = Path(recipe.path)
    if not root.is_dir():
        raise DataError(f"{root}: no such folder of token shards")
    files.check_listable(root, deep=False)
    found = {split: sorted(p for p in root.glob(f"*{split}*.bin") if p.is_file()) for split in ("train", "val")}
    for split, paths in found.items():
        if not paths:
            raise DataError(f"{root} has no *{split}*.bin shard; download them with --dataset fineweb10B --chunks {FEW} and no --path")
    if recipe.chunks is not None:
        if recipe.chunks > len(found["train"]):
            raise DataError(f"{root} has {len(found['train'])} training shards, fewer than --chunks {recipe.chunks}")
        found["train"] = found["train"][: recipe.chunks]
    facts = list(stamps(root, [*found["train"], *found["val"]]))
    return Tokenized(lambda folder, report: _link(folder, found, report), identity(facts), "gpt2", GPT2_SIZE)


def _link(folder: Path, found: dict[str, list[Path]], report: Callable[[int, int], None]) -> dict[str, list[Path]]:
    total, done = sum(map(len, found.values())), 0
    placed: dict[str, list[Path]] = {split: [] for split in found}
    for split, paths in found.items():
        for path in paths:
            shards.read(path)
            placed[split].append(_place(path, folder / path.name))
            done += 1
            report(done, total)
    return placed


def _place(path: Path, target: Path) -> Path:
    if target.exists() and path.samefile(target):
        return target
    try:
        target.unlink(missing_ok=True)
        os.link(path.resolve(), target)
    except OSError:
        _copy(path, target)
    return target


def _copy(path: Path, target: Path) -> None:
    with files.replacing(target) as file:
        try:
            with open(path, "rb") as original:
                shutil.copyfileobj(original, file, 1 << 20)
        except OSError as e:
            raise DataError(f"{path} cannot be copied to {target}: {files.why(e)}") from e
