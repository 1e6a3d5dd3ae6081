"""Settings from the environment, under the names of the gated-attention scripts: `LR=0.00468 ATTNGATE=elementwise ngttrain run ...`.

They win over a preset or file and give way to `--set`. A variable that is nearly one of these names is refused, since it was meant.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from ngt_train import settings
from ngt_train.errors import ConfigError, nearest

GATE_VALUES = {
    "ATTNGATE": ("none", "headwise", "elementwise", "const"),
    "GATEPOS": ("sdpa", "value"),
    "GATEACT": ("sigmoid", "ns_sigmoid"),
}
SETTINGS = {
    "ATTNGATE": "model.gate",
    "GATEPOS": "model.gate_position",
    "GATEACT": "model.gate_activation",
    "LR": "optim.lr",
    "SEED": "seed",
    "NUM_ITERATIONS": "train.steps",
    "WARMUP_ITERS": "schedule.warmup",
    "WARMDOWN_ITERS": "schedule.warmdown",
    "VAL_EVERY": "eval.interval",
}
NEARLY = 0.8  # how alike a name must be to be a misspelt one; short names must be alike but for case and underscores


def assignments(environ: Mapping[str, str]) -> list[str]:
    """`section.key=value` texts for the variables that are set, in the order of the table above.

    Raises:
        ConfigError: a misspelt name or a value that cannot be meant.
    """
    _refuse_misspelt(environ)
    return [f"{key}={_value(name, environ[name])}" for name, key in SETTINGS.items() if environ.get(name, "")]


def _value(name: str, text: str) -> str:
    """The value as `--set` takes it."""
    text = text.strip()
    if name in GATE_VALUES:
        if text not in GATE_VALUES[name]:
            raise ConfigError(f"environment variable {name}={text!r} is not possible{nearest(text, GATE_VALUES[name])}")
        return text
    value = settings.parse_value(text)
    wanted = (int, float) if name == "LR" else (int,)
    if isinstance(value, bool) or not isinstance(value, wanted):
        kind = "a number" if name == "LR" else "a whole number"
        raise ConfigError(f"environment variable {name}={text!r} is not {kind}; correct or unset it")
    return text


def _refuse_misspelt(names: Iterable[str]) -> None:
    known = {name.replace("_", ""): name for name in SETTINGS}
    for name in sorted(set(names) - SETTINGS.keys()):
        bare = name.upper().replace("_", "")
        found = [bare] if bare in known else difflib.get_close_matches(bare, [k for k in known if len(k) > 5], n=1, cutoff=NEARLY)
        if found:
            raise ConfigError(f"environment variable {name} is no setting; did you mean {known[found[0]]}? Correct or unset it")
