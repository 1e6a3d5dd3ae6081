"""Tests and verdicts: the arithmetic is scipy's, equal groups are rarely called different, rules and words are as stated."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
from click.testing import Result
from hypothesis import assume, given
from hypothesis import strategies as st

from ngt_report import significance, stats
from ngt_report.assemble.verdicts import Noise, ties
from ngt_report.build import Request
from ngt_report.errors import UsageError
from tests.test_seeds import seeded

Write = Callable[[str, str], Path]
Run = Callable[..., Result]
LOSSES = st.lists(st.floats(2.0, 12.0).map(lambda v: round(v, 6)), min_size=2, max_size=12)


@given(LOSSES, LOSSES)
def test_welch_is_scipys(a: list[float], b: list[float]) -> None:
    assume(np.ptp(a) > 1e-3 and np.ptp(b) > 1e-3)
    ours, theirs = stats.welch(a, b), scipy.stats.ttest_ind(b, a, equal_var=False)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-12, abs=1e-12)
    assert ours.df == pytest.approx(theirs.df, rel=1e-12)
    interval = theirs.confidence_interval(0.95)
    assert ours.delta - ours.half_width == pytest.approx(interval.low, rel=1e-12, abs=1e-12)


@given(LOSSES)
def test_mean_variance_and_interval_are_scipys(values: list[float]) -> None:
    assert stats.mean(values) == pytest.approx(np.mean(values), rel=1e-12)
    assert stats.variance(values) == pytest.approx(np.var(values, ddof=1), rel=1e-12, abs=1e-12)


@given(st.lists(st.tuples(st.floats(2, 12), st.floats(2, 12)), min_size=2, max_size=12))
def test_the_paired_test_is_scipys(pairs: list[tuple[float, float]]) -> None:
    a, b = [list(side) for side in zip(*pairs, strict=True)]
    assume(np.ptp(np.subtract(b, a)) > 1e-3)
    # differences that nearly cancel leave fewer digits of their mean, in scipy as here
    assert stats.paired(a, b).p == pytest.approx(scipy.stats.ttest_rel(b, a).pvalue, rel=1e-12, abs=1e-10)


@pytest.mark.parametrize("df", [1, 2, 4, 8, 18, 98])
def test_power_is_that_of_the_noncentral_t(df: int) -> None:
    critical = scipy.stats.t.ppf(0.975, df)
    for shift in (0.0, 0.7, 2.0, 4.0):
        exact = scipy.stats.nct.sf(critical, df, shift) + scipy.stats.nct.cdf(-critical, df, shift)
        if exact == exact:  # scipy gives NaN far out
            assert stats.power(shift, df) == pytest.approx(exact, abs=1e-5)
    reach = stats.smallest_difference(1, 1, 1.0, float(df)) / math.sqrt(2)
    assert stats.power(reach, df) == pytest.approx(0.8, abs=1e-5)


def test_holm_multiplies_by_what_is_left_and_never_falls() -> None:
    assert stats.holm([0.01, 0.04, math.nan, 0.03]) == pytest.approx([0.03, 0.06, math.nan, 0.06], nan_ok=True)
    assert stats.holm([0.9, 0.8]) == [1.0, 1.0]


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_equal_groups_are_called_different_at_most_at_the_stated_rate_and_the_stated_difference_is_seen(n: int) -> None:
    """2,000 null campaigns and 2,000 with the smallest difference that should be seen in 80 of 100."""
    dice = np.random.default_rng(n)
    campaigns = 2000
    a, b = dice.normal(3.28, 0.0013, (campaigns, n)), dice.normal(3.28, 0.0013, (campaigns, n))
    alarms = sum(stats.welch(list(x), list(y)).p < stats.ALPHA for x, y in zip(a, b, strict=True)) / campaigns
    assert alarms <= stats.ALPHA + 3 * math.sqrt(stats.ALPHA * (1 - stats.ALPHA) / campaigns)
    shift = stats.smallest_difference(n, n, 0.0013)
    seen = sum(stats.welch(list(x), list(y + shift)).p < stats.ALPHA for x, y in zip(a, b, strict=True)) / campaigns
    assert seen == pytest.approx(stats.POWER, abs=0.04)


def test_no_spread_says_nothing() -> None:
    assert math.isnan(stats.welch([3.5, 3.5], [3.4, 3.4]).p)
    assert math.isnan(stats.paired([3.5, 3.6], [3.4, 3.5]).p) or stats.paired([3.5, 3.6], [3.4, 3.5]).p < 1e-6


def test_ranks_within_noise_of_the_first_are_tied() -> None:
    noise = Noise(0.01, 30, "seeds")
    assert noise.reach == pytest.approx(scipy.stats.t.ppf(0.975, 30) * 0.01 * math.sqrt(2))
    assert ties([4.0, 4.02, 4.035, 4.1, 4.5, 4.51], noise) == [(1, 2), (5, 6)]
    assert ties([4.0, 4.02], None) == []


# -- the command --------------------------------------------------------------------------------------------------------
@pytest.fixture
def logs(write: Write, tmp_path: Path) -> Path:
    """Two groups of three seeds: a baseline and one that is better by ten standard deviations."""
    seeded(write, "x", {1: 3.281, 2: 3.282, 3: 3.283}, more="model: vanilla\nlr: 0.1\n")
    seeded(write, "x", {1: 3.261, 2: 3.262, 3: 3.263}, more="model: gated\nlr: 0.1\n", extra="_gated")
    return tmp_path / "logs"


def found(logs: Path, *rules: str, **options: Any) -> dict[str, Any]:
    return significance.stat(Request((str(logs),), **options), rules, "common")


def test_a_comparison_has_every_test_and_a_verdict(logs: Path) -> None:
    [said] = found(logs, group_by=("model",))["comparisons"]
    a, b = [3.281, 3.282, 3.283], [3.261, 3.262, 3.263]
    assert (said["verdict"], said["n"], said["delta"]) == ("better", 3, pytest.approx(-0.02))
    assert said["p_holm"] == pytest.approx(scipy.stats.ttest_ind(b, a, equal_var=False).pvalue, rel=1e-6)
    assert said["bootstrap"][0] < -0.019 and said["bootstrap"][1] > -0.021
    assert said["seen"] == pytest.approx(stats.smallest_difference(3, 3, 0.001), rel=1e-6)


def test_the_rules_of_speed_runs(logs: Path) -> None:
    rulings = found(logs, "modded-track1", "modded-track3", "nats-0.005", group_by=("model",))["rules"]
    said = {(r["rule"], r["group"]): r for r in rulings}
    expected = scipy.stats.ttest_1samp([3.261, 3.262, 3.263], 3.28, alternative="less").pvalue
    assert said["modded-track1", "x (gated)"]["statistic"] == pytest.approx(expected)
    assert [said["modded-track1", f"x ({model})"]["passes"] for model in ("gated", "vanilla")] == [True, False]
    assert said["modded-track3", "x (gated)"]["statistic"] == pytest.approx((3.28 - 3.262) * math.sqrt(3))
    assert said["modded-track3", "x (vanilla)"]["passes"] is False
    assert said["nats-0.005", "x (gated)"]["passes"] is True and ("nats-0.005", "x (vanilla)") not in said


def test_a_step_saved_counts_as_loss_on_track_three() -> None:
    few = {"budget": "3210", "losses": [3.2778] * 10, "n": 10}
    many = {"budget": "3250", "losses": [3.2785] * 16, "n": 16}
    rulings = significance.judge("modded-track3", [("few", few), ("many", many)], 3.28, {})
    [pair] = [r for r in rulings if r["against"]]
    assert pair["statistic"] == pytest.approx((0.0007 + 40 * 0.000045) / math.sqrt(1 / 10 + 1 / 16))
    assert (pair["group"], pair["against"], pair["passes"]) == ("few", "many", True)


def test_one_run_cannot_pass_a_test_and_the_reason_is_said() -> None:
    [ruling] = significance.judge("modded-track1", [("one", {"losses": [3.2]})], 3.28, {})
    assert (ruling["passes"], ruling["text"]) == (None, "n = 1: a t test needs two runs")
    [ruling] = significance.judge("nats-0.005", [("one", {"losses": [3.2, 3.3]})], 3.28, {})
    assert ruling["passes"] is None and "--baseline" in ruling["text"]


def test_the_command_prints_json_and_gates(logs: Path, run: Run) -> None:
    ok = run("stat", logs, "--group-by", "model", "--rule", "modded-track1", "--check", "--json")
    assert ok.exit_code == 0 and json.loads(ok.stdout)["comparisons"][0]["verdict"] == "better"
    failed = run("stat", logs, "--group-by", "model", "--rule", "modded-track1", "--target", "3.2", "--check")
    assert failed.exit_code == 1 and "no group passes modded-track1" in failed.stderr
    assert "fails: mean 3.28200 of n = 3" in failed.stdout


def test_a_report_is_tested_as_it_was_built(run: Run) -> None:
    said = run("stat")
    assert said.exit_code == 0 and "no verdicts" in said.stdout and "not seed noise" in said.stdout
    assert run("stat", "--group-by", "model").exit_code == 2


def test_logs_without_comparable_runs_are_an_error_that_says_so(write: Write, tmp_path: Path) -> None:
    write("logs/a.log", "step 1/10 train_loss=4.0\n")
    with pytest.raises(UsageError, match="no two runs can be compared"):
        found(tmp_path / "logs")


def test_perplexities_are_finite_or_said_to_be_unknown() -> None:
    assert stats.perplexity(3.0) == stats.finite_perplexity(3.0) == math.exp(3.0)
    assert math.isfinite(stats.perplexity(1e9)) and stats.finite_perplexity(1e9) is None
    assert stats.finite_perplexity(None) is None and stats.finite_perplexity(math.nan) is None
