"""The text of PDF files, as text out of the usual domain; optional package pypdf."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from ngt_train import files
from ngt_train.datasets import Source, identity, stamps
from ngt_train.datasets.text import find
from ngt_train.documents import Document
from ngt_train.errors import DataError
from ngt_train.recipe import Recipe

SUMMARY = "the text of PDF files: --path FILE or FOLDER"
GLOB = "**/*.pdf"
FEW = 4  # files that are not worth starting processes for


def source(recipe: Recipe) -> Source:
    """One document a file, its pages separated by blank lines; the text is extracted once and kept in memory."""
    root, paths = find(recipe, GLOB)
    if importlib.util.find_spec("pypdf") is None:
        raise DataError(f"{root}: reading PDF files needs the package pypdf: pip install 'ngtreport[data]'")
    try:
        facts = list(stamps(root, paths))
    except OSError as e:
        raise DataError(f"{e.filename}: cannot be read: {files.why(e)}") from e

    @cache
    def texts() -> list[str | None]:
        return _extract_all(paths)

    return Source(lambda: _documents(root, paths, texts(), recipe.skip_unreadable), identity(facts))


def _documents(root: Path, paths: list[Path], texts: list[str | None], skip: bool) -> Iterator[Document]:
    for path, text in zip(paths, texts, strict=True):
        if text is None and not skip:
            raise DataError(f"{path} is damaged, locked or no PDF; leave it out with --glob or --skip-unreadable")
        yield Document(path.relative_to(root).as_posix(), text or "", problem="" if text is not None else "unreadable")


def _extract_all(paths: list[Path]) -> list[str | None]:
    """The texts in the order of the paths; None where a file cannot be read."""
    if len(paths) <= FEW:
        return [extract(path) for path in paths]
    try:
        with ProcessPoolExecutor(min(len(paths), os.cpu_count() or 1), get_context("spawn")) as pool:
            return list(pool.map(extract, paths))
    except BrokenProcessPool as e:
        raise DataError(f"{paths[0].parent}: a process that read PDF files was killed; there may be too little memory") from e


def extract(path: Path) -> str | None:
    """The text of all pages; None where the file is damaged, locked or no PDF."""
    import logging

    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it warns of every oddity of a file
    try:
        pages = pypdf.PdfReader(path).pages
        text = "\n\n".join(page.extract_text().strip() for page in pages)
    except Exception:  # whatever a stranger's file makes the parser raise
        return None
    return text.strip() + "\n" if text.strip() else ""
