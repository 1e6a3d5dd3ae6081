"""What differs between compared runs and may explain a difference in loss."""

from __future__ import annotations

import json
import re
from typing import Any

from ngt_report import batches, kinds
from ngt_report.assemble.facts import Facts, Row
from ngt_report.formatting import number
from ngt_report.model import Confound
from ngt_report.runs import meaningful

CONFOUNDS = (
    "dataset",
    "tokenizer",
    "vocab_size",
    "val_tokens",
    "sequence_length",
    "batch_tokens",
    "params",
    "precision",
    "hardware",
    "gpus",
    "clock_scope",
    "pasted_program",
)
DATA_BUDGET = re.compile(r"epochs?$|^subset_|^max_(?:train|eval|val|test)_samples$|_samples$|^max_steps$|^total_tokens$")
SPOKEN = {
    **kinds.SPOKEN,
    "sequence_length": "sequence length",
    "batch_tokens": "batch tokens",
    "params": "parameters",
    "clock_scope": "clock scope",
    "pasted_program": "pasted program",
}


def confound_value(run: Row, key: str) -> Any:
    """The value of a confound for a run, or None when it is not recorded."""
    config = run["config"]
    if key == "batch_tokens":
        return batches.tokens(config)
    if key == "clock_scope":
        return None if run["clock_scope"] in (None, "unknown") else run["clock_scope"]
    value = run.get(key)
    return value if value is not None else config.get(key)


def confounds(facts: Facts, members: list[str]) -> tuple[tuple[Confound, ...], tuple[str, ...]]:
    """What differs between the runs, and what none of them records."""
    found, unknown = [], []
    budgets = sorted({k for run in members for k in facts.runs[run]["config"] if DATA_BUDGET.search(k)})
    for key in (*CONFOUNDS, *budgets):
        values = [confound_value(facts.runs[run], key) for run in members]
        if all(v is None for v in values):
            if key != "pasted_program":  # few logs hold one
                unknown.append(SPOKEN.get(key, key))
            continue
        holders: dict[str, list[str]] = {}
        for run, value in zip(members, values, strict=True):
            holders.setdefault("not recorded" if value is None else number(value), []).append(run)
        if len(holders) > 1:
            ordered = sorted(holders.items(), key=lambda h: (-len(h[1]), h[0]))[:6]
            found.append(Confound(SPOKEN.get(key, key), ", ".join(_held(facts, text, runs) for text, runs in ordered)))
    return tuple(found), tuple(unknown)


def _held(facts: Facts, value: str, runs: list[str]) -> str:
    """A value with its runs: their number, and by name where they are few or one group of seeds."""
    groups = {facts.runs[run]["seed_group"] or run for run in runs}
    names = f": {', '.join(facts.name(run) for run in runs)}" if len(runs) <= 2 else ", one group of seeds" if len(groups) == 1 else ""
    return f"{value} ({len(runs)} {'run' if len(runs) == 1 else 'runs'}{names})"


def differs(facts: Facts, members: list[str]) -> tuple[str, ...]:
    """Recorded settings, beside the confounds, that are not the same for all compared runs."""
    settings = {k for run in members for k, v in facts.runs[run]["config"].items() if meaningful(k, v)}
    keys = {k for k in settings if not DATA_BUDGET.search(k)} - {*CONFOUNDS, "batch_size", "global_batch_size"}
    told = {k: [facts.runs[run]["config"].get(k) for run in members] for k in keys}
    models = [facts.runs[run]["model"] for run in members]
    found = sorted(k for k, values in told.items() if len({json.dumps(v, sort_keys=True) for v in values}) > 1 and values != models)
    named = [k for k in ("model", "flags") if len({facts.runs[run][k] for run in members}) > 1]
    return tuple(named + [k for k in found if k not in named])
