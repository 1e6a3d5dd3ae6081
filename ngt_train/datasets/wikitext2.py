"""WikiText-2 (Merity et al. 2016), raw: about 12 MB of Wikipedia articles."""

from __future__ import annotations

from ngt_train.datasets import Source
from ngt_train.datasets.hf import load
from ngt_train.datasets.wikitext103 import REPOSITORY, articles
from ngt_train.recipe import Recipe

SUMMARY = "WikiText-2, raw, from the Hugging Face hub: 12 MB of articles"


def source(recipe: Recipe) -> Source:
    """One document an article."""
    return load(REPOSITORY, "wikitext-2-raw-v1", recipe, articles)
