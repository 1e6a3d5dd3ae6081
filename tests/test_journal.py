"""What a run leaves: its event log, its log for people, TensorBoard files and result rows tell one story, and ngtreport reads them."""

from __future__ import annotations

import csv
import io
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ngt_report.build import Request, build
from ngt_report.files import InputFile
from ngt_report.sources import keyvalue
from ngt_train import config as configuration
from ngt_train import humanlog, journal, provenance, results
from ngt_train.config import RunConfig
from ngt_train.errors import TrainError
from ngt_train.journal import Journal, Position
from tests.test_schema import problems

REFERENCE = "run_id date git_commit seed attn_gate gate_pos gate_act learning_rate batch_size device_batch_size sequence_length"
REFERENCE += " num_iterations warmdown_iters final_val_loss best_val_loss train_time_ms ms_per_step gpu_name n_gpus runpod_instance notes"


START = Position()


@dataclass(frozen=True, kw_only=True)
class Toy:
    """A variant's Config."""

    vocab_size: int = 256
    layers: int = 2
    hidden: int = 32
    heads: int = 2
    gate: str = "none"
    mass_in_value: bool = False
    rope: bool = True


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings(name: str = "vanilla", seed: int = 1, **sections: Any) -> RunConfig:
    common = {"train": {"steps": 100, "batch": 4}, "log": {"tensorboard": "runs"}}
    return configuration.from_dict({"name": name, "group": "toy", "seed": seed, **common, **sections})


def train(config: RunConfig, model: Toy, at: Position = START, until: int = 100, worse: float = 0.0) -> Journal:
    """Write a run's records from `at` to the step `until`."""
    book = Journal(config, model, at=at, resumed_from="checkpoints/toy/a.pt_last.pt" if at.step else "", params=1000, val_tokens=4096)
    for step in range(at.step + 10, until + 1, 10):
        loss = worse + 5 - step / 97
        book.train({"train/loss": loss - 0.1, "lr": 1e-3, "epoch": step / 50}, step, step * 2048, step / 3)
        book.eval({"val/loss": loss, "val/perplexity": math.exp(loss), "val/accuracy": 0.25}, step, step * 2048, step / 3)
        book.checkpoint("last", config.checkpoint_path("last"), step, size=10)
    return book


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def events(path: Path) -> Iterator[dict[str, Any]]:
    yield from map(json.loads, path.read_text().splitlines())


def test_a_run_and_its_resume_are_one_story_in_all_files(inside: Path) -> None:
    for name, seed, worse in (("vanilla_s1", 1, 0.0), ("vanilla_s2", 2, 0.01), ("gated_s1", 1, 0.1), ("gated_s2", 2, 0.12)):
        model = Toy(gate="elementwise" if name.startswith("gated") else "none")
        train(settings(name, seed), model, until=60, worse=worse).close()
        book = train(settings(name, seed), model, at=Position(40, 40 * 512, 40 / 3, 5 + worse - 40 / 97), worse=worse)
        book.eval({"test/loss": 4.5, "test/accuracy": 0.2}, 100, 51200, 100 / 3)
        book.finish()
    build(Request(("logs/toy",), out="out"))
    summary = json.loads(Path("out/summary.json").read_text())
    assert [(run["run"], run["status"], run["seed"], run["best"]["step"]) for run in summary["runs"]] == [
        ("gated_s1", "finished", 1, 100), ("gated_s2", "finished", 2, 100),
        ("vanilla_s1", "finished", 1, 100), ("vanilla_s2", "finished", 2, 100),
    ]  # fmt: skip
    assert {len(run["sources"]) for run in summary["runs"]} == {5}
    assert [finding for finding in summary["findings"] if finding["severity"] != "info"] == []
    text = Path("out/Summary.md").read_text()
    assert "2 groups of 2 runs" in text and "gate=elementwise" in text


