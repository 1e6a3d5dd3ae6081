"""WikiText-103 (Merity et al. 2016), raw: about 540 MB of Wikipedia articles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ngt_train.datasets import Source
from ngt_train.datasets.hf import load
from ngt_train.recipe import Recipe

SUMMARY = "WikiText-103, raw, from the Hugging Face hub: 540 MB of articles"
REPOSITORY = "Salesforce/wikitext"
TITLE = re.compile(r" = (?!= )[^\n]+(?<! =) = \n?")  # of an article; sections have more signs


def source(recipe: Recipe) -> Source:
    """One document an article."""
    return load(REPOSITORY, "wikitext-103-raw-v1", recipe, articles)


def articles(rows: Iterable[str]) -> Iterator[str]:
    """The dataset has a row a line: join those of an article, which begins with its title between single = signs."""
    lines: list[str] = []
    for row in rows:
        if TITLE.fullmatch(row) and any(line.strip() for line in lines):
            yield "".join(lines)
            lines = []
        lines.append(row or "\n")
    if any(line.strip() for line in lines):
        yield "".join(lines)
