"""What may be said of differences: group against group, run against baseline, ranks that noise ties."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from msgspec import Struct

from ngt_report import stats
from ngt_report.assemble.confounds import SPOKEN
from ngt_report.assemble.facts import TOP, Facts, Row
from ngt_report.formatting import number
from ngt_report.kinds import said_of
from ngt_report.model import VerdictRow
from ngt_report.queries import BASELINE_WORDS
from ngt_report.student import quantile

BETTER, WORSE, EQUAL, APART = "better", "worse", "not distinguishable with these runs", "not comparable"
COMPARED = 30  # groups at most, lowest first: all pairs of more would cost seconds
SOURCES = {"seeds": "between seeds", "repeats": "between repeats", "late evaluations": "late evaluations, not seed noise"}


class Noise(Struct, frozen=True):
    """How much a run's loss varies for no reason, and where that is from."""

    std: float
    df: int
    source: str

    @property
    def reach(self) -> float:
        """Two single runs of one configuration differ by more in 5 of 100 cases."""
        return quantile(1 - stats.ALPHA / 2, float(self.df)) * self.std * math.sqrt(2)

    @property
    def words(self) -> str:
        """std 0.0011 between seeds"""
        return f"std {self.std:.4f}{' of' if self.source.startswith('late') else ''} {SOURCES[self.source]}"


def noise_of(facts: Facts, budget: str) -> Noise | None:
    """The noise of a compared set: of seeds, else of repeats, else of late evaluations."""
    rows = [r for r in facts.of("spread", budget) if r["std"] and r["df"]]
    return Noise(rows[0]["std"], rows[0]["df"], rows[0]["source"]) if rows else None


def other_loss(first: Row, second: Row) -> list[str]:
    """What makes the losses of two runs incomparable, in words; unknown values prove nothing."""
    a, b = said_of(first), said_of(second)
    return [f"{SPOKEN.get(k, k)} {number(b[k])} against {number(a[k])}" for k in a if k in b and a[k] != b[k]]


# -- groups of seeds --------------------------------------------------------------------------------------------------
def verdicts(facts: Facts, budget: str, rows: Sequence[Row], cells: Sequence[tuple[str, ...]]) -> tuple[VerdictRow, ...]:
    """Every group against its baseline; without one, every group against the lowest, corrected for all pairs."""
    if len(rows) < 2 or all(r["n"] < 2 for r in rows):
        return ()
    rows, noise = rows[:COMPARED], noise_of(facts, budget)
    pairs = [(i, j) for i in range(len(rows)) if (j := reference(facts, rows, cells, i)) is not None]
    corrected = pairs or [(i, j) for j in range(len(rows)) for i in range(j + 1, len(rows))]
    tests = [_compared(rows[j], rows[i], noise) for i, j in corrected]
    adjusted = stats.holm([t.p if t else math.nan for t in tests])
    shown = [(k, i, j) for k, (i, j) in enumerate(corrected) if pairs or j == 0]
    return tuple(_verdict(facts, rows[j], rows[i], (cells[j], cells[i]), tests[k], adjusted[k], noise) for k, i, j in shown[:TOP])


def references(facts: Facts, rows: Sequence[Row], cells: Sequence[tuple[str, ...]]) -> list[int]:
    """The places of the groups that others are held against as their baselines."""
    found = [reference(facts, rows, cells, i) for i in range(len(rows[:COMPARED]))]
    return [j for j in dict.fromkeys(found) if j is not None]


def reference(facts: Facts, rows: Sequence[Row], cells: Sequence[tuple[str, ...]], i: int) -> int | None:
    """The baseline of a group: the group of the named run, else the one that says baseline and differs in nothing else."""
    base = facts.baselines.get(rows[i]["budget"])
    named = [j for j, r in enumerate(rows) if base and base["run"] in r["runs"]]
    if named:
        return named[0] if named[0] != i else None
    for words in BASELINE_WORDS:
        saying = [j for j in range(len(rows)) if any(set(re.split(r"[^a-z]+", c.lower())) & set(words) for c in cells[j])]
        if not saying or i in saying:
            continue
        near = [j for j in saying if sum(a != b for a, b in zip(cells[i], cells[j], strict=True)) == 1]
        if len(near) == 1 or len(saying) == 1:
            return (near if len(near) == 1 else saying)[0]
    return None


