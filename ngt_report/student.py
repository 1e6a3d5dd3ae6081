"""Student's t distribution without scipy, whose import costs more than a build: agrees with scipy.stats.t to 1e-12.

The distribution function is half a regularised incomplete beta function, computed by its continued fraction
(DLMF 8.17.22); the quantile by Newton's method on the distribution function.
"""

from __future__ import annotations

import math
from functools import lru_cache

# Gamma(a + 1/2) / (Gamma(a) sqrt(a)) as a series in 1/a (Tricomi and Erdelyi 1951): exact to double precision from a = 40 on
RATIO = (1, -1 / 8, 1 / 128, 5 / 1024, -21 / 32768, -399 / 262144, 869 / 4194304, 39325 / 33554432, -334477 / 2147483648)
LARGE = 40.0


def density(t: float, df: float) -> float:
    """Density at t with df > 0 degrees of freedom."""
    a = df / 2
    ratio = math.sqrt(a) * sum(c * a**-k for k, c in enumerate(RATIO)) if a > LARGE else math.gamma(a + 0.5) / math.gamma(a)
    return ratio / math.sqrt(df * math.pi) * math.exp(-(a + 0.5) * math.log1p(t * t / df))


def upper(t: float, df: float) -> float:
    """P(T > t): what is above t."""
    if math.isinf(t):
        return 0.0 if t > 0 else 1.0
    if t < 0:
        return 1 - upper(-t, df)
    a, x = df / 2, df / (df + t * t)
    front = density(t, df) * t  # x^a (1 - x)^(1/2) / B(a, 1/2), from the density, which is exact for large df
    if x < (a + 1) / (a + 2.5):
        return front * _fraction(a, 0.5, x) / df
    return 0.5 - front * _fraction(0.5, a, t * t / (df + t * t))


def two_sided(t: float, df: float) -> float:
    """P(|T| > |t|), the p-value of a two-sided test."""
    return 2 * upper(abs(t), df)


@lru_cache(maxsize=1024)
def quantile(p: float, df: float) -> float:
    """The t with P(T <= t) = p, for 0 < p < 1."""
    if p == 0.5:
        return 0.0
    if p < 0.5:
        return -quantile(1 - p, df)
    tail, low, high = 1 - p, 0.0, 1.0
    while upper(high, df) > tail:
        low, high = high, 2 * high
    t = (low + high) / 2
    for _ in range(200):
        over = upper(t, df) - tail
        low, high = (t, high) if over > 0 else (low, t)
        step = over / density(t, df)
        following = t + step if low < t + step < high else (low + high) / 2
        if abs(following - t) <= 4e-16 * abs(t):
            return following
        t = following
    return t


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method; times x^a (1-x)^b / (a B(a, b)) it is I_x(a, b)."""
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d or tiny)
    value = d
    for m in range(1, 10_000):
        for term in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d = 1 / ((1 + term * d) or tiny)
            c = (1 + term / c) or tiny
            value *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return value
