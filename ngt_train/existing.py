"""What an output folder of `prepare` holds already: just what is wanted, something else, or what is not ours."""

from __future__ import annotations

import re
from pathlib import Path

from ngt_train import files, manifest, settings, shards, tokenizers, unfinished
from ngt_train.errors import DataError, TrainError
from ngt_train.manifest import Manifest
from ngt_train.recipe import Recipe

OURS = re.compile(r"(train|val|test)_\d{6}\.bin|tokenizer\.json")  # files that a preparation writes, beside its records


def ready(folder: Path, recipe: Recipe, identity: str, force: bool) -> Manifest | None:
    """The manifest, where the folder holds just this, whole; None where it is to be made.

    Args:
        identity: of the input.
        force: make anew what is of another recipe or input, or damaged.

    Raises:
        DataError: it holds something else.
    """
    if not manifest.exists(folder):
        return None
    if not force:
        made = manifest.read(folder)
        _refuse_another(folder, made, recipe, identity)
        damaged = _damaged(folder, made)
        if not damaged:
            return made
        if any(not OURS.fullmatch(name) for name in damaged) and recipe.path:
            raise DataError(
                f"{folder / damaged[0]} was damaged or replaced since it was prepared; bring it back, or take it as it is with --force"
            )
        for name in damaged:
            (folder / name).unlink(missing_ok=True)
    _clear(folder)
    return None


def _refuse_another(folder: Path, made: Manifest, recipe: Recipe, identity: str) -> None:
    next_step = "give another --out, or --force to prepare it again"
    try:
        before = settings.plain(settings.build(Recipe, made.recipe))  # settings that came later have their defaults
    except TrainError:
        before = made.recipe
    for key, old, new in settings.differences(before, settings.plain(recipe)):
        raise DataError(f"{folder} was prepared with {key} = {old!r}, not {new!r}; {next_step}")
    if made.source != identity:
        raise DataError(f"{folder}: its input has changed since it was prepared; {next_step}")


def _damaged(folder: Path, made: Manifest) -> list[str]:
    """Names of files that are missing or not those that the manifest vouches for."""
    found = [shard.file for split in made.splits for shard in split.shards if not _whole(folder / shard.file, shard.sha256)]
    if made.tokenizer_file and not _whole_tokenizer(folder / made.tokenizer_file, made):
        found.append(made.tokenizer_file)
    return found


def _whole(path: Path, sha256: str) -> bool:
    return path.is_file() and shards.digest(path) == sha256


def _whole_tokenizer(path: Path, made: Manifest) -> bool:
    try:
        return tokenizers.from_file(path, made.tokenizer).fingerprint == made.tokenizer_fingerprint
    except DataError:
        return False


def _clear(folder: Path) -> None:
    """Remove what an earlier preparation made: the manifest first, which must not vouch for shards that are being replaced."""
    ours = sorted(path for path in folder.iterdir() if OURS.fullmatch(path.name))
    try:
        for path in (folder / manifest.FILE, *ours):
            path.unlink()
    except OSError as e:
        raise DataError(f"{e.filename}: cannot be replaced: {files.why(e)}") from e


def refuse_strangers(folder: Path) -> None:
    """Never write over what another program left.

    Raises:
        DataError: a file has a name that a preparation uses, and there is no sign of one.
    """
    for path in sorted(folder.iterdir()):
        if OURS.fullmatch(path.name) and not (folder / unfinished.FILE).exists():
            raise DataError(f"{path} is there already, and no preparation of ours made it; give another --out, or remove it")
