"""The tokens that a run trains and is judged on, opened once; prepared first where that needs no decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ngt_train import manifest, settings
from ngt_train.config import RunConfig
from ngt_train.errors import ConfigError, DataError, nearest
from ngt_train.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from ngt_train.data import Tokens
    from ngt_train.distributed import World
    from ngt_train.manifest import Manifest
    from ngt_train.tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class Corpus:
    """Memory-mapped splits and what made them; a dataset may have no test split, and no tokenizer file."""

    made: Manifest
    train: Tokens
    val: Tokens
    test: Tokens | None
    tokenizer: Tokenizer | None

    def val_tokens(self, config: RunConfig) -> int:
        """On how many tokens a validation is computed."""
        from ngt_train.data import validation_windows

        return validation_windows(self.val, config.data.block, config.eval.tokens) * config.data.block


def open_corpus(config: RunConfig, world: World, say: Callable[[str], None]) -> Corpus:
    """The splits in `config.data_folder()`; rank 0 prepares them where they are missing.

    Raises:
        DataError: they are damaged, too few for a block, or were prepared from something else.
    """
    from ngt_train import tokenizers
    from ngt_train.data import open_tokens

    folder = config.data_folder()
    if world.first and not manifest.exists(folder):
        _prepare(config, say)
    world.barrier()
    made = manifest.read(folder)
    _check(config, made)
    splits = {name: open_tokens(folder, name, verify=world.first) for name in (split.name for split in made.splits)}
    for name in ("train", "val"):
        made.split(name)
        splits[name].windows(config.data.block)
    if config.eval.test:
        made.split("test")
    tokenizer = tokenizers.from_file(folder / made.tokenizer_file, made.tokenizer) if made.tokenizer_file else None
    return Corpus(made, splits["train"], splits["val"], splits.get("test"), tokenizer)


def _prepare(config: RunConfig, say: Callable[[str], None]) -> None:
    from ngt_train.bar import StageBar
    from ngt_train.prepare import prepare

    data, folder = config.data, config.data_folder()
    say(f"{folder} has no prepared tokens yet: preparing {data.dataset} with the {data.tokenizer} tokenizer")
    options: dict[str, Any] = {"dataset": data.dataset, "tokenizer": data.tokenizer, "vocabulary": data.vocabulary, **data.options}
    with StageBar() as bar:
        prepare(out=folder, progress=bar, **options)


def _check(config: RunConfig, made: Manifest) -> None:
    """The folder must hold what the configuration names; where the input was (`path`, `tokenizer_file`) may differ here."""
    for key, wanted, found in (("dataset", config.data.dataset, made.dataset), ("tokenizer", config.data.tokenizer, made.tokenizer)):
        if wanted != found:
            raise DataError(
                f"{config.data_folder()} was prepared with {key} {found!r}, but data.{key} is {wanted!r}; set data.{key} or data.folder"
            )
    if unknown := sorted(config.data.options.keys() - settings.hints(Recipe).keys()):
        raise ConfigError(f"unknown setting 'data.options.{unknown[0]}'{nearest(unknown[0], settings.hints(Recipe))}")
    options = {key: value for key, value in config.data.options.items() if key not in ("path", "tokenizer_file")}
    if made.tokenizer == "bpe" and not made.recipe.get("tokenizer_file"):
        options["vocabulary"] = config.data.vocabulary
    for key, value in options.items():
        if key in made.recipe and made.recipe[key] != value:
            name = "data.vocabulary" if key == "vocabulary" else f"data.options.{key}"
            raise DataError(
                f"{config.data_folder()} was prepared with {key} {made.recipe[key]!r}, but {name} is {value!r}; set it or data.folder"
            )
