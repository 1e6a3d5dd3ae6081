"""A campaign: sweeps as phases, the best of each, what one setting changed, and what may be said from phase to phase."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from math import fsum

from ngt_report.assemble.confounds import SPOKEN, confound_value
from ngt_report.assemble.facts import Facts, Row
from ngt_report.assemble.seeds import settings_of
from ngt_report.assemble.verdicts import APART, BETTER, EQUAL, WORSE, Noise, noise_of, other_loss
from ngt_report.formatting import number
from ngt_report.model import Campaign, Effect, Move, Phase

TABLES = ("results_csv", "sweep_jsonl")
SIZELESS = frozenset(  # settings that change no model's size: where it differs too, they are not all that does
    "learning_rate batch_size device_batch_size accumulation weight_decay dropout precision eval_iters gpus".split()
)
SIZE = ("params", "layers", "hidden")  # where these differ, an improvement may be the model's size
DATE = re.compile(r"20\d\d-?[01]\d-?[0-3]\d(?:[T_-]?[0-2]\d[-:]?[0-5]\d(?:[-:]?[0-5]\d)?)?")


def campaign(facts: Facts) -> Campaign | None:
    """The campaign of a report; None where its runs are of one phase."""
    if "campaign" not in facts.memo:
        facts.memo["campaign"] = _campaign(facts)
    found: Campaign | None = facts.memo["campaign"]
    return found


def _campaign(facts: Facts) -> Campaign | None:
    members = phases_of(facts)
    if len(members) < 2 or sum(len(runs) for runs in members.values()) < 4:
        return None
    phases = [_phase(facts, name, runs) for name, runs in members.items()]
    effects = [e for name, runs in members.items() for e in _effects(facts, name, runs)]
    sweeps = [runs for runs in members.values() if len(_ranked(facts, runs)) > 1]
    moves = [_move(facts, a, b) for a, b in pairwise(sweeps)]
    final = _ranked(facts, [run for runs in members.values() for run in runs])
    return Campaign(
        tuple(phases), tuple(effects), tuple(moves), facts.name(final[0]) if final else None, all(m.word != APART for m in moves)
    )


def phases_of(facts: Facts) -> dict[str, list[str]]:
    """Phase -> its runs: as declared, else by results table (the narrowest that lists it), else by folder; ordered by their dates."""
    paths: dict[str, list[tuple[str, str]]] = {}
    for s in facts.run_sources:
        paths.setdefault(s["run"], []).append((s["path"], s["format"]))
    listed = Counter(path for own in paths.values() for path, form in own if form in TABLES)
    found: dict[str, list[str]] = {}
    for run in facts.runs:
        if facts.runs[run]["is_continuation"]:
            continue
        phase = _declared(facts, paths.get(run, [])) if facts.phases else _listed(paths.get(run, []), listed)
        if phase is not None:
            found.setdefault(phase, []).append(run)
    if not found and not facts.phases:
        for run in facts.runs:
            found.setdefault(run.rpartition("/")[0] or ".", []).append(run)
    order = list(facts.phases) if facts.phases else sorted(found, key=_dated)
    return {name: found[name] for name in order if name in found}


def _dated(phase: str) -> tuple[bool, str, str]:
    """Phases whose names hold a date come in its order, the others after them."""
    date = DATE.search(phase)
    return date is None, "".join(c for c in date[0] if c.isdigit()) if date else "", phase


def _declared(facts: Facts, paths: Sequence[tuple[str, str]]) -> str | None:
    """The first declared phase whose pattern fits a file of the run: a path, a part of it, or one with wildcards."""
    for name, pattern in facts.phases.items():
        if any(pattern in path or fnmatchcase(path, pattern) for path, _ in paths):
            return name
    return None


def _listed(paths: Sequence[tuple[str, str]], listed: Counter[str]) -> str | None:
    tables = [path for path, form in paths if form in TABLES]
    return min(tables, key=lambda p: (listed[p], p)) if tables else None


def _ranked(facts: Facts, runs: Sequence[str]) -> list[str]:
    """Runs with a best validation loss, lowest first."""
    held = [r for r in runs if r in facts.best and facts.best[r]["best_loss"] is not None and not facts.compared[r]["excluded"]]
    return sorted(held, key=lambda r: (facts.best[r]["best_loss"], r))


def _phase(facts: Facts, name: str, runs: Sequence[str]) -> Phase:
    ranked = _ranked(facts, runs)
    files = sorted({s["path"] for s in facts.run_sources if s["run"] in set(runs)})
    if not ranked:
        return Phase(name, len(runs), len(files), None, None, None, None, "", None)
    best = ranked[0]
    own = facts.best[best]
    rate = next((r["tokens_per_s"] for r in facts.rows["recorded_speed"] if r["run"] == best), None)
    said = ", ".join(f"{k}={number(v)}" for k, v in settings_of(facts, best).items() if not isinstance(v, dict | list))
    total = facts.compared[best]["total"]
    return Phase(name, len(runs), len(files), facts.name(best), own["best_logged"], own["best_decimals"], total, said, rate)


# -- what one setting changed ---------------------------------------------------------------------------------------------
def _effects(facts: Facts, phase: str, runs: Sequence[str]) -> list[Effect]:
    """Per setting and value, the difference to the baseline that equals it in everything else, at equal steps."""
    out: list[Effect] = []
    for budget in dict.fromkeys(facts.compared[r]["budget"] for r in runs):
        own = [r for r in runs if budget is not None and facts.compared[r]["budget"] == budget and r in facts.fixed]
        configs = {r: _flat(settings_of(facts, r)) for r in own}
        keys = [k for k in sorted({k for c in configs.values() for k in c}) if len({c.get(k) for c in configs.values()}) > 1]
        usual = {k: Counter(c.get(k) for c in configs.values()).most_common(1)[0][0] for k in keys}
        for key in keys:
            out += _of_key(facts, phase, key, configs, keys, usual, noise_of(facts, budget))
    return out


def _flat(config: Row) -> dict[str, str]:
    return {k: json.dumps(v, sort_keys=True) for k, v in config.items()}


def _of_key(
    facts: Facts,
    phase: str,
    key: str,
    configs: dict[str, dict[str, str]],
    keys: Sequence[str],
    usual: dict[str, str | None],
    noise: Noise | None,
) -> list[Effect]:
    """Of all sets of runs that differ in this key only, the one nearest to the usual configuration."""
    sets: dict[tuple[str | None, ...], dict[str | None, list[str]]] = {}
    for run, config in configs.items():
        size = json.dumps(facts.runs[run]["params"] if key in SIZELESS else None)
        rest = (*(config.get(k) for k in keys if k != key), size)
        sets.setdefault(rest, {}).setdefault(config.get(key), []).append(run)
    wanted = [usual[k] for k in keys if k != key]
    several = [(sum(a == b for a, b in zip(rest, wanted, strict=False)), rest, values) for rest, values in sets.items() if len(values) > 1]
    if not several:
        return []
    values = max(several, key=lambda s: (s[0], len(s[2])))[2]
    base = usual[key] if usual[key] in values else next(iter(values))
    return [_effect(facts, phase, key, (base, values[base]), (value, runs), noise) for value, runs in values.items() if value != base]


def _effect(
    facts: Facts, phase: str, key: str, base: tuple[str | None, list[str]], other: tuple[str | None, list[str]], noise: Noise | None
) -> Effect:
    a, b = ([facts.fixed[r]["loss"] for r in runs] for _, runs in (base, other))
    before, after = fsum(a) / len(a), fsum(b) / len(b)
    delta = after - before
    return Effect(phase, key, _plain(base[0]), _plain(other[0]), before, after, delta, len(a), len(b), _word(delta, noise, len(a), len(b)))


def _plain(value: str | None) -> str:
    return "-" if value is None else number(json.loads(value))


def _word(delta: float, noise: Noise | None, n1: int = 1, n2: int = 1) -> str:
    """better, worse or not distinguishable, by the noise of the compared set."""
    if noise is None:
        return f"{EQUAL}: nothing measures the noise"
    if abs(delta) <= noise.reach * ((1 / n1 + 1 / n2) / 2) ** 0.5:
        return EQUAL
    return BETTER if delta < 0 else WORSE


# -- from phase to phase --------------------------------------------------------------------------------------------------
def _move(facts: Facts, earlier: Sequence[str], later: Sequence[str]) -> Move:
    """The best of one phase against the best of the one before at the same number of steps, and what stands in the way."""
    a = _ranked(facts, earlier)[0]
    ranked = _ranked(facts, later)
    same = [r for r in ranked if facts.compared[r]["budget"] == facts.compared[a]["budget"]]
    b = (same or ranked)[0]
    x, y = facts.runs[a], facts.runs[b]
    why = other_loss(x, y) + [
        f"{SPOKEN.get(k, k)} {number(v)} against {number(u)}"
        for k in SIZE
        if (u := confound_value(x, k)) is not None and (v := confound_value(y, k)) is not None and u != v
    ]
    if not same:
        why.append(f"steps {facts.compared[b]['total']} against {facts.compared[a]['total']}")
    delta = facts.best[b]["best_loss"] - facts.best[a]["best_loss"]
    first, second = settings_of(facts, a), settings_of(facts, b)
    changed = [f"{k} {number(first[k])} -> {number(second[k])}" for k in first.keys() & second.keys() if first[k] != second[k]]
    word = APART if why else _word(delta, noise_of(facts, facts.compared[a]["budget"]))
    return Move(
        facts.name(a), facts.name(b), delta, facts.compared[a]["total"] if same else None, tuple(sorted(changed)), word, "; ".join(why)
    )
