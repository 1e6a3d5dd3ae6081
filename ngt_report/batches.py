"""How many tokens an optimizer step takes, by the settings that a run records; docs/metrics.md has the rule."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ngt_report.store import Store

LARGEST = 2**62
SHARED = re.compile(
    r"(?:tensor|pipeline|model|context|expert)_?(?:model_)?parallel|^[tpc]p_size$|^sp_size$"
)  # processes that share sequences
OF_DEVICES = ("device_batch_size", "accumulation", "processes", "sequence_length")


def parts(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The settings whose product it is; none where it cannot be known."""
    if _whole(config.get("batch_tokens")) is not None:
        return ("batch_tokens",)
    if _whole(config.get("sequence_length")) is None:
        return ()
    if _whole(config.get("global_batch_size")) is not None:
        return ("global_batch_size", "sequence_length")
    if (batch := _whole(config.get("batch_size"))) is None:
        return OF_DEVICES if "batch_size" not in config and _each_has_its_own(config) else ()
    accumulation = _whole(config.get("accumulation"))
    if "device_batch_size" not in config:  # nothing says otherwise: a batch size beside an accumulation is that of a micro-step
        return ("batch_size", "sequence_length") if accumulation is None else ("batch_size", "sequence_length", "accumulation")
    own = (_whole(config["device_batch_size"]) or 0) * (accumulation or 1)
    return ("batch_size", "sequence_length") if own and batch % own == 0 else ()


def _each_has_its_own(config: Mapping[str, Any]) -> bool:
    """Whether all of what makes a step of several devices is recorded, and no two of their processes share sequences."""
    shared = any(SHARED.search(key) and _whole(value) != 1 for key, value in config.items())
    return not shared and all(_whole(config.get(key)) is not None for key in OF_DEVICES)


def tokens(config: Mapping[str, Any]) -> int | None:
    """The tokens of an optimizer step, or None where the settings do not say."""
    found = 1
    for key in parts(config):
        found *= _whole(config[key]) or 0
    return found if parts(config) and found < LARGEST else None


def write_batches(store: Store, configs: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """The relation `batches`: for every run, the tokens of a step."""
    store.run("CREATE OR REPLACE TEMP TABLE batches (run VARCHAR, tokens BIGINT)")
    store.insert("batches", "run VARCHAR, tokens BIGINT", [(run, tokens(config)) for run, config in configs])


def _whole(value: Any) -> int | None:
    """A whole number above 0, as a number or as text."""
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < LARGEST or value != int(value):
        return None
    return int(value)
