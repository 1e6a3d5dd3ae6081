"""Tokenise a dataset once, into shards and a manifest that training maps into memory.

Order of events: the tokenizer's file, then shard after shard (each line of unfinished.jsonl is one that is whole), manifest.json
last. A run that was cut off goes on after its last whole shard.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ngt_train import datasets, documents, existing, files, manifest, settings, shards, tokenizers
from ngt_train.datasets import Source, Tokenized
from ngt_train.documents import Document, Piece
from ngt_train.errors import DataError
from ngt_train.manifest import SPLITS, Manifest, Split
from ngt_train.recipe import Recipe
from ngt_train.shards import Shard
from ngt_train.tokenizers import Tokenizer
from ngt_train.unfinished import Unfinished

SHARD_TEXT = 64_000_000  # characters a shard
BATCH_TEXT = 2_000_000  # characters tokenised at a time

Progress = Callable[[str, int, int | None], None]  # what is done, how much of it, of how much


def prepare(*, out: str | Path, force: bool = False, progress: Progress | None = None, **options: Any) -> Manifest:
    """Make the folder `out` hold the tokens of a dataset; nothing is done where it does already.

    Args:
        out: folder for manifest.json, the tokenizer and the shards.
        force: prepare again what was made with other settings or of other input.
        options: the fields of Recipe.

    Raises:
        ConfigError: an option that does not exist or cannot be meant.
        DataError: the input, the disk, or what is in the folder already.
    """
    recipe = settings.build(Recipe, options)
    report = progress or (lambda what, done, total: None)
    source = datasets.source(recipe)
    folder = Path(out)
    identity = _identity(source, recipe)
    ready = existing.ready(folder, recipe, identity, force)
    if ready:
        return ready
    files.make_folder(folder)
    files.remove_leftovers(folder)
    if isinstance(source, Tokenized):
        from ngt_train.adopt import adopt

        return adopt(folder, recipe, source, identity, report)
    existing.refuse_strangers(folder)
    return _Preparation(folder, recipe, source, identity, report).run()


def _identity(source: Source | Tokenized, recipe: Recipe) -> str:
    """What changes when the input or the given tokenizer does."""
    if not recipe.tokenizer_file:
        return source.identity
    return f"{source.identity} {tokenizers.from_file(Path(recipe.tokenizer_file), recipe.tokenizer).fingerprint}"


@dataclass
class _Growing:
    """A split while it is made."""

    name: str
    documents: int = 0
    text_bytes: int = 0
    shards: list[Shard] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)  # of the shard that grows
    waiting: int = 0  # their characters
    texts: Any = field(default_factory=hashlib.sha256)  # of all documents
    key: Any = field(default_factory=hashlib.sha256)  # of the pieces

    def begin(self, document: Document) -> None:
        """Count a document whose pieces follow."""
        raw = documents.utf8(document.text)
        self.documents += 1
        self.text_bytes += len(raw)
        self.texts.update(hashlib.sha256(raw).digest())

    def add(self, piece: Piece) -> None:
        raw = documents.utf8(piece.text)
        self.pieces.append(piece)
        self.waiting += len(piece.text)
        self.key.update(f"{len(raw)} {piece.begins}\n".encode() + raw)

    def take(self) -> tuple[str, str, list[Piece]]:
        """File name, key and pieces of the shard that is full; the next one begins."""
        taken = f"{self.name}_{len(self.shards):06d}.bin", str(self.key.hexdigest()), self.pieces
        self.pieces, self.waiting, self.key = [], 0, hashlib.sha256()
        return taken


def _batches(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Pieces in groups of some BATCH_TEXT characters: enough for all cores, few enough for the memory."""
    batch: list[Piece] = []
    size = 0
    for piece in pieces:
        batch.append(piece)
        size += len(piece.text)
        if size >= BATCH_TEXT:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


