"""What a run's name says of its configuration: without what says a seed, a moment, a number or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from ngt_report.identity import GENERIC, UUID
from ngt_report.text.late import late

MOMENT = late(  # 2025-03-04_10-22-33, 20250304T1022, 10-22-33, Mar04_10-22-33_host as TensorBoard has it, 1741049123
    r"(?<!\d)(?:20\d\d-?[01]\d-?[0-3]\d|20\d\d[_.][01]\d[_.][0-3]\d)(?:[T_ .\-]*[0-2]\d[\-_:.h]?[0-5]\d(?:[\-_:.m]?[0-5]\d)?s?)?(?!\d)"
    r"|(?<!\d)[0-2]\d([\-_:])[0-5]\d\1[0-5]\d(?!\d)|^[A-Z][a-z]{2}\d\d_\d\d-\d\d-\d\d_[\w.\-]+$|(?<!\d)1[5-9]\d{8}(?:\d{3})?(?!\d)"
)
WANDB = re.compile(r"^(?:offline-)?run-\d{8}_\d{6}-\w+$")  # a folder of W&B's
CHANCE = re.compile(r"(?:(?<=[_\-.])|^)(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{6,}(?=[_\-.]|$)")  # part of a hash
NAMELESS = re.compile(r"row\d+")  # of a table whose rows have no names
NUMBERED = late(
    r"(?:r|runs?|log|out|output|stdout|train|trial|version|job|slurm|rep|repeat|replicate|try|attempt|task)?[_\-. ]*\d*"
    r"|exp(?:eriment)?[_\-. ]*\d{5,}",
    re.IGNORECASE,
)
EXPORTED = frozenset(("state", "created", "user"))  # columns of W&B's table of runs
INVENTED = re.compile(r"[a-z]+-[a-z]+-\d+")  # the names that it gives
WORDLESS = GENERIC | frozenset(
    "exp exps experiment experiments outputs multirun multiruns wandb lightning_logs mlruns logs runs model".split()
)


def telling(name: str) -> str:
    """What is left of a name, or of a folder's; empty where it says nothing of what was configured."""
    left = "" if WANDB.match(name) else CHANCE.sub("", MOMENT.sub("", name)).strip("_-. ")
    return "" if NUMBERED.fullmatch(left) or left.lower() in WORDLESS else left


def label_of(run: str, config: Collection[str], bare: Callable[[str], str]) -> str:
    """The last part of a run's id that says anything, nothing for a row or a file without a name; `bare` takes the seed from a part."""
    file, _, own = run.partition("#")
    parts = [own] * bool(own) + file.split("/")[::-1]
    if UUID.match(parts[0]) or NAMELESS.fullmatch(own) or INVENTED.fullmatch(own) and EXPORTED.issubset(config):
        return ""
    return next((left for part in parts if (left := telling(bare(part)))), "")
