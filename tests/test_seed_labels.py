"""A run's label without its seed: the seed goes, a setting's digits stay."""

from __future__ import annotations

import pytest

from ngt_report.grouping import without_seed


@pytest.mark.parametrize(
    ("name", "seed", "label"),
    [
        ("mixer_d8_lr0.003_s3", 3, "mixer_d8_lr0.003"), ("w64_lr0.001_s1", 1, "w64_lr0.001"), ("lr3_s3", 3, "lr3"), ("v1.5", 5, "v1.5"),
        ("baseline_s42", 42, "baseline"), ("baseline-seed42", 42, "baseline"), ("baseline_42", 42, "baseline"), ("x.Seed=7", 7, "x"),
        ("a.7", 7, "a"), ("none_seed_01", 1, "none"), ("seed1337", 1337, ""), ("gated_s1", 2, "gated_s1"), ("s1_model_1", 1, "_model_1"),
    ],
)  # fmt: skip
def test_only_the_words_that_say_the_seed_are_taken_from_a_name(name: str, seed: int, label: str) -> None:
    assert without_seed(name, seed) == label
