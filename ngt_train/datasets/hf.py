"""Any dataset of the Hugging Face hub, or a local folder in its layout; optional package datasets, which keeps a local cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ngt_train import hub
from ngt_train.datasets import Source, identity, stamps
from ngt_train.documents import Document
from ngt_train.errors import ConfigError, DataError
from ngt_train.recipe import Recipe

SUMMARY = "hf:NAME or hf:FOLDER: a dataset of the Hugging Face hub or in its layout; --config, --column, --revision"
SPLITS = {"train": "train", "validation": "val", "valid": "val", "val": "val", "dev": "val", "test": "test"}

Join = Callable[[Iterable[str]], Iterator[str]]


def source(recipe: Recipe) -> Source:
    """Each row of the text column is a document; the dataset's own splits are kept, a missing validation is taken from train."""
    name = recipe.dataset.removeprefix("hf:")
    if recipe.dataset == "hf" or not name:
        raise ConfigError("dataset hf needs a name: hf:NAME of the hub, or hf:FOLDER")
    return load(name, recipe.config, recipe, iter)


def load(name: str, config: str, recipe: Recipe, join: Join) -> Source:
    """A dataset of the hub whose rows `join` turns into documents."""
    root = Path(name)
    local = stamps(root, sorted(p for p in root.rglob("*") if p.is_file())) if root.is_dir() else ()
    return Source(lambda: _documents(name, config, recipe, join), identity([name, config, recipe.revision, recipe.column, *local]))


def _documents(name: str, config: str, recipe: Recipe, join: Join) -> Iterator[Document]:
    found = _open(name, config, recipe)
    named = {split: SPLITS[split] for split in found if split in SPLITS}
    if "train" not in named:
        raise DataError(f"{name} has no train split but {', '.join(found) or 'none'}; choose another --config")
    for split, ours in sorted(named.items(), key=lambda pair: ("train", "val", "test").index(pair[1])):
        carve = ours == "train" and "val" not in named.values()
        for number, text in enumerate(join(_texts(found[split], name, recipe.column))):
            yield Document(f"{name} {split} {number}", text, None if carve else ours)


def _open(name: str, config: str, recipe: Recipe) -> Any:
    """The splits by name."""
    try:
        import datasets
    except ModuleNotFoundError as e:
        raise DataError(f"{name} needs the package datasets: pip install 'ngtreport[data]'") from e
    datasets.disable_progress_bars()
    hub.quiet()
    try:
        return datasets.load_dataset(name, config or None, revision=recipe.revision or None)
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as e:
        raise DataError(f"{name} could not be loaded ({hub.reason(e)}); check its name and --config, or connect to the network") from e


def _texts(rows: Any, name: str, column: str) -> Iterator[str]:
    if column not in rows.column_names:
        raise ConfigError(f"{name} has no column {column!r} but {', '.join(rows.column_names)}; say which with --column")
    for text in rows[column]:
        if not isinstance(text, str | None):
            raise ConfigError(f"column {column!r} of {name} holds {type(text).__name__} values, not texts; choose another with --column")
        yield text or ""
