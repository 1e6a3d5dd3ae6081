"""What is recorded beside the settings and is none: where a run was, what it was called, when and on which machine, with which versions."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

# Of names as names.clean leaves them. DuckDB reads this pattern too: no lookarounds.
NAMES = re.compile(
    r"(?:^|_)(?:dir|path|folder|project|entity|user|username|id|uuid|file|filename|files|url|uri|host|hostname|token|port|pid|rank|version|time"
    r"|date|datetime|timestamp|seed_offset|cwd|argv|email|machine|sha)$"
    r"|^(?:wandb|log|save|ckpt|checkpoint|output|master|rdzv|slurm|job|git)_"
    r"|(?:^|_)(?:run|exp|experiment|trial|job|project|group|user|host|node|machine|display|entity|log|output|study|sweep|file|save|manager|config|cfg|conf|args|arguments|hparams|params|parameters|hyperparameters|options|settings|configuration)_name$"
    r"|^(?:exp|experiment|run|trial|tag|tags|comment|notes?|title|description|suffix|prefix|name|group|save|load|resume|overwrite|started"
    r"|start|now|created|updated|finished|runtime|state|command|debug|verbose|torch|pytorch|cuda|cudnn|nccl|python|driver|platform|os|kernel"
    r"|node|branch|dirty|device|out|output|outputs|dest|workdir|logdir|outdir|savedir|basedir)$"
    r"|^(?:created|updated|started|finished|ended|launched|modified|submitted)_(?:at|on)$"
    r"|^(?:num|n|total|physical|logical)?_?(?:cpus?|cores)(?:_(?:count|cores|logical|physical|model|type))*$"
    r"|(?:^|_)(?:mem|memory|ram|vram|disk|swap|cuda|gpu|gpus)(?:_\w+)?_(?:free|avail|available|used|total|allocated|reserved|peak|capacity|util)(?:_|$)"
    r"|(?:^|_)(?:free|avail|available|used|total|allocated|reserved|peak)(?:_\w+)?_(?:mem|memory|ram|vram|disk|swap)(?:_|$)"
    r"|(?:^|_)(?:mem|memory|ram|vram|disk|swap)_(?:gb|gib|mb|mib)$|^(?:gpu|cuda)_(?:free|mem|memory|uuid|index|ids?)$"
)
OF_DATA = re.compile(  # whose place may say which it is
    r"^(?:class|data|dataset|train|training|corpus|text|tokens|tokenizer|vocab|pretrained|teacher|init|base_model)(?:_|$)"
)
PLACES = re.compile(r"_(?:dir|path|folder|file|files|version)$")
VALUES = re.compile(
    r"\d{4}-\d\d-\d\d[T _]\d\d[:\-]\d\d.*|v?\d+\.\d+\.\d+(?:[.+\-]?\w+)*|\d+\.\d+\+\w+"  # a moment, a version
    r"|\d+(?:\.\d+)?[ ]?(?:[KMGT]i?B)|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # an amount of memory, a UUID
)


SECTIONS = frozenset(
    "wandb hydra log logging logger loggers checkpoint checkpointing output slurm launcher profiling profiler mlflow comet env environment"
    " machine versions git stats statistics summary results metrics timing timings".split()
)


def incidental(key: str, value: Any = None) -> bool:
    """Whether a recorded fact tells runs apart without being a setting of them; the sections of a key stand before dots."""
    above, _, end = key.rpartition(".")
    own = f"{above.rpartition('.')[2]}_name" if above and end == "name" else end  # the optimizer's name is a setting
    moment = isinstance(value, str) and VALUES.fullmatch(value.strip()) is not None
    return moment or _named(own) or any(not SECTIONS.isdisjoint((part, part.rpartition("_")[2])) for part in above.split("."))


@cache
def _named(name: str) -> bool:
    return NAMES.search(name) is not None and not (OF_DATA.match(name) and PLACES.search(name))
