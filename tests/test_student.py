"""Student's t without scipy agrees with scipy to 1e-12."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ngt_report import student

DF = st.one_of(st.integers(1, 400).map(float), st.floats(1, 400))


@given(st.floats(-60, 60), DF)
def test_the_upper_tail_is_scipys(t: float, df: float) -> None:
    if abs(t) > 1e-6:  # nearer to 0, scipy itself is less exact
        assert student.upper(t, df) == pytest.approx(stats.t.sf(t, df), rel=1e-12, abs=1e-14)


@given(st.sampled_from([0.001, 0.025, 0.1, 0.4, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9995]), DF)
def test_the_quantile_is_scipys(p: float, df: float) -> None:
    assert student.quantile(p, df) == pytest.approx(stats.t.ppf(p, df), rel=1e-12)


@given(st.floats(-30, 30), DF)
def test_the_density_is_scipys(t: float, df: float) -> None:
    assert student.density(t, df) == pytest.approx(stats.t.pdf(t, df), rel=1e-12)


@given(st.floats(0.5001, 0.9999), DF)
def test_the_quantile_undoes_the_distribution(p: float, df: float) -> None:
    assert 1 - student.upper(student.quantile(p, df), df) == pytest.approx(p, abs=1e-14)


def test_one_degree_of_freedom_is_cauchy() -> None:
    assert student.upper(1.0, 1.0) == pytest.approx(0.25, abs=1e-16)
    assert student.two_sided(-1.0, 1.0) == pytest.approx(0.5, abs=1e-16)
    assert (student.upper(float("inf"), 3), student.upper(float("-inf"), 3), student.quantile(0.5, 3)) == (0.0, 1.0, 0.0)
