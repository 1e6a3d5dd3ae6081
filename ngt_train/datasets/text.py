"""Plain text: a file, or the files of a folder; each file is a document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ngt_train import files
from ngt_train.datasets import Source, identity, stamps
from ngt_train.documents import Document
from ngt_train.errors import ConfigError, DataError
from ngt_train.recipe import Recipe

SUMMARY = "your own text files: --path FILE or FOLDER"
GLOB = "**/*.txt"
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def source(recipe: Recipe) -> Source:
    """The files at recipe.path in the order of their names."""
    root, paths = find(recipe, GLOB)
    try:
        facts = list(stamps(root, paths))
        size = sum(path.stat().st_size for path in paths)
    except OSError as e:
        raise DataError(f"{e.filename}: cannot be read: {files.why(e)}") from e
    return Source(lambda: _documents(root, paths, recipe.skip_unreadable), identity(facts), size)


def find(recipe: Recipe, glob: str) -> tuple[Path, list[Path]]:
    """The folder and the regular files in it that are meant, sorted; a file alone is taken whatever its name.

    Raises:
        ConfigError: no path was given.
        DataError: nothing is there, or nothing that matches.
    """
    if not recipe.path:
        raise ConfigError(f"dataset {recipe.dataset} needs --path, a file or a folder")
    root = Path(recipe.path)
    if root.is_file():
        return root.parent, [root]
    if not root.is_dir():
        raise DataError(f"{root}: no such file or folder")
    glob = recipe.glob or glob
    try:
        paths = sorted((p for p in root.glob(glob) if p.is_file()), key=lambda p: p.relative_to(root).as_posix())
    except (ValueError, NotImplementedError) as e:
        raise ConfigError(f"glob {glob!r} is not a pattern for files in {root}: {e}") from e
    except OSError as e:
        raise DataError(f"{e.filename or root}: cannot be read: {files.why(e)}") from e
    if not paths:
        raise DataError(f"{root} has no file that matches {glob!r}; say which files with --glob")
    return root, paths


def _documents(root: Path, paths: list[Path], skip: bool) -> Iterator[Document]:
    for path in paths:
        name = path.relative_to(root).as_posix()
        try:
            yield Document(name, read(path))
        except DataError:
            if not skip:
                raise
            yield Document(name, "", problem="unreadable")


def read(path: Path) -> str:
    """The text of a UTF-8 file, or of one with a UTF-16 mark; line ends become newlines."""
    try:
        raw = path.read_bytes()
    except OSError as e:
        raise DataError(f"{path}: cannot be read: {files.why(e)}") from e
    encoding = next((name for mark, name in MARKS.items() if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as e:
        raise DataError(
            f"{path} is not {encoding} text (byte {e.start:,}: {e.reason}); convert it, or leave it out with --glob or --skip-unreadable"
        ) from e
    return text.replace("\r\n", "\n").replace("\r", "\n")
