"""Recomputes what a number may claim: a quantity of one run, of seeds of one configuration, or of a set; and how two compare."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import fsum, isfinite, sqrt
from statistics import median
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ngt_report.verify.evidence import HIGHER, Evidence, Value

if TYPE_CHECKING:
    from ngt_report.verify.subjects import Runs
    from ngt_report.verify.terms import Term

Options = dict[str, list[Value]]  # how the number is read -> the values it may then be, the definition first
ENDS = ("last", "best")
OF_SEVERAL = frozenset({"std", "mean", "median", "lowest", "highest", "mean best"})


def measure(evidence: Evidence, runs: Runs, quantity: str, stat: str = "", step: int | None = None, n: int | None = None) -> Options:
    """Every reading of a quantity of some runs; empty when no file has it."""
    if not runs:
        return {}
    if stat == "each":
        return {"each": [v for r in sorted(runs) for v in evidence.values(r, quantity, "")]}
    if quantity.startswith("setting:") or quantity == "n_steps":
        return _setting(evidence, runs, quantity)
    ends = _ends(quantity, stat, step)
    groups = _groups(evidence, runs)
    if len(groups) == 1 and len(next(iter(groups.values()))) == 1:
        (run,) = runs
        found = {end: evidence.values(run, quantity, end, step) for end in ends}
        return {end: values for end, values in found.items() if values and stat not in OF_SEVERAL}
    chosen = [g for g in groups.values() if n is None or len(g) == n] or list(groups.values())
    return _several(evidence, chosen, runs, quantity, stat, ends, step)


def _ends(quantity: str, stat: str, step: int | None) -> tuple[str, ...]:
    if stat.endswith(" best"):
        return ("best",)
    if stat in ENDS:
        return (stat,)
    if step is not None:
        return ("at",)
    return ENDS if "/" in quantity or quantity == "epoch" else ("",)


def _setting(evidence: Evidence, runs: Runs, quantity: str) -> Options:
    """A setting: what all runs share, else that of the best run."""
    values = {r: evidence.values(r, quantity, "") for r in sorted(runs)}
    known = {r: v for r, v in values.items() if v}
    if not known:
        return {}
    distinct = {v[0].value for v in known.values()}
    if len(distinct) == 1 or len({round(d, 6) for d in distinct}) == 1:
        return {"all": next(iter(known.values()))}
    best = best_of(evidence, runs)
    return {"best run": known[best]} if best in known else {}


def best_of(evidence: Evidence, runs: Iterable[str]) -> str | None:
    """The run with the lowest validation loss."""
    found = [(v[0].value, r) for r in runs if (v := evidence.values(r, "val/loss", "best")) and isfinite(v[0].value)]
    return min(found)[1] if found else None


def groups_of(evidence: Evidence, runs: Runs) -> list[list[str]]:
    """Runs in groups of seeds of one configuration."""
    return list(_groups(evidence, runs).values())


def _groups(evidence: Evidence, runs: Runs) -> dict[str, list[str]]:
    """Runs that differ in nothing but their recorded seeds, together; any other run by itself."""
    by: dict[str, list[str]] = defaultdict(list)
    for run in sorted(runs):
        by[evidence.likeness(run)].append(run)
    out: dict[str, list[str]] = {}
    for key, members in by.items():
        seeds = [evidence.runs[r].settings.get("seed") for r in members]
        if len(members) > 1 and None not in seeds and len(set(seeds)) == len(seeds):
            out[key] = members
        else:
            out |= {r: [r] for r in members}
    return out


def _several(
    evidence: Evidence, groups: list[list[str]], runs: Runs, quantity: str, stat: str, ends: tuple[str, ...], step: int | None
) -> Options:  # fmt: skip
    """Readings for more than one run: the mean of a group of seeds; the best of a set, or what its best run has."""
    out: Options = {}
    seeded = [g for g in groups if len(g) > 1]
    for end in ends:
        for group in groups if len(groups) <= 3 else []:
            values = [v[0] for r in group if (v := evidence.values(r, quantity, end, step))]
            if len(values) == len(group) and (len(group) > 1 or not seeded or stat not in ("std",)):
                made = _statistic(values, stat)
                if made:
                    out.setdefault(f"{stat or 'mean'} {end}".strip(), []).append(made)
    if len(groups) > 1 and stat not in OF_SEVERAL:
        out |= _set(evidence, runs, quantity, ends, step)
    return out


def _statistic(values: list[Value], stat: str) -> Value | None:
    """Mean, median or sample standard deviation of some runs' values."""
    numbers, n = [v.value for v in values], len(values)
    where = values[0].where if n == 1 else f"{values[0].where} and {n - 1} more"
    if stat == "std":
        if n < 2:
            return None
        mean = fsum(numbers) / n
        return Value(sqrt(fsum((x - mean) ** 2 for x in numbers) / (n - 1)), where, f"sample std of {n} runs")
    if stat == "median":
        return Value(median(numbers), where, f"median of {n} runs")
    if stat in ("lowest", "highest"):
        return (min if stat == "lowest" else max)(values, key=lambda v: v.value)
    lows, highs = ([v.span[i] for v in values] for i in (0, 1))
    return Value(fsum(numbers) / n, where, f"mean of {n} runs" if n > 1 else "", fsum(lows) / n, fsum(highs) / n)


