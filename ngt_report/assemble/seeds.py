"""Stage tables: groups of runs that differ in nothing but the seed, by budget and results table."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from ngt_report.assemble.facts import TOP, Facts, Row
from ngt_report.assemble.verdicts import EQUAL, references, verdicts
from ngt_report.formatting import chance, number, signed
from ngt_report.grouping import NO_SETTING, shared_name
from ngt_report.model import SeedRow, Spread, Stage, VerdictRow
from ngt_report.names import CONFIG
from ngt_report.runs import meaningful

CURVE = 6  # steps of the printed mean curves


Staged = tuple[Stage, tuple[str, ...]]  # a stage, and its groups that others are held against as their baselines


def stages(facts: Facts, budget: str) -> tuple[Stage, ...]:
    """The stages of a compared set; none when every group is one run."""
    return tuple(stage for stage, _ in _staged(facts, budget))


def baseline_groups(facts: Facts, budget: str) -> tuple[str, ...]:
    """The groups of a compared set that others are held against as their baselines."""
    return tuple(dict.fromkeys(name for _, names in _staged(facts, budget) for name in names))


def _staged(facts: Facts, budget: str) -> tuple[Staged, ...]:
    if ("stages", budget) not in facts.memo:
        facts.memo["stages", budget] = _stages(facts, budget)
    found: tuple[Staged, ...] = facts.memo["stages", budget]
    return found


def _stages(facts: Facts, budget: str) -> tuple[Staged, ...]:
    tables: dict[str | None, list[Row]] = {}
    for row in facts.of("seeds", budget):
        tables.setdefault(row["stage"], []).append(row)
    held = [(table, rows) for table, rows in tables.items() if any(r["n"] > 1 for r in rows)]
    stray = [facts.name(run) for row in tables.get(None, ()) for run in row["runs"] if all(table for table, _ in held)]
    return tuple(_stage(facts, budget, table, rows, stray if i == 0 and table else []) for i, (table, rows) in enumerate(held))


def _stage(facts: Facts, budget: str, table: str | None, rows: list[Row], stray: list[str]) -> Staged:
    columns, cells = telling(facts, rows)
    steps = _curve_steps(facts, budget, {r["seed_group"] for r in rows})
    curves = {(c["seed_group"], c["step"]): c["mean_loss"] for c in facts.of("mean_curves", budget)}
    shown = tuple(
        _row(facts, r, own, tuple(curves.get((r["seed_group"], s)) for s in steps)) for r, own in zip(rows[:TOP], cells, strict=False)
    )
    sizes = Counter(r["n"] for r in rows)
    at_best = any(r["mean_best"] != r["mean_loss"] or r["min_best"] != r["min_loss"] for r in rows)
    *first, last = (_counted(count, n) for n, count in sorted(sizes.items(), reverse=True))
    said = f"{', '.join(first)} and {last}" if first else last
    found = verdicts(facts, budget, rows, cells)
    paired = any(v.paired_p is not None for v in found)
    best = next((row for row in shown if row.n > 1), shown[0])
    left_out, dropped = tuple(sorted(stray)[:8]), len(rows) - len(shown)
    held = tuple(_named(columns, cells[i]) for i in references(facts, rows, cells)) if found else ()
    return Stage(table, columns, shown, best, sizes[1], said, at_best, found, _claims(found), paired, steps, left_out, dropped), held


def _claims(found: tuple[VerdictRow, ...]) -> tuple[str, ...]:
    """The first verdicts that tell groups apart, in words, or that none does."""
    told = [v for v in found[:4] if v.word != EQUAL]
    if not told:
        return (f"{len(found)} {'comparison' if len(found) == 1 else 'comparisons'}: {EQUAL}",) if found else ()
    why = [f" ({v.why})" if v.why else f" (p = {chance(v.p)})" if v.p is not None else "" for v in told]
    return tuple(f"{v.group} against {v.against}: {signed(v.delta)}, {v.word}{w}" for v, w in zip(told, why, strict=True))


def _row(facts: Facts, r: Row, cells: tuple[str, ...], curve: tuple[float | None, ...]) -> SeedRow:
    seeds = list(dict.fromkeys("-" if s is None else str(s) for s in r["seed_list"]))
    spread = {
        end: Spread(r[f"mean_{end}"], r[f"std_{end}"], r[f"ci95_{end}"], r[f"min_{end}"], r[f"max_{end}"]) for end in ("loss", "best")
    }
    return SeedRow(group_name(facts, r), cells, r["n"], ", ".join(seeds), spread["loss"], spread["best"], r["mean_time_s"], curve)


def _counted(groups: int, runs: int) -> str:
    if runs == 1:
        return f"{groups} single {'run' if groups == 1 else 'runs'} (n = 1)"
    return f"{groups} {'group' if groups == 1 else 'groups'} of {runs} runs"


def group_name(facts: Facts, r: Row) -> str:
    """What the names of a group's runs have in common."""
    names = [facts.name(run) for run in r["runs"]]
    return shared_name(names) or " ".join(_asked(facts, r)) or names[0]


