"""The arithmetic of comparisons: Welch and paired t tests, the smallest difference that could be seen, Holm's correction.

Needs no scipy, so that every build can afford it; `ngtreport stat` adds what does (significance.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

from msgspec import Struct

from ngt_report import student

ALPHA = 0.05  # rate at which equal groups may be called different
POWER = 0.8  # chance with which the smallest difference would have been seen
LARGEST_LOSS = 700.0  # nats: exp of a larger one may be no finite number


class Test(Struct, frozen=True):
    """A two-sided t test of a difference of means."""

    delta: float  # second mean minus first
    se: float  # standard error of delta
    df: float
    p: float

    @property
    def half_width(self) -> float:
        """Half width of the 95 % interval of delta."""
        return self.se * student.quantile(1 - ALPHA / 2, self.df)


def perplexity(loss: float) -> float:
    """exp of a cross-entropy in nats; always finite, so that of a loss beyond LARGEST_LOSS it is too small."""
    return math.exp(min(loss, LARGEST_LOSS))


def finite_perplexity(loss: float | None) -> float | None:
    """The same, but None where there is no loss or a perplexity would be too small: for what is written for programs."""
    return perplexity(loss) if loss is not None and loss < LARGEST_LOSS else None


def mean(values: Sequence[float]) -> float:
    """Exact to the last bit, whatever the order."""
    return math.fsum(values) / len(values)


def variance(values: Sequence[float]) -> float:
    """Sample variance, n - 1."""
    middle = mean(values)
    return math.fsum((v - middle) ** 2 for v in values) / (len(values) - 1)


def _test(delta: float, se: float, df: float) -> Test:
    if se <= 1e-15 * max(1.0, abs(delta)):  # no spread was measured: nothing can be said
        return Test(delta, 0.0, df, math.nan)
    return Test(delta, se, df, student.two_sided(delta / se, df))


def welch(a: Sequence[float], b: Sequence[float]) -> Test:
    """Unequal variances (Welch 1947); p is NaN where neither group has any spread."""
    va, vb = variance(a) / len(a), variance(b) / len(b)
    if va + vb <= 0:
        return _test(mean(b) - mean(a), 0.0, len(a) + len(b) - 2)
    df = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    return _test(mean(b) - mean(a), math.sqrt(va + vb), df)


def paired(a: Sequence[float], b: Sequence[float]) -> Test:
    """The differences of pairs, such as runs of one seed."""
    differences = [y - x for x, y in zip(a, b, strict=True)]
    return _test(mean(differences), math.sqrt(variance(differences) / len(differences)), len(differences) - 1)


def against_noise(a: Sequence[float], b: Sequence[float], std: float, df: float) -> Test:
    """Means compared by a standard deviation that was measured elsewhere, on df degrees of freedom."""
    return _test(mean(b) - mean(a), std * math.sqrt(1 / len(a) + 1 / len(b)), df)


def holm(ps: Sequence[float]) -> list[float]:
    """p-values adjusted so that any false alarm among them is as rare as one (Holm 1979); NaN stays."""
    known = sorted((p, i) for i, p in enumerate(ps) if p == p)
    adjusted, least = list(ps), 0.0
    for rank, (p, i) in enumerate(known):
        least = max(least, min(1.0, (len(known) - rank) * p))
        adjusted[i] = least
    return adjusted


def power(shift: float, df: float, critical: float | None = None) -> float:
    """Chance that a two-sided t test at 5 % sees a true difference of `shift` standard errors (noncentral t).

    T = (Z + shift) / S with S = sqrt(chi2(df) / df): P(|T| > critical | S), integrated over S by Simpson's rule.
    """
    critical = critical if critical is not None else student.quantile(1 - ALPHA / 2, df)
    root = math.sqrt(2)
    return math.fsum(w * 0.5 * (math.erfc((critical * s - shift) / root) + math.erfc((critical * s + shift) / root)) for s, w in _chi(df))


@lru_cache(maxsize=64)
def _chi(df: float, pieces: int = 60) -> tuple[tuple[float, float], ...]:
    """Points and weights of S = sqrt(chi2(df) / df); in u = sqrt(s), where its density is smooth down to one degree of freedom."""
    top = math.sqrt(1 + 9 / math.sqrt(2 * df))
    front = math.log(2) + df / 2 * math.log(df / 2) - math.lgamma(df / 2)
    points = []
    for i in range(1, pieces + 1):
        u = top * i / pieces
        s = u * u
        density = math.exp(front + (df - 1) * math.log(s) - df * s * s / 2) * 2 * u
        points.append((s, density * top / pieces / 3 * (1 if i == pieces else 4 if i % 2 else 2)))
    return tuple(points)


def welch_power(shift: float, n1: int, n2: int) -> float:
    """Chance that Welch's test of n1 and n2 runs of equal spread sees a difference of `shift` standard deviations.

    The sum of the two sums of squares is independent of their ratio, which alone sets Welch's degrees of freedom.
    """
    spread = math.sqrt(1 / n1 + 1 / n2)
    return math.fsum(w * power(shift / spread, n1 + n2 - 2.0, critical) for critical, w in _criticals(n1, n2))


@lru_cache(maxsize=64)
def _criticals(n1: int, n2: int, pieces: int = 12) -> list[tuple[float, float]]:
    """Critical values of Welch's test in units of the pooled standard error, with the weight of each ratio of the variances.

    The share B of the first sum of squares is Beta((n1 - 1) / 2, (n2 - 1) / 2); B = sin(angle)^2 has a smooth density.
    """
    out, total = [], 0.0
    for i in range(pieces + 1):
        angle = math.pi / 2 * i / pieces
        share = math.sin(angle) ** 2
        weight = math.sin(angle) ** (n1 - 2) * math.cos(angle) ** (n2 - 2) * (1 if i in (0, pieces) else 4 if i % 2 else 2)
        a, b = share / ((n1 - 1) * n1), (1 - share) / ((n2 - 1) * n2)
        df = (a + b) ** 2 / (a * a / (n1 - 1) + b * b / (n2 - 1))
        out.append((student.quantile(1 - ALPHA / 2, df) * math.sqrt((n1 + n2 - 2) * (a + b) / (1 / n1 + 1 / n2)), weight))
        total += weight
    return [(critical, weight / total) for critical, weight in out if weight > 0]


def smallest_difference(n1: int, n2: int, std: float, df: float | None = None) -> float:
    """The smallest true difference that is seen with 80 % power at 5 %.

    By Welch's test of n1 and n2 runs of this standard deviation; with df, by a test against a noise measured elsewhere.
    """
    return (_welch_shift(n1, n2) if df is None else _shift(df) * math.sqrt(1 / n1 + 1 / n2)) * std


@lru_cache(maxsize=64)
def _welch_shift(n1: int, n2: int) -> float:
    return _solved(lambda shift: welch_power(shift, n1, n2), 3 * math.sqrt(1 / n1 + 1 / n2))


@lru_cache(maxsize=64)
def _shift(df: float) -> float:
    return _solved(lambda shift: power(shift, df), 3.0)


def _solved(chance: Callable[[float], float], start: float) -> float:
    """Where a rising chance reaches the wanted power: the interval is doubled, then narrowed by its false position."""
    low, high, at_low, at_high = 0.0, start, chance(0.0) - POWER, chance(start) - POWER
    while at_high < 0:
        low, at_low, high = high, at_high, 2 * high
        at_high = chance(high) - POWER
    for _ in range(60):
        middle = low - at_low * (high - low) / (at_high - at_low)
        middle = min(max(middle, low + 0.1 * (high - low)), high - 0.1 * (high - low))
        at = chance(middle) - POWER
        if abs(at) < 1e-7:
            return middle
        low, high, at_low, at_high = (middle, high, at, at_high) if at < 0 else (low, middle, at_low, at)
    return (low + high) / 2
