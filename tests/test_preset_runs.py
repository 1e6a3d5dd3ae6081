"""Presets train: one of each kind at tiny scale for a few steps on a small text, and ngtreport makes the tables of their group."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from ngt_report.build import Request, build
from ngt_train import config as configuration
from ngt_train import presets
from ngt_train.config import RunConfig

pytest.importorskip("torch")
STEPS = 4
KINDS = {
    "w3_25m": ("vanilla_25m", "ngt_default", "ngt_mass_in_value", "ngt_no_radius", "ngt_no_repulsion"),
    "mixed_loss": ("baseline_wt2_small", "mixed_wt2_small_a05", "mixed_wt2_longer_a025_t07"),
    "ngpt_alpha": ("alpha_0.05", "alpha_0.35"),
    "ngpt_optimization": ("baseline", "lazy_proj_5_scalar"),
    "gated_stage1": ("none_s1337", "none_s1338", "const_s1337", "headwise_ns_sigmoid_s1337", "elementwise_s1337", "elementwise_s1338"),
}


def small(name: str) -> RunConfig:
    """The preset at tiny scale for four steps on a text of our own."""
    run = presets.scaled(presets.load(name), "tiny")
    changes = ["data.dataset=text", "data.folder=data/small", "train.threads=1", f"train.steps={STEPS}", "eval.tokens=256", "eval.batch=4"]
    changes += ["schedule.warmup=0", "schedule.warmdown=0", "schedule.kind=constant", "train.batch=2", "log.interval=1"]
    changes += [] if run.eval.interval == 0 else ["eval.interval=2"]
    return configuration.override(run, [*changes, 'data.options={path = "text.txt", val = 0.2, test = 0.2}'])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which one run of each kind was trained."""
    from ngt_train import train

    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        text = "".join(f"def f{i}(x):\n    return x * {i} + {i * i}\n" for i in range(400))
        Path("text.txt").write_text(text)
        for group, names in KINDS.items():
            for name in names:
                assert train.run(small(f"{group}/{name}"), bar=False).status == "finished"
    return folder


def report(trained: Path, group: str, monkeypatch: pytest.MonkeyPatch, **options: Any) -> tuple[dict[str, Any], str]:
    """summary.json and Summary.md of a group, built without a word of configuration."""
    monkeypatch.chdir(trained)
    build(Request((f"logs/{group}",), out=f"out/{group}", **options))
    return json.loads(Path(f"out/{group}/summary.json").read_text()), Path(f"out/{group}/Summary.md").read_text()


@pytest.mark.parametrize("group", KINDS)
def test_a_group_is_reported_without_contradiction(trained: Path, group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    summary, _ = report(trained, group, monkeypatch)
    assert {run["run"]: (run["status"], run["last"]["step"]) for run in summary["runs"]} == dict.fromkeys(KINDS[group], ("finished", STEPS))
    assert summary["common_step"] == STEPS
    assert [f["text"] for f in summary["findings"] if f["severity"] == "error"] == []
    rows = list(csv.DictReader((trained / f"results/{group}/results.csv").read_text().splitlines()))
    assert [row["run_id"] for row in rows] == list(KINDS[group])
    finals = {run["run"]: run["last"]["val_loss"] for run in summary["runs"]}
    assert {row["run_id"]: float(row["final_val_loss"]) for row in rows} == pytest.approx(finals, rel=1e-6)


def test_the_screening_has_its_four_tables(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, text = report(trained, "w3_25m", monkeypatch)
    heads = (
        "## Fixed-step comparison (@4)",
        "## Best vs last",
        "## Full ranking",
        "## Throughput\n\nOver the common horizon, step 2 to 4.",
    )
    assert [head for head in heads if head not in text] == []
    assert "| vanilla_25m | vanilla | " in text and "checkpoints/w3_25m/vanilla_25m.pt_best.pt" in text


def test_the_mixed_loss_study_has_cross_entropy_and_accuracy_on_both_splits(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary, text = report(trained, "mixed_loss", monkeypatch)
    assert summary["baseline"] == {"run": "baseline_wt2_small", "why": "its name says baseline"}  # all models are vanilla at this scale
    deltas = text.partition("## Difference to the baseline on validation and test")[2].partition("\n## ")[0]
    head = (
        "| run | baseline | delta_val_loss | delta_val_ppl | delta_val_accuracy | delta_test_loss | delta_test_ppl | delta_test_accuracy |"
    )
    assert head in deltas and deltas.count("| baseline_wt2_small |") == 2
    header = next(line for line in text.splitlines() if line.startswith("| run |") and "test/loss" in line)
    assert {"val/objective", "val/accuracy", "test/loss", "test/accuracy", "test/perplexity"} <= {
        cell.strip() for cell in header.split("|")
    }
    document = json.loads((trained / "results/mixed_loss/mixed_wt2_small_a05/metrics.json").read_text())
    assert document["eval"]["eval_loss"] < document["eval"]["eval_ce_loss"] and document["args"]["alpha"] == 0.5
    assert (trained / "results/mixed_loss/results.md").read_text().count("\n## Run: ") == 3


def test_a_sweep_of_alpha_is_ranked(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, text = report(trained, "ngpt_alpha", monkeypatch)
    ranking = text.partition("## Full ranking")[2]
    assert "| 1 | alpha_0." in ranking and "| 2 | alpha_0." in ranking and "alpha=0.05" in ranking


def test_a_stage_is_tabled_by_seed(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, text = report(trained, "gated_stage1", monkeypatch)
    seeds = text.partition("## Seeds")[2].partition("\n## ")[0]
    assert "| 2 | 1337, 1338 |" in seeds and seeds.count("1337, 1338") >= 2
    rows = csv.DictReader((trained / "results/gated_stage1/results.csv").read_text().splitlines())
    assert {row["run_id"]: (row["attn_gate"], row["gate_act"]) for row in rows}["headwise_ns_sigmoid_s1337"] == ("headwise", "ns_sigmoid")


def test_the_demo_compares_ngt_with_vanilla_at_a_common_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ngt_train import train

    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("".join(f"line {i} of a text\n" for i in range(2000)))
    for name in ("vanilla", "ngt_mass_in_value"):
        run = presets.load(f"demo/{name}")
        changes = ["data.dataset=text", "data.folder=data/small", 'data.options={path = "text.txt"}', "train.threads=1"]
        changes += ["train.steps=4", "schedule.warmup=1", "eval.interval=2", "eval.tokens=256", "log.interval=2"]
        train.run(configuration.override(run, changes), bar=False)
    summary, text = report(tmp_path, "demo", monkeypatch)
    assert (summary["common_step"], summary["baseline"]["run"]) == (4, "vanilla")
    headline = text.partition("## Headline")[2].partition("\n## ")[0]
    assert "2 runs compared at step 4" in headline and "ngt_mass_in_value" in headline
    kinds = [json.loads(line)["kind"] for line in Path("logs/demo/ngt_mass_in_value.jsonl").read_text().splitlines()]
    assert kinds.count("coords") >= 2