class _Preparation:
    """One pass over the documents: splits, filters, shards, manifest."""

    def __init__(self, folder: Path, recipe: Recipe, source: Source, identity: str, progress: Progress) -> None:
        self.folder, self.recipe, self.source, self.identity, self.progress = folder, recipe, source, identity, progress
        self.dropped: Counter[str] = Counter()
        self.done = 0

    def run(self) -> Manifest:
        self.unfinished = Unfinished(self.folder, {"recipe": settings.plain(self.recipe), "source": self.identity})
        self.tokenizer = self._tokenizer()
        splits = self._shards()
        self._check(splits)
        made = self._manifest(splits)
        manifest.write(self.folder, made)
        self.unfinished.remove()
        return made

    def _documents(self, dropped: Counter[str]) -> Iterator[Document]:
        recipe = self.recipe
        return recipe.filters().apply(documents.assign_splits(self.source.documents(), recipe.val, recipe.test), dropped)

    # -- tokenizer -----------------------------------------------------------------------------------------------------
    def _tokenizer(self) -> Tokenizer:
        """The one that an earlier, unfinished run made, or a new one."""
        path = self.folder / tokenizers.FILE
        if self.unfinished.resumed and path.is_file():
            return tokenizers.from_file(path, self.recipe.tokenizer)
        recipe = self.recipe
        made = tokenizers.make(recipe.tokenizer, recipe.vocabulary, recipe.tokenizer_file, self._training_texts)
        made.save(path)
        return made

    def _training_texts(self) -> Iterator[str]:
        """The train split in pieces, up to the number of characters that a tokenizer is made from."""
        left = self.recipe.tokenizer_text
        done = 0
        dropped: Counter[str] = Counter()
        found = False
        for document in self._documents(dropped):
            found = found or document.split == "train"
            if document.split == "train" and left > 0:
                for piece in documents.pieces(document.text[:left]):
                    yield piece.text
                left -= len(document.text)
            done += len(document.text)
            self.progress("making the tokenizer", done, self.source.size)
        if not found:
            raise self._none("train", dropped)

    # -- shards -----------------------------------------------------------------------------------------------------------
    def _shards(self) -> list[_Growing]:
        splits = {name: _Growing(name) for name in SPLITS}
        for document in self._documents(self.dropped):
            split = splits[document.split or "train"]
            split.begin(document)
            for piece in documents.pieces(document.text):
                split.add(piece)
                if split.waiting >= SHARD_TEXT:
                    self._shard(split)
        for split in splits.values():
            if split.waiting:
                self._shard(split)
        return [split for split in splits.values() if split.shards]

    def _shard(self, split: _Growing) -> None:
        """Write the shard whose text is complete, unless an earlier run did."""
        waiting = split.waiting
        name, key, pieces = split.take()
        known = self.unfinished.find(name, key)
        if known is None:
            known = shards.write(self.folder / name, self._encode(pieces))
            self.unfinished.add(key, known)
        else:
            self._advance(waiting)
        split.shards.append(known)

    def _encode(self, pieces: list[Piece]) -> shards.Array:
        """The tokens of a shard (N,), an end-of-text token before each document."""
        kind = np.uint16 if self.tokenizer.vocab_size <= 1 << 16 else np.uint32
        end = np.array([self.tokenizer.end], kind)
        parts = []
        for batch in _batches(pieces):
            for piece, ids in zip(batch, self.tokenizer.encode_many([p.text for p in batch]), strict=True):
                parts += [end, ids.astype(kind)] if piece.begins else [ids.astype(kind)]
            self._advance(sum(len(p.text) for p in batch))
        return np.concatenate(parts)

    def _advance(self, characters: int) -> None:
        self.done += characters
        self.progress("tokenising", self.done, self.source.size)

    # -- manifest ---------------------------------------------------------------------------------------------------------
    def _check(self, splits: list[_Growing]) -> None:
        """Training needs a train and a val split."""
        found = {split.name for split in splits}
        for name in ("train", "val"):
            if name not in found:
                raise self._none(name, self.dropped)

    def _none(self, split: str, dropped: Counter[str]) -> DataError:
        left_out = ", ".join(f"{count} by {reason}" for reason, count in dropped.items()) or "none"
        return DataError(
            f"dataset {self.recipe.dataset} gives no {split} documents (left out: {left_out}); loosen the filters or change --val"
        )

    def _manifest(self, splits: list[_Growing]) -> Manifest:
        whole = hashlib.sha256("".join(f"{s.name} {s.texts.hexdigest()}\n" for s in splits).encode())
        return Manifest(
            dataset=self.recipe.dataset,
            fingerprint=f"sha256:{whole.hexdigest()}",
            tokenizer=self.recipe.tokenizer,
            tokenizer_fingerprint=self.tokenizer.fingerprint,
            tokenizer_file=tokenizers.FILE,
            vocab_size=self.tokenizer.vocab_size,
            splits=tuple(_finished(split) for split in splits),
            dropped=dict(sorted(self.dropped.items())),
            recipe=settings.plain(self.recipe),
            source=self.identity,
        )


def _finished(split: _Growing) -> Split:
    return Split(
        name=split.name,
        tokens=sum(shard.tokens for shard in split.shards),
        documents=split.documents,
        text_bytes=split.text_bytes,
        shards=tuple(split.shards),
    )


# -- for people --------------------------------------------------------------------------------------------------------------
def folder_of(options: Mapping[str, Any]) -> str:
    """Where tokens go when nobody says: where a run with the same dataset and tokenizer looks for them."""
    from ngt_train import config

    keys = ("dataset", "tokenizer", "vocabulary")
    return config.from_dict({"data": {key: options[key] for key in keys if key in options}}).data_folder().as_posix()


def told(made: Manifest) -> str:
    """What a folder holds, in a sentence or two."""
    splits = ", ".join(f"{split.name} {split.tokens:,} tokens in {_count(len(split.shards), 'shard')}" for split in made.splits)
    density = f"; {made.bytes_per_token:.2f} bytes a token" if made.bytes_per_token else ""
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in made.dropped.items())
    return f"{splits}{density}" + (f"; documents left out: {dropped}" if dropped else "")


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
