"""`ngtreport stat`: every test of a report's groups, and the rules that speed-run communities accept results by."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ngt_report import stats
from ngt_report.asked import possible
from ngt_report.assemble.facts import Facts, Row
from ngt_report.assemble.seeds import group_name, telling, unique_names
from ngt_report.assemble.verdicts import reference, verdicts
from ngt_report.build import Request, compute, prepare
from ngt_report.errors import UsageError
from ngt_report.formatting import chance, plain, signed
from ngt_report.stamp import STAMP
from ngt_report.store import Store, finite
from ngt_report.terminal import paint, table

TARGET = 3.28  # validation loss of the speed runs
LEAST = 0.004  # of track 3: what its assumed noise of 0.0013 leaves for p < 0.001
A_STEP = 0.0045 / 100  # nats that a step is worth on track 3
RESAMPLES = 9999


Set = tuple[list[str], list[Row], list[tuple[str, ...]]]  # names, rows and settings of the groups that are compared


def stat(request: Request, rules: Sequence[str], at: str) -> Row:
    """Groups, comparisons and rules of logs, or of a report that was built; `at`: common or best."""
    possible("target", request.target, "--target")
    with TemporaryDirectory(prefix="ngtreport-") as scratch:
        store = _opened(request, scratch)
        try:
            facts = Facts(store)
        finally:
            store.close()
    sets = [_set(facts, key, at) for key in dict.fromkeys((r["budget"], r["stage"]) for r in facts.rows["seeds"])]
    groups = [(name, row) for names, rows, _ in sets for name, row in zip(names, rows, strict=True)]
    if not groups:
        raise UsageError("no two runs can be compared: none finished with a validation loss; `ngtreport build` says why")
    target = request.target if request.target is not None else TARGET
    return {
        "at": at,
        "groups": [_group(facts, name, row) for name, row in groups],
        "comparisons": [c for names, rows, cells in sets for c in _comparisons(facts, names, rows, cells)],
        "noise": [{"total_steps": _total(facts, r), **r} for r in facts.rows["spread"]],
        "rules": [found for rule in rules for found in judge(rule, groups, target, _baselines(facts, sets))],
    }


def _opened(request: Request, scratch: str) -> Store:
    """The database of a report, or one that is made of logs for this moment."""
    from ngt_report.reports import database, find

    if not request.paths or (len(request.paths) == 1 and (Path(request.paths[0]) / STAMP).is_file()):
        if request.group_by or request.except_keys or request.baseline or request.step is not None:
            raise UsageError("a report's groups are made when it is built; give the logs, or build the report with these options")
        return database(find(request.paths[0] if request.paths else None))
    inputs, settings, _ = prepare(request)
    store = Store(os.path.join(scratch, "report.duckdb"), threads=request.threads)
    compute(store, inputs, settings)
    return store


def _set(facts: Facts, key: tuple[str, str | None], at: str) -> Set:
    """Names, rows and settings of the groups of one stage; at best, their best losses stand for the losses."""
    rows = [r for r in facts.rows["seeds"] if (r["budget"], r["stage"]) == key]
    if at == "best":
        rows = [r | {"losses": r["bests"]} | {f"{k}_loss": r[f"{k}_best"] for k in ("mean", "std", "min", "max", "ci95")} for r in rows]
    _, cells = telling(facts, rows)
    return unique_names([group_name(facts, r) for r in rows], cells), rows, cells


def _total(facts: Facts, row: Row) -> int | None:
    return next((c["total"] for c in facts.compared.values() if c["budget"] == row["budget"]), None)


def _group(facts: Facts, name: str, r: Row) -> Row:
    return {
        "group": name, "total_steps": _total(facts, r), "n": r["n"], "seeds": r["seed_list"], "losses": r["losses"], "mean": r["mean_loss"],
        "std": r["std_loss"], "ci95": r["ci95_loss"], "min": r["min_loss"], "max": r["max_loss"],
    }  # fmt: skip


def _comparisons(facts: Facts, names: Sequence[str], rows: Sequence[Row], cells: Sequence[tuple[str, ...]]) -> list[Row]:
    """Every verdict of these groups, with the bootstrap interval of its difference."""
    place = {", ".join(own): i for i, own in enumerate(cells)}
    out = []
    for v in verdicts(facts, rows[0]["budget"], rows, cells):
        a, b = place[v.against], place[v.group]
        out.append({
            "group": names[b], "against": names[a], "total_steps": _total(facts, rows[b]), "n": v.n, "n_against": v.n_against,
            "delta": v.delta, "ci95": v.ci, "p_holm": v.p, "p_paired": v.paired_p,
            "bootstrap": bootstrap(rows[a]["losses"], rows[b]["losses"]), "seen": v.seen, "verdict": v.word, "why": v.why,
        })  # fmt: skip
    return out


def bootstrap(a: Sequence[float], b: Sequence[float]) -> tuple[float, float] | None:
    """95 % percentile interval of mean(b) - mean(a) over resampled runs; None below three runs, where it means nothing."""
    if min(len(a), len(b)) < 3:
        return None
    import numpy as np
    from scipy.stats import bootstrap as resampled

    def difference(y: Any, x: Any, axis: int) -> Any:
        return np.mean(y, axis=axis) - np.mean(x, axis=axis)

    found = resampled((b, a), difference, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(0), vectorized=True)
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


# -- rules ----------------------------------------------------------------------------------------------------------------
def _baselines(facts: Facts, sets: Sequence[Set]) -> dict[str, tuple[str, Row]]:
    """Group -> the baseline it is compared with, by name."""
    found = {}
    for names, rows, cells in sets:
        for i, name in enumerate(names):
            j = reference(facts, rows, cells, i)
            if j is not None:
                found[name] = (names[j], rows[j])
    return found


def judge(rule: str, groups: Sequence[tuple[str, Row]], target: float, baselines: dict[str, tuple[str, Row]]) -> list[Row]:
    """What a rule says of every group: passes, fails, or null with the reason why it cannot be applied."""
    if rule == "modded-track1":
        return [_track1(name, r["losses"], target) for name, r in groups]
    if rule == "modded-track3":
        single = [_track3(name, r["losses"], target) for name, r in groups]
        passing = [group for group, ruling in zip(groups, single, strict=True) if ruling["passes"]]
        return single + [_pairwise(a, x, b, y) for a, x in passing for b, y in passing if _steps(y) > _steps(x)]
    bases = {name for name, _ in baselines.values()}
    return [_nats(name, r["losses"], baselines.get(name)) for name, r in groups if name not in bases or name in baselines]


def _steps(row: Row) -> int:
    return int(row["budget"]) if str(row["budget"]).isdigit() else 0


def _ruling(rule: str, group: str, against: str | None, statistic: float | None, limit: float, passes: bool | None, text: str) -> Row:
    return {"rule": rule, "group": group, "against": against, "statistic": statistic, "limit": limit, "passes": passes, "text": text}


def _track1(group: str, losses: Sequence[float], target: float) -> Row:
    if len(losses) < 2:
        return _ruling("modded-track1", group, None, None, 0.01, None, f"n = {len(losses)}: a t test needs two runs")
    from scipy.stats import ttest_1samp

    middle = stats.mean(losses)
    if stats.variance(losses) == 0:
        return _ruling("modded-track1", group, None, None, 0.01, None, f"all {len(losses)} losses are {middle:.4f}: no spread was measured")
    p = float(ttest_1samp(losses, target, alternative="less").pvalue)
    said = f"mean {middle:.5f} of n = {len(losses)}: p = {chance(p)} for a mean below {target:g}"
    return _ruling("modded-track1", group, None, p, 0.01, p < 0.01, said)


def _track3(group: str, losses: Sequence[float], target: float) -> Row:
    middle, n = stats.mean(losses), len(losses)
    value = (target - middle) * math.sqrt(n)
    return _ruling("modded-track3", group, None, value, LEAST, value >= LEAST, f"({target:g} - {middle:.5f}) sqrt({n}) = {value:.5f}")


def _pairwise(group: str, row: Row, against: str, other: Row) -> Row:
    """A group that passes against one that passes with more steps: each step saved counts as loss."""
    gained, saved = stats.mean(other["losses"]) - stats.mean(row["losses"]), _steps(other) - _steps(row)
    value = (gained + saved * A_STEP) / math.sqrt(1 / row["n"] + 1 / other["n"])
    said = f"({gained:+.5f} loss, {saved} steps saved) / sqrt(1/{row['n']} + 1/{other['n']}) = {value:.5f}"
    return _ruling("modded-track3 pairwise", group, against, value, LEAST, value >= LEAST, said)


def _nats(group: str, losses: Sequence[float], baseline: tuple[str, Row] | None, least: float = 0.005) -> Row:
    rule = "nats-0.005"
    if baseline is None:
        return _ruling(rule, group, None, None, 0.01, None, "no group is its baseline; name one with --baseline")
    name, other = baseline
    if min(len(losses), other["n"]) < 2:
        return _ruling(rule, group, name, None, 0.01, None, f"n = {len(losses)} against n = {other['n']}: a Welch test needs two runs each")
    from scipy.stats import ttest_ind

    gained = stats.mean(other["losses"]) - stats.mean(losses)
    if stats.variance(losses) + stats.variance(other["losses"]) == 0:
        return _ruling(rule, group, name, None, 0.01, None, "no spread was measured")
    word = "lower" if gained >= 0 else "higher"
    p = float(ttest_ind([v + least for v in losses], other["losses"], equal_var=False, alternative="less").pvalue)
    return _ruling(rule, group, name, p, 0.01, p < 0.01, f"{word} by {abs(gained):.5f}: p = {chance(p)} for a gain above {least:g}")


# -- printed ----------------------------------------------------------------------------------------------------------------
def to_json(found: Row) -> str:
    """For programs; NaN is null."""
    return json.dumps(finite(found), indent=1, ensure_ascii=False)


def to_text(found: Row, width: int | None) -> str:
    """Groups, verdicts, noise and rules for a terminal."""
    head = ("group", "steps", "n", "mean", "std", "95 % CI", "min", "max")
    parts = [table(head, [_shown(g) for g in found["groups"]], "lrrrrrrr", width, droppable=("min", "max", "steps"))]
    if found["comparisons"]:
        parts.append([paint(f"verdicts (Welch, 5 %, Holm; at {found['at']})", "bold"), *(_said(c) for c in found["comparisons"])])
    else:
        parts.append(["no verdicts: fewer than two groups, or no group of two runs or more; --group-by says what makes a group"])
    noise = [n for n in found["noise"] if n["std"]]
    parts += [[paint("noise", "bold"), *map(_noise, noise)]] if noise else []
    parts += [[paint("rules", "bold"), *map(_ruled, found["rules"])]] if found["rules"] else []
    return "\n\n".join("\n".join(part) for part in parts)


def _noise(n: Row) -> str:
    late = ", which is not seed noise" if n["source"].startswith("late") else ""
    steps = f"{n['total_steps']:,} steps" if n["total_steps"] else "final values"
    return f"{steps}: std {n['std']:.5f} of {n['source']} (df {n['df']}){late}"


def _shown(g: Row) -> tuple[str, ...]:
    def number(value: float | None, sign: str = "") -> str:
        return "-" if value is None else f"{sign}{value:.4f}"

    numbers = (number(g["mean"]), number(g["std"]), number(g["ci95"], "±"), number(g["min"]), number(g["max"]))
    return (plain(g["group"]), str(g["total_steps"] or "-"), str(g["n"]), *numbers)


def _said(c: Row) -> str:
    parts = [f"{signed(c['delta'])}" + (f" ±{c['ci95']:.4f}" if c["ci95"] is not None else "")]
    parts += [f"p = {chance(c['p_holm'])}"] if c["p_holm"] is not None else []
    parts += [f"paired by seed p = {chance(c['p_paired'])}"] if c["p_paired"] is not None else []
    parts += [f"bootstrap [{c['bootstrap'][0]:+.4f}, {c['bootstrap'][1]:+.4f}]"] if c["bootstrap"] else []
    parts += [f"could have seen {c['seen']:.4f}"] if c["seen"] is not None else []
    why = f" ({c['why']})" if c["why"] else ""
    return plain(f"{c['group']} (n = {c['n']}) against {c['against']} (n = {c['n_against']}): {c['verdict']}{why}; {', '.join(parts)}")


def _ruled(r: Row) -> str:
    word = {True: paint("passes", "green"), False: paint("fails", "red"), None: "cannot be applied"}[r["passes"]]
    against = f" against {plain(r['against'])}" if r["against"] else ""
    return f"{r['rule']}: {plain(r['group'])}{against} {word}: {plain(r['text'])}"
