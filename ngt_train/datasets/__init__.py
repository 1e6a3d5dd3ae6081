"""Datasets: one file each. A file here is the registration: it has a `SUMMARY` of one line and `source(recipe)`."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngt_train.documents import Document
from ngt_train.errors import ConfigError, nearest
from ngt_train.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Source:
    """Documents that can be gone through more than once, always in the same order."""

    documents: Callable[[], Iterator[Document]]
    identity: str  # changes when the input does; cheap to compute
    size: int | None = None  # bytes of text, where it is known beforehand


@dataclass(frozen=True, slots=True)
class Tokenized:
    """Shards that somebody else tokenised; `fetch` brings them into a folder and returns the files of each split."""

    fetch: Callable[[Path, Callable[[int, int], None]], dict[str, list[Path]]]
    identity: str
    tokenizer: str
    vocab_size: int


def names() -> list[str]:
    """All datasets."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def summary(name: str) -> str:
    """The dataset in one line."""
    return str(_module(name).SUMMARY)


def source(recipe: Recipe) -> Source | Tokenized:
    """The input that the recipe names; `hf:NAME` is any dataset of the Hugging Face hub.

    Raises:
        ConfigError: no such dataset, or an option that it does not take.
        DataError: the input is missing or unreadable.
    """
    found: Source | Tokenized = _module("hf" if recipe.dataset.startswith("hf:") else recipe.dataset).source(recipe)
    return found


def _module(name: str) -> Any:
    if name not in names():
        raise ConfigError(f"unknown dataset {name!r}{nearest(name, (*names(), 'hf:NAME'))}")
    return importlib.import_module(f"{__name__}.{name}")


def identity(parts: Iterable[object]) -> str:
    """One short text for several facts."""
    return hashlib.sha256("\n".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def stamps(root: Path, paths: Iterable[Path]) -> Iterator[str]:
    """Name, size and modification time of files: changes when one of them is edited."""
    for path in paths:
        state = path.stat()
        yield f"{path.relative_to(root).as_posix()} {state.st_size} {state.st_mtime_ns}"
