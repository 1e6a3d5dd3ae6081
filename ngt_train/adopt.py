"""A manifest for shards that somebody else tokenised."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from ngt_train import manifest, settings, shards, tokenizers
from ngt_train.datasets import Tokenized
from ngt_train.errors import DataError
from ngt_train.manifest import Manifest, Split
from ngt_train.recipe import Recipe
from ngt_train.shards import Shard


def adopt(folder: Path, recipe: Recipe, source: Tokenized, identity: str, progress: Callable[[str, int, int | None], None]) -> Manifest:
    """Fetch the shards into the folder, check each one, and write the manifest.

    Raises:
        DataError: a shard is damaged, or has a token that the vocabulary does not have.
    """
    found = source.fetch(folder, lambda done, total: progress("fetching shards", done, total))
    paths = [path for split in found.values() for path in split]
    described: dict[Path, Shard] = {}
    for done, path in enumerate(paths):
        progress("checking shards", done, len(paths))
        described[path] = _described(path, source)
    progress("checking shards", len(paths), len(paths))
    splits = tuple(_split(name, tuple(described[path] for path in parts)) for name, parts in found.items())
    whole = hashlib.sha256("".join(f"{s.name} {shard.sha256}\n" for s in splits for shard in s.shards).encode())
    tokenizer = _tokenizer(folder, recipe)
    made = Manifest(
        dataset=recipe.dataset,
        fingerprint=f"sha256:{whole.hexdigest()}",
        tokenizer=source.tokenizer,
        tokenizer_fingerprint=tokenizer.fingerprint if tokenizer else None,
        tokenizer_file=tokenizers.FILE if tokenizer else None,
        vocab_size=source.vocab_size,
        splits=splits,
        recipe=settings.plain(recipe),
        source=identity,
    )
    manifest.write(folder, made)
    return made


def _described(path: Path, source: Tokenized) -> Shard:
    found = shards.describe(path)
    if found.largest >= source.vocab_size:
        raise DataError(f"{path} has token {found.largest}, but the vocabulary of {source.tokenizer} ends at {source.vocab_size - 1}")
    return found


def _split(name: str, parts: tuple[Shard, ...]) -> Split:
    return Split(name=name, tokens=sum(part.tokens for part in parts), documents=None, text_bytes=None, shards=parts)


def _tokenizer(folder: Path, recipe: Recipe) -> tokenizers.Tokenizer | None:
    """The tokenizer's own file, where it was given: training needs none, sampling does."""
    if not recipe.tokenizer_file:
        return None
    made = tokenizers.from_file(Path(recipe.tokenizer_file), recipe.tokenizer)
    made.save(folder / tokenizers.FILE)
    return made