def _asked(facts: Facts, r: Row) -> list[str]:
    """The values by which --group-by made the group."""
    values = json.loads(r["seed_group"]) if facts.group_by else {}
    return [_cell(values[key]) for key in facts.group_by if key in values]


def telling(facts: Facts, rows: list[Row]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The fewest settings that tell groups apart, and their values; a name where settings do not."""
    configs = [settings_of(facts, r["runs"][0]) for r in rows]
    keys = telling_keys(configs)
    cells = [tuple(_cell(c.get(k)) for k in keys) for c in configs]
    if len(set(cells)) == len(cells) and keys:
        return tuple(keys), cells
    return ("group",), [(name,) for name in unique_names([group_name(facts, r) for r in rows], cells)]


def _named(columns: tuple[str, ...], cells: tuple[str, ...]) -> str:
    """A group outside of its table: its name, or its settings with their keys."""
    return ", ".join(cell if column == "group" else f"{column}={cell}" for column, cell in zip(columns, cells, strict=True))


def _cell(value: Any) -> str:
    """A setting's value in a table; none where it is set to nothing, such as the flags of a run without any."""
    if value is None:
        return "-"
    if value in ("", [], {}):
        return "none"
    return json.dumps(value) if isinstance(value, dict | list) else number(value)


def unique_names(names: list[str], cells: list[tuple[str, ...]]) -> list[str]:
    """Names of groups; where two are called the same, their settings tell them apart, or at last their number."""
    shown: list[str] = []
    for name, own in zip(names, cells, strict=True):
        longer = f"{name} ({', '.join(own)})" if names.count(name) > 1 and own else name
        shown.append(longer if longer not in shown else f"{longer} #{len(shown) + 1}")
    return shown


def settings_of(facts: Facts, run: str) -> Row:
    """What was set for a run: its recorded configuration, without what says nothing of the experiment."""
    r = facts.runs[run]
    named = {k: r[k] for k in ("model", "flags", "dataset", "tokenizer") if r[k] is not None}
    return named | {k: v for k, v in r["config"].items() if meaningful(k, v) and k not in NO_SETTING}


def telling_keys(configs: list[dict[str, Any]]) -> list[str]:
    """The fewest keys whose values tell configurations apart: those that all record first, then words, then known names."""

    def text(config: Row, key: str) -> str:
        return json.dumps(config.get(key), sort_keys=True)

    varying = [k for k in {k for c in configs for k in c} if len({text(c, k) for c in configs}) > 1]
    varying.sort(
        key=lambda k: (sum(c.get(k) is None for c in configs), not any(isinstance(c.get(k), str) for c in configs), k not in CONFIG, k)
    )
    chosen: list[str] = []
    for key in varying:
        if len({tuple(text(c, k) for k in [*chosen, key]) for c in configs}) > len({tuple(text(c, k) for k in chosen) for c in configs}):
            chosen.append(key)
    for key in list(chosen):  # an earlier key may tell nothing that the later ones do not
        rest = [k for k in chosen if k != key]
        if rest and len({tuple(text(c, k) for k in rest) for c in configs}) == len({tuple(text(c, k) for k in chosen) for c in configs}):
            chosen = rest
    return chosen


def _curve_steps(facts: Facts, budget: str, groups: set[str]) -> tuple[int, ...]:
    """A few steps of the mean curves, evenly spread, the last one among them."""
    steps = sorted({c["step"] for c in facts.of("mean_curves", budget) if c["seed_group"] in groups and c["step"] > 0})
    if len(steps) <= CURVE:
        return tuple(steps)
    return tuple(steps[round((i + 1) * len(steps) / CURVE) - 1] for i in range(CURVE))


def seed_group(facts: Facts, r: Row) -> Row:
    """A group for summary.json: its runs, settings and unrounded statistics."""
    steps = [c for c in facts.of("mean_curves", r["budget"]) if c["seed_group"] == r["seed_group"]]
    return {
        "name": group_name(facts, r), "runs": [facts.name(run) for run in r["runs"]], "seeds": r["seed_list"], "n": r["n"],
        "total_steps": facts.compared[r["runs"][0]]["total"], "table": r["stage"], "settings": settings_of(facts, r["runs"][0]),
        "mean_loss": r["mean_loss"], "std_loss": r["std_loss"], "ci95_loss": r["ci95_loss"], "min_loss": r["min_loss"],
        "max_loss": r["max_loss"], "mean_best": r["mean_best"], "std_best": r["std_best"], "ci95_best": r["ci95_best"],
        "min_best": r["min_best"], "max_best": r["max_best"], "mean_train_time_s": r["mean_time_s"],
        "curve": [{"step": c["step"], "mean_loss": c["mean_loss"], "std_loss": c["std_loss"]} for c in steps],
    }  # fmt: skip


def group_verdicts(facts: Facts, budget: str) -> list[Row]:
    """The verdicts on groups for summary.json."""
    from msgspec.structs import asdict

    return [{"table": stage.table, **asdict(v)} for stage in stages(facts, budget) for v in stage.verdicts]
