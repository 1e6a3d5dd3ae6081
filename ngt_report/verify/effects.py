"""One-variable effects: `Extended training: -4.7 %` is the change between runs that differ in nothing but that."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import TYPE_CHECKING

from ngt_report.runs import UNTELLING
from ngt_report.verify.recompute import percent
from ngt_report.verify.verdict import UNDECIDABLE, Outcome, hold

if TYPE_CHECKING:
    from ngt_report.verify.claims import World
    from ngt_report.verify.evidence import Value
    from ngt_report.verify.phrases import Link
    from ngt_report.verify.said import Said
    from ngt_report.verify.subjects import Runs

CHANGED = (
    (
        re.compile(r"(?i)\b(?:extended|longer|more) (?:training|steps)\b|\btraining (?:for )?longer\b|\bmore (?:steps|iterations)\b"),
        "n_steps",
    ),
    (re.compile(r"(?i)\b(?:larger|bigger|smaller|higher|lower) batch(?:es| sizes?)?\b"), "setting:batch_size"),
    (re.compile(r"(?i)\b(?:higher|lower|larger|smaller|increased|reduced) (?:lr|learning rate)\b"), "setting:learning_rate"),
    (re.compile(r"(?i)\b(?:more|fewer) layers\b|\bdeeper model\b"), "setting:layers"),
    (re.compile(r"(?i)\bwider model\b"), "setting:hidden"),
)
MOST = 400  # runs that are paired


def effect(said: Said, link: Link, world: World) -> Outcome | None:
    """The verdict on a change that is put down to one setting; None when the sentence does not do that."""
    if link.number.kind != "percent" or said.mentions:
        return None
    key = _changed(said, link)
    if key is None:
        return None
    pairs = _pairs(world, key, world.scope or said.setting.runs)
    claim = f"the change by {key.removeprefix('setting:').replace('_', ' ')} alone"
    values = [v for a, b in pairs for v in _change(world, a, b)]
    if not values:
        return Outcome(UNDECIDABLE, claim, note="no two runs differ in nothing but this")
    if len(pairs) == 1:
        return hold(link.number, values, claim)
    low, high = min(values, key=lambda v: v.value), max(values, key=lambda v: v.value)
    said_of = (
        f"{len(pairs)} pairs of runs differ in nothing but this, by {low.value:.2f} to {high.value:.2f} %: which one is meant is not said"
    )
    return Outcome(UNDECIDABLE, claim, low, said_of)


def _changed(said: Said, link: Link) -> str | None:
    """The setting that a label before the number says was changed."""
    label = said.text[: link.number.start]
    for pattern, key in CHANGED:
        if pattern.search(label):
            return key
    found = [t for t in said.terms if t.is_setting and t.end <= link.number.start]
    return found[-1].quantity if found and re.search(r"(?i)\b(?:higher|lower|larger|smaller|more|less|fewer)\b", label) else None


def _pairs(world: World, key: str, runs: Runs) -> list[tuple[str, str]]:
    """Runs that are equal in all recorded settings but one, the smaller value of it first."""
    known = {r: v[0].value for r in sorted(runs)[:MOST] if (v := world.evidence.values(r, key, ""))}
    same: dict[str, list[str]] = {}
    for run in known:
        settings = world.evidence.runs[run].settings
        rest = {k: v for k, v in settings.items() if not UNTELLING.match(k) and f"setting:{k}" != key and k not in DEPENDENT}
        rest |= {} if key == "n_steps" else {"n_steps": world.evidence.runs[run].total}
        same.setdefault(json.dumps(rest, sort_keys=True, default=str), []).append(run)
    found = [(a, b) for group in same.values() for a, b in combinations(group, 2) if known[a] != known[b]]
    return [(a, b) if known[a] < known[b] else (b, a) for a, b in found]


DEPENDENT = frozenset({"batch_tokens", "warmup_iters", "warmdown_iters", "total_steps"})


def _change(world: World, a: str, b: str) -> list[Value]:
    """By how many per cent the validation loss of b is above that of a."""
    first, second = (world.evidence.values(r, "val/loss", "last") for r in (a, b))
    change = percent(second[0], first[0]) if first and second else None
    return [change] if change else []
