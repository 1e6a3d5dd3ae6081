"""The Python standard library's own sources: a corpus that is there without a network, the same for one Python version."""

from __future__ import annotations

import platform
import sys
import sysconfig
import tokenize
from collections.abc import Iterator
from pathlib import Path

from ngt_train import files
from ngt_train.datasets import Source, identity
from ngt_train.documents import Document
from ngt_train.errors import DataError
from ngt_train.recipe import Recipe

SUMMARY = "the sources of Python's standard library, some 10 MB; no download"
# Packages that distributions leave out or move, and tests: without them the corpus is the same wherever this Python is whole.
LEFT_OUT = {"ensurepip", "idlelib", "lib2to3", "site", "sysconfig", "test", "this", "tkinter", "turtle", "turtledemo"}
TEST_FOLDERS = {"test", "tests", "idle_test", "__pycache__"}


def source(recipe: Recipe) -> Source:
    """Every module that sys.stdlib_module_names lists and that has a source file, by path."""
    root = Path(sysconfig.get_path("stdlib"))
    paths = _paths(root)
    if not paths:
        raise DataError(f"{root}: this Python came without the sources of its standard library; take --dataset text --path FOLDER instead")
    sizes = [path.stat().st_size for path in paths]
    facts = [platform.python_version(), *(f"{p.relative_to(root).as_posix()} {n}" for p, n in zip(paths, sizes, strict=True))]
    return Source(lambda: _documents(root, paths), identity(facts), sum(sizes))


def _paths(root: Path) -> list[Path]:
    found = []
    for name in sorted(sys.stdlib_module_names - LEFT_OUT):
        if name.startswith("_sysconfigdata"):  # build settings of this machine
            continue
        found += [root / f"{name}.py"] if (root / f"{name}.py").is_file() else []
        found += [p for p in (root / name).rglob("*.py") if not TEST_FOLDERS.intersection(p.relative_to(root).parts)]
    return sorted(found, key=lambda p: p.relative_to(root).as_posix())


def _documents(root: Path, paths: list[Path]) -> Iterator[Document]:
    for path in paths:
        try:
            with tokenize.open(path) as file:  # the encoding that the source declares
                text = file.read()
        except (OSError, SyntaxError, UnicodeDecodeError) as e:
            reason = files.why(e) if isinstance(e, OSError) else str(e)
            raise DataError(f"{path}: this module of the standard library cannot be read: {reason}") from e
        yield Document(path.relative_to(root).as_posix(), text)