def test_the_events_keep_the_contract_and_record_what_was_asked(inside: Path) -> None:
    train(settings(optim={"lr": 0.002}), Toy(mass_in_value=True, rope=False)).finish("diverged", "val/loss is NaN at step 100")
    told = list(events(Path("logs/toy/vanilla.jsonl")))
    assert [found for event in told if (found := problems(event))] == []
    start = told[0]
    assert (start["flags"], start["params"], start["total_steps"]) == (["mass_in_value", "no_rope"], 1000, 100)
    config = start["config"]
    assert (config["learning_rate"], config["batch_size"], config["sequence_length"], config["layers"]) == (0.002, 4, 512, 2)
    assert config["loss"] == {"kind": "cross_entropy"} and "lr" not in config["optim"]
    assert {"name", "seed", "group", "log", "checkpoint"}.isdisjoint(config)
    assert (told[-1]["status"], told[-1]["reason"]) == ("diverged", "val/loss is NaN at step 100")
    (row,) = table(Path("results/toy/results.csv"))
    assert row["notes"] == "diverged: val/loss is NaN at step 100"


# -- the log for people ---------------------------------------------------------------------------------------------------
def test_the_line_is_that_of_the_w3_25m_scripts() -> None:
    metrics = {"lr": 1e-4, "rep_loss": 0.10366, "val/loss": 6.91311, "train/loss": 6.79244}
    assert (
        humanlog.step_line(500, 15000, metrics, 624.82) == "step 500/15000 train_loss=6.7924 val_loss=6.9131 rep_loss=0.1037 elapsed=624.8s"
    )
    assert humanlog.step_line(0, 10, {"val/loss": None}, 0.0) == "step 0/10 val_loss=nan elapsed=0.0s"


def test_the_log_for_people_is_read_back(inside: Path) -> None:
    train(settings(log={}), Toy(), until=60).close()
    train(settings(log={}), Toy(), at=Position(40, 0, 40 / 3)).finish()
    path = Path("logs/toy/vanilla.log")
    lines = path.read_text().splitlines()
    assert lines[0] == "Model: vanilla  hidden_dim=32 num_layers=2 num_heads=2  flags: (none)"
    assert lines[1:3] == [
        "step 10/100 train_loss=4.7969 val_loss=4.8969 elapsed=3.3s",
        "saved checkpoint to checkpoints/toy/vanilla.pt_last.pt",
    ]
    assert "Resuming from checkpoints/toy/a.pt_last.pt (iter=40)" in lines
    reading = keyvalue.read(InputFile(str(path), path.name, path.stat().st_size, 0))
    assert reading.lines_used >= 12 and not reading.bad
    assert any(f.key == "resumed_from" and f.value == {"path": "checkpoints/toy/a.pt_last.pt", "step": 40} for f in reading.facts)


