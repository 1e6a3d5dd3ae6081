"""What is recorded beside the settings and is none: where a run was, what it was called, when and on which machine, with which versions."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from ngt_report.text.late import late

# Of names as names.clean leaves them. DuckDB reads this pattern too: no lookarounds.
_LIBRARIES = (
    "torch|pytorch|transformers|cuda|cudnn|nccl|python|numpy|driver|jax|flax|tf|tensorflow|keras|triton|cli|schema|lightning|accelerate"
)
_NAMED = (
    "run|exp|experiment|trial|job|project|group|user|host|node|machine|display|entity|log|output|study|sweep|file|save|manager|config|cfg|conf"
    "|args|arguments|hparams|params|parameters|hyperparameters|options|settings|configuration"
)
_MEMORY = "mem|memory|ram|vram|disk|swap"
_OF_MEMORY = "free|avail|available|used|total|allocated|reserved|peak"
NAMES = late(
    r"(?:^|_)(?:dir|path|folder|project|entity|user|username|id|uuid|file|filename|files|url|uri|host|hostname|token|port|pid|time|date|datetime"
    r"|timestamp|seed_offset|cwd|argv|email|machine|sha)$|(?:^|_)(?:local|global|node|process|world|dist|ddp)_rank$"
    rf"|^versions?$|(?:^|_)(?:{_LIBRARIES})_version$|(?:^|_)(?:{_NAMED})_name$"
    r"|^(?:wandb|save|ckpt|checkpoint|rdzv|slurm|job|git)_|^master_(?:addr|address)$|^log(?:ging)?_(?:interval|every|freq|level|steps?|period|to)(?:_|$)"
    r"|^(?:exp|experiment|run|trial|tags?|comment|notes?|title|description|suffix|prefix|name|group|save|load|resume|overwrite|started|start|now"
    r"|created|updated|finished|runtime|command|debug|verbose|torch|pytorch|cuda|cudnn|nccl|python|driver|platform|os|node|branch|dirty|device"
    r"|out|output|outputs|dest|workdir|logdir|outdir|savedir|basedir)$"
    r"|^(?:created|updated|started|finished|ended|launched|modified|submitted)_(?:at|on)$"
    r"|^(?:num|n|total|physical|logical)?_?(?:cpus?|cores)(?:_(?:count|cores|logical|physical|model|type))*$"
    rf"|(?:^|_)(?:{_MEMORY}|cuda|gpu|gpus)(?:_\w+)?_(?:{_OF_MEMORY}|capacity|util)(?:_|$)"
    rf"|(?:^|_)(?:{_OF_MEMORY})(?:_\w+)?_(?:{_MEMORY})(?:_|$)|(?:^|_)(?:{_MEMORY})_(?:gb|gib|mb|mib)$"
    r"|^(?:gpu|cuda)_(?:free|mem|memory|uuid|index|ids?)$"
)
OF_DATA = re.compile(  # whose place may say which it is
    r"^(?:class|data|dataset|train|training|corpus|text|tokens|tokenizer|vocab|pretrained|teacher|init|base_model)(?:_|$)|^model_(?:id|version)$"
)
PLACES = re.compile(r"_(?:dir|path|folder|file|files|url|uri)$")
KEPT = re.compile(rf"{PLACES.pattern}|_(?:id|version)$")
VALUES = late(
    r"\d{4}-\d\d-\d\d[T _]\d\d[:\-]\d\d.*|v?\d+\.\d+\.\d+(?:[.+\-]?\w+)*|\d+\.\d+\+\w+"  # a moment, a version
    r"|\d+(?:\.\d+)?[ ]?(?:[KMGT]i?B)|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # an amount of memory, a UUID
    r"|finished|running|crashed|failed|killed|completed"
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
    return NAMES.search(name) is not None and not (OF_DATA.match(name) and KEPT.search(name))
