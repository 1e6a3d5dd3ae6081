"""One model a file; the file in this folder is the registration.

A variant has a frozen `Config` of its architecture and a `Model(config)`; docs/adding.md says what a model answers.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

from ngt_train.errors import ConfigError, nearest


def names() -> list[str]:
    """All variants, by file name."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def load(name: str) -> ModuleType:
    """The module of a variant; `hf:PATH` is variant `hf` (its Config takes the PATH). ConfigError if there is none."""
    stem = name.partition(":")[0]
    if stem not in names():
        raise ConfigError(f"there is no model variant {name!r}{nearest(name, names())}")
    return importlib.import_module(f"ngt_train.variants.{stem}")
