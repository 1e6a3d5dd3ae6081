"""manifest.json: what a folder of prepared tokens holds and where it came from; written last, so that it vouches for the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ngt_train import files, settings
from ngt_train.errors import ConfigError, DataError, nearest
from ngt_train.shards import Shard

FILE = "manifest.json"
ANEW = "make it anew with `ngttrain prepare --force`"
SCHEMA = 1
SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The shards of one split, in order, and what they were made of (None where only tokens were at hand)."""

    name: str
    tokens: int
    documents: int | None
    text_bytes: int | None  # of the text in UTF-8
    shards: tuple[Shard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A prepared dataset; fingerprints are `sha256:` and 64 hexadecimal digits."""

    schema: int = SCHEMA
    dataset: str
    fingerprint: str  # of the documents' texts and their splits, whatever the tokenizer; of the shards where there is no text
    tokenizer: str
    tokenizer_fingerprint: str | None  # None where only tokens are at hand
    tokenizer_file: str | None  # name in the manifest's folder
    vocab_size: int
    splits: tuple[Split, ...]
    dropped: dict[str, int] = field(default_factory=dict)  # documents left out, by reason
    recipe: dict[str, Any] = field(default_factory=dict)  # the settings it was made with
    source: str = ""  # identity of the input: changes when the input does

    def split(self, name: str) -> Split:
        """The split of this name.

        Raises:
            DataError: there is none; the message lists those there are.
        """
        for split in self.splits:
            if split.name == name:
                return split
        raise DataError(f"dataset {self.dataset} has no {name!r} split{nearest(name, (s.name for s in self.splits))}")

    @property
    def bytes_per_token(self) -> float | None:
        """UTF-8 bytes of text a token, over all splits: turns nats per token into bits per byte."""
        known = [s for s in self.splits if s.text_bytes is not None and s.tokens]
        tokens = sum(s.tokens for s in known)
        return sum(s.text_bytes or 0 for s in known) / tokens if tokens else None


def write(folder: Path, manifest: Manifest) -> None:
    """Write manifest.json; it appears whole or not at all."""
    text = json.dumps(settings.plain(manifest), indent=1) + "\n"
    with files.replacing(folder / FILE) as file:
        file.write(text.encode())


def read(folder: Path) -> Manifest:
    """The manifest of a prepared folder.

    Raises:
        DataError: the folder or the manifest is missing, or is not what it should be.
    """
    path = folder / FILE
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder of prepared tokens; make it with `ngttrain prepare --out {folder}`")
    if not exists(folder):
        raise DataError(f"{folder} has no {FILE}, so its preparation did not end; run `ngttrain prepare --out {folder}` again, it goes on")
    try:
        manifest = settings.build(Manifest, json.loads(path.read_bytes()))
    except OSError as e:
        raise DataError(f"{path}: cannot be read: {files.why(e)}") from e
    except (ValueError, RecursionError) as e:
        raise DataError(f"{path} is not JSON ({e}); {ANEW}") from e
    except ConfigError as e:
        raise DataError(f"{path} is not a manifest: {e}; {ANEW}") from e
    _check(path, manifest)
    return manifest


def exists(folder: Path) -> bool:
    """Whether the folder has a manifest.

    Raises:
        DataError: its rights do not let us see.
    """
    try:
        return (folder / FILE).exists()
    except OSError as e:
        raise DataError(f"{folder}: cannot be looked into: {files.why(e)}; change its rights, or choose another folder") from e


def _check(path: Path, manifest: Manifest) -> None:
    """What the types do not say: the version, and that all files are beside the manifest."""
    if manifest.schema != SCHEMA:
        raise DataError(f"{path} has schema {manifest.schema}, this program knows {SCHEMA}; {ANEW}")
    names = [shard.file for split in manifest.splits for shard in split.shards]
    for name in (*names, manifest.tokenizer_file or FILE):
        if not name or Path(name).name != name or name in (".", "..") or "\\" in name or "\0" in name:
            raise DataError(f"{path} names the file {name!r}, which is not a plain name in its folder; {ANEW}")
    for split in manifest.splits:
        if split.tokens != sum(shard.tokens for shard in split.shards):
            raise DataError(f"{path}: the shards of {split.name!r} do not add up to its {split.tokens:,} tokens; {ANEW}")
