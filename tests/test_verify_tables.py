"""verify holds tables against logs: what agrees matches, one changed digit does not, what no file has is undecidable."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from click.testing import Result

from ngt_report.build import Request
from ngt_report.verify.check import check, evidence
from ngt_report.verify.claims import World
from ngt_report.verify.numbers import find
from ngt_report.verify.verdict import MATCH, MISMATCH, UNDECIDABLE, Checked
from tests.conftest import LOGS
from tests.groups import W3_25M, expected, random_group, write_group


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with evidence(Request((str(LOGS),))) as data:
        yield World(data)


def markdown(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], ["---"] * len(rows[0]), *rows[1:]]) + "\n"


def verdicts(checked: tuple[Checked, ...]) -> list[tuple[str, str]]:
    return [(c.text, c.verdict) for c in checked]


PUBLISHED = [t for name in ("fixed_step", "best_vs_last", "ranking", "throughput") for t in [getattr(expected(W3_25M), name)]]


@pytest.mark.parametrize("rows", PUBLISHED)
def test_every_cell_of_the_published_tables_matches(world: World, rows: list[list[str]]) -> None:
    found = check(markdown(rows), world)
    assert len(found) >= len(rows) - 1
    assert [c for c in found if c.verdict != MATCH] == []


@pytest.mark.parametrize("seed", range(2))
def test_tables_of_groups_that_nobody_has_seen_match(tmp_path: Path, seed: int) -> None:
    rng = Random(f"verify {seed}")
    group = random_group(rng)
    wanted = write_group(tmp_path, group, rng)
    tables = (wanted.fixed_step, wanted.best_vs_last, wanted.ranking, wanted.throughput)
    with evidence(Request((str(tmp_path / "logs" / group.name),))) as data:
        found = check("\n\n".join(map(markdown, tables)), World(data))
    assert [c for c in found if c.verdict != MATCH] == []


def test_a_changed_digit_is_a_mismatch_with_the_value_and_its_line(world: World) -> None:
    (found,) = check("| run | best val loss |\n|---|---|\n| vanilla | **4.5534** |\n", world)
    assert (found.verdict, found.line, found.text, found.value) == (MISMATCH, 3, "4.5534", 4.552418)
    assert found.where is not None and found.where.startswith("checkpoints/w3_25m/vanilla_25m.pt_best.pt")


def test_runs_in_columns_and_quantities_in_rows(world: World) -> None:
    text = "| | vanilla | mass_in_value |\n|---|---|---|\n| best val loss | 4.5524 | 4.6451 |\n| best ppl | 94.86 | 107.07 |\n"
    assert verdicts(check(text, world)) == [("4.5524", MATCH), ("4.6451", MATCH), ("94.86", MATCH), ("107.07", MISMATCH)]


def test_an_html_table_is_a_table(world: World) -> None:
    text = "<table>\n<tr><th>Run</th><th>Last val loss</th></tr>\n\n<tr><td>no radius</td><td><b>4.7940</b></td></tr></table>\n"
    assert [(c.text, c.verdict, c.line) for c in check(text, world)] == [("4.7940", MATCH, 4)]


def test_a_column_is_read_in_the_one_way_that_most_cells_agree_with(world: World) -> None:
    best = "| run | val loss |\n|---|---|\n| vanilla | 4.5524 |\n| mass-in-value | 4.6451 |\n| no_radius | 4.7940 |\n"
    assert verdicts(check(best, world)) == [("4.5524", MATCH), ("4.6451", MATCH), ("4.7940", MISMATCH)]


def test_a_step_in_the_header_must_have_been_evaluated(world: World) -> None:
    text = "| run | val loss @14999 |\n|---|---|\n| vanilla | 4.5554 |\n"
    assert verdicts(check(text, world)) == [("14999", MISMATCH), ("4.5554", UNDECIDABLE)]


@pytest.mark.parametrize("row", ["| llama_7b | 4.5524 |", "| no_such_run | 1.0 |"])
def test_a_run_that_no_file_has_is_undecidable(world: World, row: str) -> None:
    assert [c.verdict for c in check(f"| run | best val loss |\n|---|---|\n{row}\n", world)] == [UNDECIDABLE]


@pytest.mark.parametrize(
    "text",
    ["", "|", "\x00", "| a |\n|---|\n", "- <table>\n  - b\n\n</table>\n- c 1.0\n", "step " + "9" * 400,
     "vanilla val loss @99999999999999999999",
     "val loss 1e400 of vanilla", "99999999999999999999h 5m", "<table><tr><td>", "| vanilla |\n|---|\n| 1e999 |\n"],
)  # fmt: skip
def test_odd_documents_are_read(world: World, text: str) -> None:
    assert all(c.verdict != MATCH for c in check(text, world))


def test_code_blocks_are_no_claims(world: World) -> None:
    assert check("```\n| run | best val loss |\n|---|---|\n| vanilla | 1.0 |\n```\n", world) == ()


@pytest.mark.parametrize(
    ("text", "value", "half"),
    [
        ("4.5554", 4.5554, 5e-5), ("15,000", 15000, 0.5), ("110K", 110e3, 500), ("~20", 20, 5), ("5e-05", 5e-5, 5e-6),
        ("+11.4%", 11.4, 0.05),
        ("6.0x", 6.0, 0.05), ("10m 9.1s", 609.1, 0.05), ("4h 54m", 17640, 30), ("−0.25", -0.25, 0.005), ("1.5 ms", 1.5e-3, 5e-5),
    ],
)  # fmt: skip
def test_numbers_as_people_print_them(text: str, value: float, half: float) -> None:
    (number,) = find(text.replace("−", "-"))
    assert (number.value, number.half) == (pytest.approx(value), pytest.approx(half))


@pytest.mark.parametrize("text", ["wikitext103", "GPT-2", "v1.2.3", "2026-11-21", "w3_25m.log", "U+0120", "7-Zip", "logs/a_3.log", "§3.3"])
def test_digits_inside_names_are_no_numbers(text: str) -> None:
    assert find(text) == ()


def test_the_command_exits_1_and_writes_a_marked_copy(
    run: Callable[..., Result], write: Callable[[str, str], Path], tmp_path: Path
) -> None:
    report = write("report.md", "| run | best val loss |\n|---|---|\n| vanilla | 4.5524 |\n| no_radius | **4.7872** |\n")
    copy = tmp_path / "copy.md"
    result = run("verify", report, LOGS, "--annotate", copy)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0].startswith(
        f"{report}:4: MISMATCH 4.7872 (best val loss of screen_ngt_no_radius): the data gives 4.777163"
    )
    marked = "| run | best val loss |\n|---|---|\n| vanilla | 4.5524 [✓] |\n| no_radius | **4.7872** [✗ 4.777163] |\n"
    assert copy.read_text().startswith(f"{marked}\n<!-- annotated by ngtreport verify, ")
    assert json.loads(run("verify", report, LOGS, "--json").stdout)["counts"] == {"MATCH": 1, "MISMATCH": 1, "UNDECIDABLE": 0}


@pytest.mark.parametrize("arguments", [("missing.md", LOGS), (LOGS / "w3_25m_screen_vanilla_25m.log", "nowhere")])
def test_what_cannot_be_read_exits_3(run: Callable[..., Result], arguments: tuple[object, ...]) -> None:
    result = run("verify", *arguments)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
