"""What can go wrong, as exception types; only commands.py catches them.

TrainError             exit 3: an input, a rank, the disk
├── ConfigError        exit 2: a setting, an option or a name that cannot be meant
├── DataError          exit 3: a dataset, a shard or a tokenizer
├── CheckpointError    exit 3: a checkpoint that is damaged or belongs to another run
└── Diverged           exit 1: the loss is not finite; the run ended by itself
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TrainError(Exception):
    """Something outside this program is in the way; the message is one sentence for the user."""

    exit_code = 3


class ConfigError(TrainError):
    """A configuration, the command line or the environment asks for something that does not exist."""

    exit_code = 2


class DataError(TrainError):
    """A dataset, a shard, a manifest or a tokenizer is missing or not what it says."""


class CheckpointError(TrainError):
    """A checkpoint is missing, damaged, or of another run."""


class Diverged(TrainError):
    """The training loss or a gradient is not finite."""

    exit_code = 1


def nearest(word: str, known: Iterable[str]) -> str:
    """A half-sentence for a typo: `; did you mean 'alpha'?`, or the known words where none is near."""
    names = sorted(known)
    found = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if found:
        return f"; did you mean {found[0]!r}?"
    if not names:
        return ""
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"; known: {shown}"
