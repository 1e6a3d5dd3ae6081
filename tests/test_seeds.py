"""Groups of seeds and stage tables: who is a group, what is said of it, and the stages of a real project."""

from __future__ import annotations

import csv
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from ngt_report.build import Request, build
from ngt_report.errors import UsageError
from ngt_report.formatting import duration
from tests.markdown import tables

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
Write = Callable[[str, str], Path]
Row = dict[str, Any]


def log(write: Write, name: str, losses: list[float], config: str) -> None:
    rows = "".join(f"step {100 * i}/{100 * len(losses)} val_loss={v:.4f} elapsed={10 * i}.0s\n" for i, v in enumerate(losses, 1))
    write(f"logs/{name}.log", config + rows)


def made(tmp_path: Path, **options: Any) -> tuple[Row, str]:
    folder = build(Request((str(tmp_path / "logs"),), out=str(tmp_path / f"out{len(list(tmp_path.iterdir()))}"), **options)).folder
    return json.loads((folder / "summary.json").read_text()), (folder / "Summary.md").read_text()


def seeded(write: Write, label: str, losses: dict[int, float], more: str = "lr: 0.001\n", extra: str = "") -> None:
    for seed, loss in losses.items():
        log(write, f"{label}_s{seed}{extra}", [5.0, loss - 0.01, loss], f"seed: {seed}\ndataset: w\n{more}")


def test_a_group_has_n_mean_std_interval_and_range_at_the_common_step_and_at_best(write: Write, tmp_path: Path) -> None:
    losses = {1: 4.0, 2: 4.2, 3: 4.1}
    seeded(write, "base", losses)
    summary, text = made(tmp_path)
    [group] = summary["seed_groups"]
    values = list(losses.values())
    half = statistics.stdev(values) / 3**0.5 * stats.t.ppf(0.975, 2)
    assert (group["n"], group["seeds"], group["min_loss"], group["max_loss"]) == (3, [1, 2, 3], 4.0, 4.2)
    assert group["mean_loss"] == pytest.approx(4.1, abs=1e-12)
    assert group["std_loss"] == pytest.approx(statistics.stdev(values), rel=1e-12)
    assert group["ci95_loss"] == pytest.approx(half, rel=1e-12)
    assert (group["mean_best"], group["min_best"], group["max_best"]) == (pytest.approx(4.09), 3.99, 4.19)
    assert [c["step"] for c in group["curve"]] == [100, 200, 300]
    assert [c["mean_loss"] for c in group["curve"]] == pytest.approx([5.0, 4.09, 4.1])
    assert "| base | 3 | 1, 2, 3 | 4.1000 | 0.1000 | ±0.2484 | 4.0000 | 4.2000 | 30.0s |" in text
    assert "| base | 3 | 1, 2, 3 | 4.0900 | 0.1000 | ±0.2484 | 3.9900 | 4.1900 |" in text
    assert "| base | 5.0000 | 4.0900 | 4.1000 |" in text


def test_repeats_of_one_seed_are_averaged_and_no_group_by_themselves(write: Write, tmp_path: Path) -> None:
    seeded(write, "a", {1: 4.0, 2: 4.4})
    log(write, "again/a_s1", [5.0, 4.1, 4.2], "seed: 1\ndataset: w\nlr: 0.001\n")
    seeded(write, "b", {7: 4.0}, more="lr: 0.002\n")
    log(write, "again/b_s7", [5.0, 4.1, 4.3], "seed: 7\ndataset: w\nlr: 0.002\n")
    [group] = made(tmp_path)[0]["seed_groups"]
    assert (group["n"], len(group["runs"]), group["mean_loss"]) == (2, 3, pytest.approx((4.1 + 4.4) / 2))


def test_columns_are_what_varies_and_one_run_is_said_once_above(write: Write, tmp_path: Path) -> None:
    seeded(write, "r", {1: 4.0, 2: 4.1}, more="model: plain\nlr: 0.001\nn_layer: 6\n")
    seeded(write, "r", {3: 3.9, 4: 4.0}, more="model: head\nlr: 0.001\nn_layer: 6\n")
    seeded(write, "r", {5: 3.8}, more="model: head\nlr: 0.002\nn_layer: 6\n")
    _, text = made(tmp_path)
    section = text.partition("## Seeds")[2]
    [table] = [t for t in tables(section) if "n" in t[0] and "std" in t[0]][:1]
    assert table[0][:4] == ["model", "learning_rate", "n", "seeds"]
    assert [row[:3] for row in table[1:]] == [["head", "0.002", "1"], ["head", "0.001", "2"], ["plain", "0.001", "2"]]
    assert table[1][5:7] == ["-", "-"]
    assert section.count("n = 1 in 1 of 3 rows") == 1
    assert "2 groups of 2 runs and 1 single run (n = 1)" in text


def test_a_setting_that_is_empty_is_called_none_and_is_the_baseline(write: Write, tmp_path: Path) -> None:
    for label, flags in (("net", ""), ("net_mass", "mass")):
        for seed in (1, 2, 3):
            loss = 3.5 + seed / 1000 - (0.1 if flags else 0)
            said = {"seed": seed, "flags": flags, "lr": 0.1, "dataset": "w"}
            rows = [said | {"step": s, "val_loss": loss + (100 - s) / 100} for s in (50, 100)]
            write(f"logs/{label}_s{seed}.jsonl", "".join(json.dumps(r) + "\n" for r in rows))
    summary, text = made(tmp_path)
    stage = tables(text.partition("## Seeds")[2])[0]
    assert [row[0] for row in stage] == ["flags", "mass", "none"]
    assert "| mass (n = 3) | none (n = 3) | -0.1000 " in text
    assert "- Baseline of the groups of seeds: flags=none; single runs have none: name one with `--baseline RUN`" in text
    assert "No single run calls itself the baseline" not in text
    assert [g["name"] for g in summary["seed_groups"]] == ["net_mass", "net"]


