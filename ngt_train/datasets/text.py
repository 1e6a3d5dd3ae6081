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
BLOCK = 1 << 22  # characters read at a time
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def source(recipe: Recipe) -> Source:
    """The files at recipe.path in the order of their names."""
    root, paths = find(recipe, GLOB)
    try:
        facts = list(stamps(root, paths))
        size = sum(path.stat().st_size for path in paths)
    except OSError as e:
        raise DataError(f"{e.filename}: cannot be read: {files.why(e)}") from e
    return Source(lambda: _documents(root, paths, recipe), identity(facts), size)


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
        raise DataError(f"{root}: {'neither a file nor a folder' if root.exists() else 'no such file or folder'}; check --path")
    glob = recipe.glob or glob
    files.check_listable(root, deep="**" in glob)
    try:
        paths = sorted((p for p in root.glob(glob) if p.is_file()), key=lambda p: p.relative_to(root).as_posix())
    except (ValueError, NotImplementedError) as e:
        raise ConfigError(f"glob {glob!r} is not a pattern for files in {root}: {e}") from e
    except OSError as e:
        raise DataError(f"{e.filename or root}: cannot be read: {files.why(e)}") from e
    if not paths:
        raise DataError(f"{root} has no file that matches {glob!r}; say which files with --glob")
    return root, paths


def _documents(root: Path, paths: list[Path], recipe: Recipe) -> Iterator[Document]:
    separator = recipe.separator.replace(r"\n", "\n").replace(r"\t", "\t")
    for path in paths:
        name = path.relative_to(root).as_posix()
        try:
            for number, text in enumerate(parts(path, separator), 1):
                yield Document(f"{name} {number}" if separator else name, text)
        except DataError:
            if not recipe.skip_unreadable:
                raise
            yield Document(name, "", problem="unreadable")


def parts(path: Path, separator: str) -> Iterator[str]:
    """The texts between separators, without newlines around them, read a block at a time; without a separator, the whole text.

    Raises:
        DataError: the file cannot be read, or is neither UTF-8 nor UTF-16 with its mark.
    """
    if not separator:
        yield from _blocks(path, -1)
        return
    rest = ""
    for block in _blocks(path, BLOCK):
        *whole, rest = (rest + block).split(separator)
        yield from (text.strip("\n") for text in whole)
    yield rest.strip("\n")


def _blocks(path: Path, size: int) -> Iterator[str]:
    """The text of a file in blocks of so many characters, -1 for all; every kind of line end becomes a newline."""
    encoding = "utf-8"
    try:
        with open(path, "rb") as file:
            mark = file.read(3)
        encoding = next((name for start, name in MARKS.items() if mark.startswith(start)), encoding)
        with open(path, encoding=encoding) as text:
            while block := text.read(size):
                yield block
    except OSError as e:
        raise DataError(f"{path}: cannot be read: {files.why(e)}") from e
    except UnicodeError as e:
        where = f"{path} is not {encoding} text ({_place(path, encoding)})"
        raise DataError(f"{where}; convert it, or leave it out with --glob or --skip-unreadable") from e


def _place(path: Path, encoding: str) -> str:
    """Where a file stops being text, and why."""
    try:
        path.read_bytes().decode(encoding)
    except UnicodeDecodeError as e:
        return f"byte {e.start:,}: {e.reason}"
    return "it changed meanwhile"