def _compared(a: Row, b: Row, noise: Noise | None) -> stats.Test | None:
    """Welch's test, or against the noise of the other groups where a group is one run; None without seeds to measure it."""
    if a["n"] > 1 and b["n"] > 1:
        return stats.welch(a["losses"], b["losses"])
    if noise is None or noise.source == "late evaluations":
        return None
    return stats.against_noise(a["losses"], b["losses"], noise.std, noise.df)


def _verdict(
    facts: Facts, a: Row, b: Row, cells: tuple[tuple[str, ...], tuple[str, ...]], test: stats.Test | None, p: float, noise: Noise | None
) -> VerdictRow:
    apart = other_loss(facts.runs[a["runs"][0]], facts.runs[b["runs"][0]])
    delta = stats.mean(b["losses"]) - stats.mean(a["losses"])
    known = test is not None and p == p
    if apart:
        word, why = APART, "; ".join(apart)
    elif not known:
        word, why = EQUAL, "no spread was measured"
    elif p < stats.ALPHA:
        word, why = (BETTER if delta < 0 else WORSE), ""
    else:
        word, why = EQUAL, ""
    pairs = _pairs(a, b)
    paired = stats.paired(*pairs) if len(pairs[0]) > 1 else None
    return VerdictRow(
        ", ".join(cells[1]), ", ".join(cells[0]), b["n"], a["n"], delta, test.half_width if test and known else None, p if known else None,
        b["mean_time_s"] / a["mean_time_s"] - 1 if a["mean_time_s"] and b["mean_time_s"] else None,
        paired.p if paired and paired.p == paired.p else None,
        _seen(a, b, noise), word, why,
    )  # fmt: skip


def _seen(a: Row, b: Row, noise: Noise | None) -> float | None:
    """The smallest true difference that these runs see; null where nothing measures their spread."""
    if a["n"] > 1 and b["n"] > 1:
        squares = (a["n"] - 1) * a["std_loss"] ** 2 + (b["n"] - 1) * b["std_loss"] ** 2
        return stats.smallest_difference(a["n"], b["n"], math.sqrt(squares / (a["n"] + b["n"] - 2))) or None
    if noise is None or noise.source == "late evaluations":
        return None
    return stats.smallest_difference(a["n"], b["n"], noise.std, float(noise.df))


def _pairs(a: Row, b: Row) -> tuple[list[float], list[float]]:
    """The losses of seeds that both groups have once each."""
    first, second = ({s: v for s, v in zip(r["seed_list"], r["losses"], strict=True) if s is not None} for r in (a, b))
    if len(first) < a["n"] or len(second) < b["n"]:
        return [], []
    common = sorted(first.keys() & second.keys())
    return [first[s] for s in common], [second[s] for s in common]


# -- single runs --------------------------------------------------------------------------------------------------------
def run_verdicts(facts: Facts, budget: str) -> dict[str, str]:
    """Run -> verdict against the baseline, for single runs: what its loss says on this seed, given the noise."""
    base, noise = facts.baselines.get(budget), noise_of(facts, budget)
    if base is None:
        return {}
    out = {}
    for r in facts.of("delta", budget):
        if r["run"] == base["run"]:
            continue
        if r["delta_loss"] is None or other_loss(facts.runs[base["run"]], facts.runs[r["run"]]):
            out[r["run"]] = APART
        elif noise is None or abs(r["delta_loss"]) <= noise.reach:
            out[r["run"]] = EQUAL
        else:
            out[r["run"]] = BETTER if r["delta_loss"] < 0 else WORSE
    return out


def ties(losses: Sequence[float], noise: Noise | None) -> list[tuple[int, int]]:
    """First and last place (from 1) of ranks that lie within noise of the first of them; losses come in rank order."""
    out, start = [], 0
    if noise is None:
        return []
    while start < len(losses):
        end = start
        while end + 1 < len(losses) and losses[end + 1] - losses[start] <= noise.reach:
            end += 1
        if end > start:
            out.append((start + 1, end + 1))
        start = end + 1
    return out