def test_without_a_baseline_of_any_kind_the_report_asks_for_one(write: Write, tmp_path: Path) -> None:
    seeded(write, "base", {1: 4.0, 2: 4.2})
    seeded(write, "wide", {1: 4.1, 2: 4.15}, more="lr: 0.002\n")
    assert "- No single run calls itself the baseline; name one with `--baseline RUN`" in made(tmp_path)[1]
    assert "Baseline of the groups" not in made(tmp_path)[1]


def test_a_comparison_that_proves_nothing_is_a_line_of_the_headline(write: Write, tmp_path: Path) -> None:
    for label, losses in {"base": {1: 4.0, 2: 4.2}, "wide": {1: 4.1, 2: 4.15}}.items():
        seeded(write, label, losses, f"lr: 0.001\nwidth: {len(label)}{label[0]}\n")
    lines = made(tmp_path)[1].splitlines()
    at = next(i for i, line in enumerate(lines) if "not distinguishable with these runs" in line)
    assert lines[at].startswith("- ") and lines[at - 1].startswith("- ") and lines[at + 1 : at + 3] == ["", "## Before you compare"]


def test_group_by_and_except_make_groups_that_the_default_does_not(write: Write, tmp_path: Path) -> None:
    seeded(write, "x", {1: 4.0, 2: 4.1}, more="model: plain\ndropout: 0.2\nlr: 0.001\n")
    seeded(write, "x", {3: 4.2}, more="model: plain\ndropout: 0.5\nlr: 0.001\n")
    seeded(write, "y", {4: 4.4}, more="model: head\ndropout: 0.2\nlr: 0.001\n")
    assert [g["n"] for g in made(tmp_path)[0]["seed_groups"]] == [2]
    assert [g["n"] for g in made(tmp_path, except_keys=("dropout",))[0]["seed_groups"]] == [3]
    assert [g["n"] for g in made(tmp_path, group_by=("lr",))[0]["seed_groups"]] == [4]
    assert [g["n"] for g in made(tmp_path, group_by=("name",))[0]["seed_groups"]] == [3]
    with pytest.raises(UsageError, match="no run records 'dropot'; did you mean 'dropout'"):
        made(tmp_path, group_by=("dropot",))
    with pytest.raises(UsageError, match="exclude each other"):
        made(tmp_path, group_by=("lr",), except_keys=("model",))


def test_keys_can_be_declared_in_the_settings_file(write: Write, tmp_path: Path) -> None:
    seeded(write, "x", {1: 4.0}, more="model: plain\ndropout: 0.2\n")
    seeded(write, "x", {3: 4.2}, more="model: plain\ndropout: 0.5\n")
    write("logs/ngtreport.toml", 'except = ["dropout"]\n')
    assert [g["n"] for g in made(tmp_path)[0]["seed_groups"]] == [2]


def test_names_without_any_configuration_group_only_when_asked(write: Write, tmp_path: Path) -> None:
    for name, loss in (("wide-seed1", 4.0), ("wide-seed2", 4.1), ("deep-seed1", 3.9), ("deep-seed2", 3.8)):
        log(write, name, [5.0, loss], "")
    assert made(tmp_path)[0]["seed_groups"] == []
    groups = made(tmp_path, group_by=("name",))[0]["seed_groups"]
    assert [(g["name"], g["n"], g["mean_loss"]) for g in groups] == [
        ("deep", 2, pytest.approx(3.85)), ("wide", 2, pytest.approx(4.05)),
    ]  # fmt: skip


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not at hand")
def test_every_row_of_the_stage_tables_of_a_real_project(tmp_path: Path) -> None:
    folder = build(Request((str(CORPUS / "ese_gate"),), out=str(tmp_path / "out"), dashboard=False)).folder
    summary, text = json.loads((folder / "summary.json").read_text()), (folder / "Summary.md").read_text()
    expected = list(csv.DictReader((CORPUS / "expected_ese_stage_tables.csv").read_text().splitlines()))
    groups = {f"{g['mean_loss']:.10f}": g for g in summary["seed_groups"]}
    assert len(expected) == len(groups) == 17
    for row in expected:
        group = groups[f"{float(row['csv_mean_final_loss']):.10f}"]
        words = row["group"].split("|")
        assert group["n"] == int(row["n_runs"]) and group["settings"]["attn_gate"] == words[0]
        assert group["std_loss"] == pytest.approx(float(row["csv_std_n-1"]), abs=1e-9)
        assert duration(group["mean_train_time_s"]) == row["table_time"]
    seeds = text.partition("## Seeds")[2].partition("\n## ")[0]
    assert "| none | 0.0036 | 1 | 1337 | 3.2938 | - | - | 3.2938 | 3.2938 | 24m 36.9s |" in seeds
    assert seeds.count("mean time") == 4


def test_what_was_measured_at_the_end_keeps_no_seeds_apart(write: Write, tmp_path: Path) -> None:
    rows = "".join(f"plain,{seed},0.001,16,{2 + seed / 100},{2 + seed / 90},500,{2 + seed / 80}\n" for seed in (7, 19, 29))
    write("runs.csv", "model,seed,lr,batch_size,train_loss_last,train_loss_mean_last_10,step,val_loss\n" + rows)
    text = (build(Request((str(tmp_path / "runs.csv"),), out=str(tmp_path / "out"), dashboard=False)).folder / "Summary.md").read_text()
    assert "1 group of 3 runs" in text and "vary: seed\n" in text and "train_loss_last=" not in text
