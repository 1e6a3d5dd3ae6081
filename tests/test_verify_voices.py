"""Reports in other people's voices and layouts: what is right is a match, a changed digit a mismatch, and nothing right is called wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ngt_report.build import Request
from ngt_report.verify.check import check, evidence
from ngt_report.verify.claims import World
from ngt_report.verify.numbers import decimal_points
from ngt_report.verify.verdict import MATCH, MISMATCH, UNDECIDABLE
from tests.conftest import LOGS


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with evidence(Request((str(LOGS),))) as data:
        yield World(data)


def verdicts(text: str, world: World) -> dict[str, str]:
    return {c.text: c.verdict for c in check(text, world)}


RIGHT = [
    ("vanilla ended at 4.5554 nats.", "4.5554"),
    ("The default run ends at 4.7915.", "4.7915"),
    ("mass_in_value reaches 4.6635 at the end of training, compared to 4.5554 for vanilla.", "4.6635"),
    ("mass_in_value reaches 4.6635 at the end of training, compared to 4.5554 for vanilla.", "4.5554"),
    ("vanilla beats no_radius by 0.24 nats.", "0.24"),
    ("mass_in_value beats the default by 0.13 nats.", "0.13"),
    ("mass_in_value trails vanilla by 0.11 nats; best 4.6451 at step 13000.", "4.6451"),
    ("vanilla_25m reaches 4.5554, mass_in_value has 4.6635; its perplexity is 11.4% higher than that of vanilla_25m.", "11.4%"),
    ("The final loss of vanilla is 4.5554 while no_radius has 4.7940.", "4.7940"),
    ("All runs took hours; vanilla needed 50m 35s.", "50m 35s"),
    ("At step 15000, vanilla is best with a validation loss of 4.5554.", "4.5554"),
]  # fmt: skip
WRONG = [
    ("vanilla ended at 4.5654 nats.", "4.5654"),
    ("vanilla beats no_radius by 0.34 nats.", "0.34"),
    ("mass_in_value is 0.21 nats worse than vanilla.", "0.21"),
    ("mass_in_value trails vanilla by 0.11 nats; best 4.6551 at step 13000.", "4.6551"),
    ("The final loss of vanilla is 4.5554 while no_radius has 4.7840.", "4.7840"),
    ("vanilla needed 40m 35s.", "40m 35s"),
]  # fmt: skip
OPEN = [
    ("Step time goes from 0.20 s (vanilla) to 1.17-1.21 s.", "1.17"),
    ("mass_in_value against vanilla: no_repulsion costs another 0.0579 nats.", "0.0579"),
    ("NGT reaches 4.7123 on average.", "4.7123"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "number"), RIGHT)
def test_what_is_right_is_a_match(world: World, text: str, number: str) -> None:
    assert verdicts(text, world)[number] == MATCH


@pytest.mark.parametrize(("text", "number"), WRONG)
def test_what_is_wrong_is_a_mismatch(world: World, text: str, number: str) -> None:
    assert verdicts(text, world)[number] == MISMATCH


@pytest.mark.parametrize(("text", "number"), OPEN)
def test_what_is_left_open_is_not_guessed(world: World, text: str, number: str) -> None:
    assert verdicts(text, world)[number] == UNDECIDABLE


def test_a_value_and_its_step_share_a_cell(world: World) -> None:
    table = "| run | best @ step | last |\n|---|---|---|\n| vanilla | 4.5524 @ 13.5k | 4.5554 |\n| mass_in_value | 4.6451 ({}) | 4.6635 |\n"
    assert set(verdicts(table.format(13000), world).values()) == {MATCH}
    assert verdicts(table.format(12000), world)["12000"] == MISMATCH


def test_runs_across_and_steps_in_brackets(world: World) -> None:
    table = "| | vanilla | mass_in_value |\n|---|---|---|\n| best (step) | 4.5524 (13500) | 4.6451 ({}) |\n| ppl | 95.14 | 106.01 |\n"
    assert set(verdicts(table.format(13000), world).values()) == {MATCH}
    assert verdicts(table.format(14000), world)["14000"] == MISMATCH


def test_a_column_of_differences_between_two_runs(world: World) -> None:
    rows = ["best val loss | 4.5524 | 4.6451 | +0.0927", "final val loss | 4.5554 | 4.6635 | {}", "ppl | 95.14 | 106.01 | +11.4%"]
    table = "| metric | vanilla_25m | mass_in_value | diff |\n|---|---|---|---|\n" + "".join(f"| {r} |\n" for r in rows)
    assert set(verdicts(table.format("+0.1081"), world).values()) == {MATCH}
    assert verdicts(table.format("+0.2081"), world)["+0.2081"] != MATCH


def test_a_cell_that_names_its_own_quantity(world: World) -> None:
    rows = "| vanilla | 4.5554 | - |\n| mass_in_value | 4.6635 | +11.4% ppl |\n| no_repulsion | 4.7214 | +18.1% ppl |\n"
    table = "| run | val loss @15000 | vs base |\n|---|---|---|\n" + rows
    assert [v for t, v in verdicts(table, world).items() if "%" in t] == [MATCH, MATCH]


GERMAN = "| Lauf | val loss @15000 | PPL |\n|---|---|---|\n| vanilla | 4,5554 | 95,14 |\n| no_radius | {} | 120,78 |\n\n" + (
    "vanilla: best step 13.500\n"
)


def test_decimal_commas(world: World) -> None:
    right = verdicts(GERMAN.format("4,7940"), world)
    assert (right["4,7940"], right["120,78"], right["13.500"]) == (MATCH, MATCH, MATCH)
    assert verdicts(GERMAN.format("4,7840"), world)["4,7840"] == MISMATCH


@pytest.mark.parametrize("text", ["at 15,000 steps 4.55 and 4.66", "seeds 1,2 and 3,4 at 4.55, 4.66", "layers 4,8,12", "1,500 and 2,000"])
def test_commas_between_thousands_or_items_stay(text: str) -> None:
    assert decimal_points(text) == text


def test_names_and_versions_keep_their_points() -> None:
    assert decimal_points("v1.2.3, a/b_3,5.log: 4,55 und 1.500,5 und 4,66") == "v1.2.3, a/b_3,5.log: 4.55 und 1,500.5 und 4.66"
