"""The main job: from a folder of runs to four tables that are right, for the published group and for groups made up here."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ngt_report.build import Request, build
from tests.groups import W3_25M, Group, random_group, write_group
from tests.markdown import tables

HERE = Path(__file__).parent
CORPUS = HERE.parents[1] / "shared" / "corpus"
SAMPLE = HERE / "data" / "w3_25m" / "logs" / "w3_25m"


def made(path: Path, out: Path, **options: Any) -> tuple[dict[str, Any], str]:
    """Build and return summary.json and Summary.md."""
    folder = build(Request((str(path),), out=str(out), dashboard=False, **options)).folder
    return json.loads((folder / "summary.json").read_text()), (folder / "Summary.md").read_text()


def short(run: str, group: str) -> str:
    return run.removesuffix(".log").removeprefix(f"{group}_")


def assert_tables(summary: dict[str, Any], text: str, wanted: dict[str, list[dict[str, str]]], group: str) -> None:
    """The four tables of Summary.md and the numbers of summary.json equal the wanted cells."""
    found = tables(text)
    fixed = next(t for t in found if t[0][1].startswith("val loss @"))
    best = next(t for t in found if t[0][1:3] == ["best val loss", "best step"])
    ranking = next(t for t in found if t[0][0] == "rank")
    speed = next(t for t in found if t[0][1] == "steps/s")
    loss = next(k for k in wanted["fixed_step"][0] if k.startswith("val_loss_at"))
    assert [r[:2] for r in fixed[1:]] == [[r["run"], r[loss]] for r in wanted["fixed_step"]]
    assert [r[:4] for r in best[1:]] == [[r["run"], r["best_val_loss"], r["best_step"], r["last_val_loss"]] for r in wanted["best_vs_last"]]
    assert [[r[0], *r[2:]] for r in ranking[1:]] == [list(r.values()) for r in wanted["ranking"]]
    rates = {short(r["run"], group): [r["steps_per_sec"], r["sec_per_step"]] for r in wanted["throughput"]}
    assert {r[0]: r[1:3] for r in speed[1:]} == rates
    runs = {r["run"]: r for r in summary["runs"]}
    for row in wanted["best_vs_last"]:
        run = runs[row["run"]]
        assert (run["best"]["logged"], run["best"]["step"], run["last"]["logged"]) == (
            row["best_val_loss"],
            int(row["best_step"]),
            row["last_val_loss"],
        )
    for row in wanted["ranking"]:
        run = next(
            r for r in runs.values() if r["rank"] == int(row["rank"]) and r["parent"] is None and r["total_steps"] == summary["common_step"]
        )
        assert f"{run['best']['ppl']:.2f}" == row["ppl"]
        assert (run["model"], ",".join(run["flags"]), run["checkpoint"]) == (row["model"], row["flags"], row["checkpoint"])
    for row in wanted["throughput"]:
        assert f"{runs[short(row['run'], group)]['throughput']['steps_per_s']:.3f}" == row["steps_per_sec"]
    for row in wanted["fixed_step"]:
        assert f"{runs[row['run']]['at_common_step']['val_loss']:.4f}" == row[loss]


def wanted_of(group: Group, out: Path) -> dict[str, list[dict[str, str]]]:
    """Write a group and return its expected tables with string cells."""
    expected = write_group(out, group, Random(group.name))
    names = ("fixed_step", "best_vs_last", "ranking", "throughput")
    return {n: [dict(zip(getattr(expected, n)[0], map(str, row), strict=True)) for row in getattr(expected, n)[1:]] for n in names}


def test_the_shipped_sample_gives_the_published_tables(tmp_path: Path) -> None:
    summary, text = made(SAMPLE, tmp_path / "out")
    assert_tables(summary, text, wanted_of(W3_25M, tmp_path / "again"), "w3_25m")
    assert summary["common_step"] == 15000
    assert summary["baseline"]["run"] == "screen_vanilla_25m"


def test_the_published_tables_are_those_of_the_corpus(tmp_path: Path) -> None:
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not beside this checkout")
    wanted = {p.stem: list(csv.DictReader(p.read_text().splitlines())) for p in (CORPUS / "expected_w3_25m").glob("*.csv")}
    summary, text = made(SAMPLE, tmp_path / "out")
    assert_tables(summary, text, wanted, "w3_25m")


@pytest.mark.parametrize("seed", range(4))
def test_another_group_with_other_names_and_figures_gives_its_tables(tmp_path: Path, seed: int) -> None:
    group = random_group(Random(seed))
    wanted = wanted_of(group, tmp_path)
    summary, text = made(tmp_path / "logs" / group.name, tmp_path / "out")
    assert_tables(summary, text, wanted, group.name)
    assert summary["baseline"] is not None
    assert sum(r["continuation"] for r in summary["runs"]) <= 1


def test_runs_with_equal_recorded_configs_are_not_merged(tmp_path: Path) -> None:
    summary, _ = made(SAMPLE, tmp_path / "out")
    assert len([r for r in summary["runs"] if r["flags"] == ["rsqrt"]]) == 3
    assert summary["seed_groups"] == []
    assert any(f["kind"] == "equal_config" and "3 runs" in f["text"] for f in summary["findings"])


def test_the_continuation_stays_out_and_is_linked_to_its_parent(tmp_path: Path) -> None:
    summary, _ = made(SAMPLE, tmp_path / "out")
    [run] = [r for r in summary["runs"] if r["continuation"]]
    assert (run["parent"], run["rank"], run["at_common_step"]) == ("screen_ngt_mass_in_value", None, None)


def test_a_log_cut_short_changes_no_other_row(tmp_path: Path) -> None:
    group = tmp_path / "w3_25m"
    shutil.copytree(SAMPLE.parents[1], group)
    whole, _ = made(group / "logs" / "w3_25m", tmp_path / "whole")
    log = group / "logs" / "w3_25m" / "w3_25m_screen_ngt_no_radius.log"
    lines = log.read_text().splitlines(keepends=True)
    cut = next(i for i, line in enumerate(lines) if line.startswith("step 7000/"))
    log.write_text("".join(lines[: cut + 1]))
    summary, text = made(group / "logs" / "w3_25m", tmp_path / "cut")
    assert summary["common_step"] == 15000
    before = {r["run"]: r for r in whole["runs"] if r["run"] != "screen_ngt_no_radius"}
    assert {r["run"]: r for r in summary["runs"] if r["run"] != "screen_ngt_no_radius"} == before
    assert "incomplete 7,000/15,000" in text


def test_a_concatenated_log_gives_its_six_runs_alone_and_none_beside_the_logs(tmp_path: Path) -> None:
    alone, _ = made(SAMPLE.parent / "budget15k.out", tmp_path / "alone")
    assert len(alone["runs"]) == 6
    beside, _ = made(SAMPLE.parent, tmp_path / "beside")
    assert len(beside["runs"]) == 7
    assert any(f["kind"] == "repeated" and "budget15k.out" in f["text"] for f in beside["findings"])
    assert all(len(r["sources"]) > 1 for r in beside["runs"] if not r["continuation"])


def test_perplexity_needs_the_checkpoints_full_precision(tmp_path: Path) -> None:
    summary, _ = made(SAMPLE, tmp_path / "out")
    best = next(r["best"] for r in summary["runs"] if r["run"] == "screen_ngt_repulsion_interval_8")
    assert (best["logged"], f"{best['ppl']:.2f}") == ("4.7748", "118.48")
    bare = tmp_path / "bare"
    shutil.copytree(SAMPLE, bare)
    summary, _ = made(bare, tmp_path / "out2")
    best = next(r["best"] for r in summary["runs"] if "interval_8" in r["run"])
    assert f"{best['ppl']:.2f}" == "118.49"


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_input_gives_the_same_bytes(tmp_path: Path, threads: int) -> None:
    first = build(Request((str(SAMPLE),), out=str(tmp_path / "a"), dashboard=False)).folder
    elsewhere = tmp_path / "copy" / "of"
    shutil.copytree(SAMPLE.parents[1], elsewhere)
    second = build(Request((str(elsewhere / "logs" / "w3_25m"),), out=str(tmp_path / "b"), threads=threads, dashboard=False)).folder
    for name in ("Summary.md", "results.csv", "summary.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