def _set(evidence: Evidence, runs: Runs, quantity: str, ends: tuple[str, ...], step: int | None) -> Options:
    """A set of different runs: its best value, and what its best run has."""
    out: Options = {}
    end = ends[-1]
    values = {r: v[0] for r in sorted(runs) if (v := evidence.values(r, quantity, end, step)) and isfinite(v[0].value)}
    if not values:
        return {}
    best = best_of(evidence, runs)
    if best in values:
        out["of the best run"] = [
            replace(values[best], formula=values[best].formula or f"of {evidence.runs[best].name}, the best of {len(runs)}")
        ]
    pick = max if quantity.endswith(HIGHER) else min
    top = pick(values, key=lambda r: values[r].value)
    out["best of the set"] = [replace(values[top], formula=values[top].formula or f"best of {len(runs)}")]
    return out


def higher_is_better(quantity: str) -> bool:
    """Whether more of it is better."""
    return quantity.endswith(HIGHER)


# -- comparisons ----------------------------------------------------------------------------------------------------------
def difference(a: Value, b: Value) -> Value:
    """a - b."""
    formula = f"{a.value:.9g} - {b.value:.9g}"
    return Value(a.value - b.value, f"{a.where}; {b.where}", formula, a.span[0] - b.span[1], a.span[1] - b.span[0])


def ratio(a: Value, b: Value) -> Value | None:
    """a / b."""
    if not b.value or min(abs(s) for s in b.span) == 0:
        return None
    ends = [x / y for x in a.span for y in b.span]
    return Value(a.value / b.value, f"{a.where}; {b.where}", f"{a.value:.9g} / {b.value:.9g}", min(ends), max(ends))


def percent(a: Value, b: Value) -> Value | None:
    """By how many per cent a is above b."""
    r = ratio(a, b)
    if r is None:
        return None
    formula = f"100 x ({a.value:.9g} - {b.value:.9g}) / {b.value:.9g}"
    return Value(100 * (r.value - 1), r.where, formula, 100 * (r.span[0] - 1), 100 * (r.span[1] - 1))


def negated(v: Value) -> Value:
    """-v."""
    return Value(-v.value, v.where, v.formula and f"-({v.formula})", -v.span[1], -v.span[0])


def spread(evidence: Evidence, runs: Runs, term: Term, edge: str, step: int | None) -> list[Value]:
    """The lowest or the highest value of a quantity among runs."""
    out: list[Value] = []
    for end in _ends(term.quantity, term.stat if term.stat in ENDS else "", step):
        values = [v[0] for r in sorted(runs) if (v := evidence.values(r, term.quantity, end, step))]
        if values:
            out.append((min if edge == "low" else max)(values, key=lambda v: v.value))
    return out
