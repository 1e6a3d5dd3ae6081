"""Reports that build wrote of odd projects, and what is read more exactly for them: names, baselines, ranks, totals of steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ngt_report.build import Request, build
from ngt_report.handing.handoff import handoff
from ngt_report.store import Store
from ngt_report.verify.check import check, evidence
from ngt_report.verify.claims import World
from ngt_report.verify.evidence import Evidence
from ngt_report.verify.verdict import MATCH, MISMATCH, UNDECIDABLE
from tests.conftest import LOGS

HOSTILE = ["0.39", "74", "1e-3", "6000", "base", "best", "a;b", "a,b", "2)", "2", "тест", "alpha", "it's", "default"]


def write(folder: Path, names: list[str], every: int = 250) -> Path:
    for i, name in enumerate(names):
        losses = [5 - 0.3 * i + 2 / step for step in range(1, 11)]
        lines = [{"step": every * s, "val_loss": loss, "time": (2 + i) * s} for s, loss in enumerate(losses, 1)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder


@contextmanager
def world(*paths: Path) -> Iterator[World]:
    with evidence(Request(tuple(map(str, paths)))) as data:
        yield World(data)


def wrong(text: str, world: World) -> list[str]:
    return [c.text for c in check(text, world) if c.verdict == MISMATCH]


def verdicts(text: str, world: World) -> dict[str, str]:
    return {c.text: c.verdict for c in check(text, world)}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, World]]:
    """Logs whose names are numbers, words or none, and what they hold when they are read without the options of a build."""
    logs = tmp_path_factory.mktemp("hostile") / "logs"
    logs.mkdir()
    with world(write(logs, HOSTILE)) as plain:
        yield logs, plain


@pytest.mark.parametrize("baseline", [None, "alpha", "6000", "default"])
@pytest.mark.parametrize("step", [None, 1250])
def test_names_that_are_numbers_words_or_no_words_raise_no_alarm(
    hostile: tuple[Path, World], tmp_path: Path, baseline: str | None, step: int | None
) -> None:
    logs, plain = hostile
    request = Request((str(logs),), out=str(tmp_path / "out"), dashboard=False, baseline=baseline, step=step)
    folder = build(request).folder
    handoff(request)
    for name in ("Summary.md", "Handoff.md"):
        text = (folder / name).read_bytes().decode()
        store = Store(str(folder / "report.duckdb"), read_only=True)
        try:
            found = check(text, World(Evidence(store)))
        finally:
            store.close()
        assert [(c.line, c.text, c.claim) for c in found if c.verdict == MISMATCH] == []
        assert wrong(text, plain) == []  # the report says which run is the baseline


def test_a_number_in_the_column_of_runs_is_a_name(tmp_path: Path) -> None:
    with world(write(tmp_path, HOSTILE)) as data:
        table = "| run | last val loss |\n|---|---|\n| 0.39 | 5.2000 |\n| 2 | 2.5000 |\n| 2) | {} |\n"
        assert set(verdicts(table.format("2.8000"), data).values()) == {MATCH}
        assert wrong(table.format("2.6000"), data) == ["2.6000"]


@pytest.fixture(scope="module")
def logs() -> Iterator[World]:
    with world(LOGS) as data:
        yield data


def test_the_baseline_is_the_one_that_the_report_says(logs: World) -> None:
    text = "- Baseline: ngt_default (it was named)\n- Best variant: vanilla_25m, val loss 4.5554; {} loss\n"
    assert wrong(text.format("-0.2361"), logs) == []
    assert wrong(text.format("-0.2461"), logs) == ["-0.2461"]


def test_the_others_against_the_one_that_is_named(logs: World) -> None:
    text = "The other 5 runs do 0.83-{} steps/s, vanilla_25m does 4.96 ({}-6.0x slower)."
    assert wrong(text.format("0.86", "5.8"), logs) == []
    assert wrong(text.format("0.96", "4.8"), logs) == ["0.96", "4.8"]


def test_rows_of_unknown_runs_leave_ranks_open(logs: World) -> None:
    rows = "| rank | run | best val loss |\n|---|---|---|\n| 1 | llama_7b | 2.1 |\n"
    rows += "| 2 | vanilla_25m | 4.5524 |\n| {} | mass_in_value | 4.6451 |\n"
    assert wrong(rows.format(3), logs) == []
    assert wrong(rows.format(7), logs) == ["7"]


def test_a_table_of_several_rankings(logs: World) -> None:
    rows = [
        "1 | vanilla_25m | 4.5524 | a",
        "2 | mass_in_value | 4.6451 | a",
        "1 | no_repulsion | 4.7214 | b",
        "{} | no_radius | 4.7772 | b",
    ]
    table = "| rank | run | best val loss | kind |\n|---|---|---|---|\n" + "".join(f"| {r} |\n" for r in rows)
    assert wrong(table.format(2), logs) == []
    assert "4" not in wrong(table.format(4), logs)  # one ranking of all


def test_kinds_of_one_run_each_have_their_own_places(logs: World) -> None:
    rows = "| 1 | vanilla_25m | 4.5524 | {} |\n| 1 | mass_in_value | 4.6451 | {} |\n| 1 | no_repulsion | 4.7214 | {} |\n"
    table = "| rank | run | best val loss | kind |\n|---|---|---|---|\n" + rows
    assert wrong(table.format("a", "b", "c"), logs) == []
    assert wrong(table.format("a", "a", "a"), logs) == ["1", "1"]


def test_a_count_may_be_of_the_runs_that_are_compared(tmp_path: Path) -> None:
    for name, last, start in (("a", 500, 4.0), ("b", 500, 4.1), ("c", 500, 400.0)):  # of c: a sum, no mean
        lines = "".join(f"step {s}/500: val loss {start - s / 1000:.4f}\n" for s in range(0, last + 1, 100))
        (tmp_path / f"{name}.log").write_text(lines)
    with world(tmp_path) as logs:
        assert [v.value for v in logs.counts(frozenset(logs.evidence.runs))["runs"]][:2] == [3, 2]


def test_a_row_that_names_what_it_is_held_against(logs: World) -> None:
    table = "| run | against | val loss delta @15000 |\n|---|---|---|\n"
    table += "| no_radius | mass_in_value | {} |\n| no_repulsion | vanilla_25m | +0.1660 |\n"
    assert wrong(table.format("+0.1305"), logs) == []
    assert verdicts(table.format("+0.2386"), logs)["+0.2386"] != MATCH


def test_a_header_at_a_step_that_its_rows_do_not_have(logs: World) -> None:
    table = "| run | val loss @{} |\n|---|---|\n| vanilla_25m | 4.5554 |\n| no_radius | 4.7940 |\n"
    assert wrong(table.format(15000), logs) == []
    assert wrong(table.format(14000), logs)[0] == "14000"


def test_an_arrow_is_no_bound(logs: World) -> None:
    assert wrong("Throughput over step 500->15000.", logs) == []
    assert wrong("Throughput over step 500->14000.", logs) == ["14000"]


def test_what_contradicts_is_no_claim_of_either(logs: World) -> None:
    assert wrong("- best.pt names run vanilla_25m but gives seed 43 where the run has 42", logs) == []


def test_eleven_more_runs_are_not_all(logs: World) -> None:
    assert verdicts("The top 20; 11 more runs are in results.csv.", logs)["11"] == UNDECIDABLE


def test_a_title_counts_all_runs(logs: World) -> None:
    assert wrong("# w3_25m: 6 runs\n", logs) == []
    assert wrong("# w3_25m: 9 runs\n", logs) == ["9"]


def test_a_step_that_is_asked_for_is_not_called_the_last(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    request = Request((str(write(logs, ["alpha", "beta"])),), out=str(tmp_path / "out"), dashboard=False, step=1250)
    text = (build(request).folder / "Summary.md").read_text(encoding="utf-8")
    assert "Both runs are best at their last evaluation, step 2500:" in text
    with world(logs) as data:
        assert wrong(text, data) == []


@pytest.mark.parametrize(
    "text",
    [
        "No run has a validation loss at step 14999.",
        "vanilla_25m has 20 validation losses that are not finite.",
        "vanilla_25m has two values of batch_size: 16 (a.log:4) and 64 (b.csv:5)",
    ],
)
def test_counts_denials_and_contradictions_are_no_values(logs: World, text: str) -> None:
    assert wrong(text, logs) == []


def speedruns(folder: Path) -> Path:
    """Runs that have no names but numbers of theirs, in two folders of different totals."""
    for place, total, names in (
        ("baseline", 1775, ("0290074f-68b1", "38509716-0000")),
        ("shorter", 1765, ("58bee41f-3423", "12345678-1111")),
    ):
        (folder / place).mkdir(parents=True)
        for k, name in enumerate(names):
            rows = [
                f"step:{s}/{total} val_loss:{5 - s / 1000 + k / 100:.4f} train_time:{(60 + k) * s}ms" for s in (0, 500, 1000, 1500, total)
            ]
            file = folder / place / f"{name}-4a00-a1bb-a089ee6a21a6.txt"
            file.write_text("import torch\n" + "=" * 100 + "\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("named", [False, True], ids=["by their numbers", "by their seeds"])
def test_runs_without_names_of_different_totals_raise_no_alarm(tmp_path: Path, named: bool) -> None:
    """`1765 steps (58bee41f)` holds no number of steps, and 38509716 (3.27 at 15.4 steps/s) is a run."""
    logs = speedruns(tmp_path / "logs")
    for i, file in enumerate(sorted(logs.rglob("*.txt")) if named else ()):
        file.rename(file.with_name(f"seed={i * 5}.txt"))
    report = build(Request((str(logs),), out=str(tmp_path / "out"), dashboard=False)).folder / "Summary.md"
    with world(logs) as data:
        found = check(report.read_text(encoding="utf-8"), data)
    assert [(c.line, c.text, c.claim) for c in found if c.verdict == MISMATCH] == []
    assert sum(c.verdict == MATCH for c in found) > 20


def test_brackets_behind_a_number_make_it_a_run(tmp_path: Path) -> None:
    logs = speedruns(tmp_path) / "baseline"
    for file in logs.iterdir():
        file.rename(logs / f"{file.name[:8]}.txt")
    with world(logs) as data:
        said = "No run beats these in both loss and throughput: 0290074f (3.2250 at 16.667 steps/s), 38509716 (3.2350 at {} steps/s)."
        assert wrong(said.format("16.393"), data) == []
        assert wrong(said.format("16.493"), data) == ["16.493"]


def test_the_line_of_a_file_is_no_value_of_its_ending(logs: World) -> None:
    """`.out:12` is not 12 of the dropout."""
    text = "Two logs are 1 (logs/budget15k.out:12), and (results/w3_25m/results.csv:2).\n"
    assert not {"12", "2"} & set(verdicts(text, logs)) and verdicts("dropout: 12", logs)["12"] == MISMATCH