def test_a_torn_line_of_the_log_for_people_is_ended_first(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("step 10/100 train_lo")
    log = humanlog.HumanLog(tmp_path / "a.log")
    log.write("two\nlines")
    log.close()
    assert (tmp_path / "a.log").read_text() == "step 10/100 train_lo\ntwo lines\n"


# -- results ---------------------------------------------------------------------------------------------------------------
def test_a_results_row_has_the_columns_of_the_gated_experiments(inside: Path) -> None:
    assert list(results.COLUMNS) == REFERENCE.split()
    sections = {"schedule": {"kind": "trapezoid", "warmdown": 30}, "train": {"steps": 100, "accumulation": 8}}
    config = settings("gated", 1337, optim={"lr": 0.00468}, **sections)
    train(config, Toy(gate="headwise")).finish()
    (row,) = table(Path("results/toy/results.csv"))
    assert (row["run_id"], row["seed"], row["attn_gate"], row["learning_rate"]) == ("gated", "1337", "headwise", "0.00468")
    assert (row["batch_size"], row["device_batch_size"], row["warmdown_iters"]) == ("128", "16", "30")
    assert float(row["final_val_loss"]) == float(row["best_val_loss"]) == 5 - 100 / 97
    assert float(row["ms_per_step"]) == pytest.approx(1000 / 3)


def test_a_run_that_ends_again_replaces_its_row(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    for run, loss in (("a", 3.0), ("b", 2.0), ("a", 1.0)):
        results.write_row(path, dict.fromkeys(results.COLUMNS) | {"run_id": run, "final_val_loss": loss, "notes": "=1+1\nnext"})
    rows = table(path)
    assert [(row["run_id"], row["final_val_loss"], row["notes"]) for row in rows] == [
        ("b", "2.0", "'=1+1 next"),
        ("a", "1.0", "'=1+1 next"),
    ]


def test_processes_write_rows_at_once_and_none_is_lost(tmp_path: Path) -> None:
    code = "import sys\nfrom pathlib import Path\nfrom ngt_train import results\nempty = dict.fromkeys(results.COLUMNS)\n"
    code += "for i in range(10): results.write_row(Path(sys.argv[1]), empty | {'run_id': sys.argv[2] + str(i)})"
    path = tmp_path / "results.csv"
    top = Path(__file__).parents[1]
    processes = [subprocess.Popen([sys.executable, "-c", code, str(path), name], cwd=top) for name in "abc"]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert sorted(row["run_id"] for row in table(path)) == [f"{name}{i}" for name in "abc" for i in range(10)]


def test_a_table_of_other_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text("run,loss\na,3\n")
    with pytest.raises(TrainError, match=r"results.csv has other columns than a table of ngttrain; move it, or set log.results"):
        results.write_row(tmp_path / "results.csv", dict.fromkeys(results.COLUMNS))
    assert (tmp_path / "results.csv").read_text() == "run,loss\na,3\n"


def test_a_mixed_run_leaves_metrics_json_and_its_section(inside: Path) -> None:
    config = settings("mixed", loss={"kind": "mixed", "alpha": 0.5, "topk": 256})
    book = train(config, Toy())
    book.eval({"val/loss": 3.9, "val/objective": 2.1, "val/perplexity": 49.4, "val/accuracy": 0.33, "val/eval_s": 9.7}, 100, 51200, 33.0)
    book.eval({"test/loss": 4.1, "test/objective": 2.2, "test/perplexity": float("inf"), "test/accuracy": 0.29}, 100, 51200, 33.0)
    book.finish(extra={"semantic": {"cosine_mean": 0.46}})
    told = json.loads(Path("results/toy/mixed/metrics.json").read_text())
    assert told["eval"] == {
        "eval_loss": 2.1, "eval_ce_loss": 3.9, "eval_perplexity": 49.4, "eval_token_acc": 0.33, "eval_runtime": 9.7, "epoch": 2.0,
    }  # fmt: skip
    assert told["test"]["eval_perplexity"] is None and told["semantic"] == {"cosine_mean": 0.46}
    assert (told["args"]["alpha"], told["args"]["cos_topk"], told["train"]["train_steps_per_second"]) == (0.5, 256, pytest.approx(100 / 33))
    text = Path("results/toy/results.md").read_text()
    assert text.startswith("# Results\n\n## Run: results/toy/mixed\n- Model: vanilla\n")
    assert "| Alpha: 0.5 | Temp: 1.0 | TopK: 256\n- Train steps: 100 | Epochs: 2.0 | LR: 0.0003 | BS train/eval: 4/16\n" in text
    build(Request(("logs/toy",), out="out"))
    (run,) = json.loads(Path("out/summary.json").read_text())["runs"]
    assert (run["run"], run["last"]["val_loss"]) == ("mixed", 3.9)


@pytest.mark.parametrize(("world", "accumulation", "seconds"), [(1, 1, 10.0), (3, 2, 4.0), (2, 5, 0.0)])
def test_a_document_counts_the_sequences_of_all_processes(world: int, accumulation: int, seconds: float) -> None:
    config = settings("mixed", train={"steps": 100, "batch": 4, "accumulation": accumulation, "precision": "float16"})
    latest = {"val/loss": 4.0, "train/loss": 3.0, "train/objective": 2.0}
    told = results.metrics_document(config, results.Outcome("finished", None, 50, seconds, world, latest=latest))
    speed = {"train_samples_per_second": 50 * 4 * accumulation * world / seconds, "train_steps_per_second": 50 / seconds} if seconds else {}
    assert told["train"] == {"train_runtime": seconds, "train_loss": 2.0, **speed}
    assert told["eval"] == {"eval_loss": 4.0, "eval_ce_loss": 4.0} and told["args"]["fp16"]
    assert "test" not in told and "Test metrics" not in results.section(told)
    assert "- Test metrics: " in results.section(
        results.metrics_document(config, results.Outcome("finished", None, 1, 1, latest={"test/loss": 4}))
    )


@pytest.mark.parametrize("world", [1, 4])
def test_a_row_counts_the_batch_of_all_processes_and_divides_the_time_by_the_steps(world: int) -> None:
    config = settings(train={"steps": 100, "batch": 4, "accumulation": 2})
    row = results.row(config, {"gate": "none"}, results.Outcome("stopped early", "SIGTERM", 40, 8.0, world))
    assert (row["batch_size"], row["device_batch_size"], row["ms_per_step"], row["train_time_ms"]) == (8 * world, 4, 200.0, 8000.0)
    assert row["notes"] == "stopped early: SIGTERM"
    assert results.row(config, {}, results.Outcome("crashed", None, 0, 1.0))["ms_per_step"] is None


def test_a_section_is_replaced_and_what_people_wrote_stays(tmp_path: Path) -> None:
    path = tmp_path / "results.md"
    results.write_section(path, "## Run: a\n- old\n")
    with path.open("a") as f:
        f.write("\n## What I think\n- a is bad\n")
    results.write_section(path, "## Run: b\n- b\n")
    results.write_section(path, "## Run: a\n- new\n")
    assert path.read_text() == "# Results\n\n## What I think\n- a is bad\n\n## Run: b\n- b\n\n## Run: a\n- new\n"


# -- where it comes from -----------------------------------------------------------------------------------------------------
def test_the_commit_and_what_was_changed_on_it(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        told = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(tmp_path), *told, *arguments], check=True, capture_output=True)

    assert provenance.git_state(tmp_path) == (None, None)
    git("init", "-q")
    (tmp_path / "code").mkdir()
    (tmp_path / "code/a.py").write_text("1\n")
    assert provenance.git_state(tmp_path / "code") == (None, None)
    git("add", "."), git("commit", "-qm", "first")
    commit, clean = provenance.git_state(tmp_path / "code")
    assert commit is not None and len(commit) == 40 and clean is None
    seen = set()
    for name in ("code/a.py", "code/new.py"):
        (tmp_path / name).write_text("2\n")
        seen.add(provenance.git_state(tmp_path / "code"))
    assert len(seen) == 2 and all(was == commit and change and change.startswith("sha256:") for was, change in seen)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/b.py").write_text("1\n")
    assert provenance.git_state(tmp_path / "elsewhere") == (None, None)


def test_hardware_is_count_and_name_of_devices_or_the_processor() -> None:
    assert provenance.hardware("cpu", 2) == provenance.hardware("cpu") and provenance.hardware("cpu").endswith("cores)")
    assert provenance.hardware("mps") == "1x mps"
    assert {"python", "ngttrain"} <= provenance.versions().keys()


def test_other_ranks_write_nothing(inside: Path) -> None:
    book = journal.Silent()
    book.train({"train/loss": 1.0}, 1, 1, 1.0)
    book.finish()
    assert list(inside.iterdir()) == []
