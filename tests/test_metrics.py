"""Definitions by example: small logs, and what best, common step, clocks, throughput and targets must be for them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ngt_report.build import Request, build
from ngt_report.kinds import kinds_of
from ngt_report.store import Store


def lines(*rows: str) -> str:
    return "".join(row + "\n" for row in rows)


def summary(path: Path, out: Path, **options: Any) -> dict[str, Any]:
    folder = build(Request((str(path),), out=str(out), dashboard=False, **options)).folder
    found: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return found


def one(path: Path, tmp_path: Path) -> dict[str, Any]:
    [run] = summary(path, tmp_path / "out")["runs"]
    return dict(run)


def test_best_is_the_first_step_of_the_lowest_loss(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(lines("step 1/4 val_loss=4.0", "step 2/4 val_loss=3.5", "step 3/4 val_loss=3.5", "step 4/4 val_loss=3.6"))
    run = one(log, tmp_path)
    assert (run["best"]["step"], run["best"]["val_loss"], run["last"]["step"], run["last"]["val_loss"]) == (2, 3.5, 4, 3.6)


def test_points_beyond_a_restart_are_superseded(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(
        lines(
            "step 100/400 val_loss=5.0 elapsed=10.0s",
            "step 200/400 val_loss=4.0 elapsed=20.0s",
            "step 300/400 val_loss=1.0 elapsed=30.0s",  # lost with the crash
            "Resuming from ckpt/a.pt_last.pt (step=200)",
            "step 300/400 val_loss=3.9 elapsed=10.0s",
            "step 400/400 val_loss=3.8 elapsed=20.0s",
        )
    )
    run = one(log, tmp_path)
    assert (run["best"]["val_loss"], run["best"]["step"], run["n_val_points"]) == (3.8, 400, 4)
    assert run["train_time_s"] == 40.0  # 20 s up to step 200, and the new clock on top
    assert run["throughput"]["steps_per_s"] == pytest.approx(300 / 30)


def noise(logs: Path, out: Path) -> tuple[float, int]:
    """Standard deviation of late evaluations, and of how many runs it is."""
    build(Request((str(logs),), out=str(out), dashboard=False))
    store = Store(str(out / "report.duckdb"), read_only=True)
    try:
        [(std, runs)] = store.run("SELECT std, samples FROM spread WHERE source = 'late evaluations'")
    finally:
        store.close()
    return std, runs


def test_the_noise_of_a_run_that_diverged_says_nothing_of_the_others(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    for name, rise in (("a", 0.01), ("b", 0.02), ("c", 0.03)):
        (logs / f"{name}.log").write_text(lines(*(f"step {i}/12 val_loss={5 - 0.1 * i + rise * (i % 2):.4f}" for i in range(1, 13))))
    calm = noise(logs, tmp_path / "calm")
    assert calm[1] == 3
    (logs / "wild.log").write_text(lines(*(f"step {i}/12 val_loss={5 + 3 * (i % 2)}.0000" for i in range(1, 13))))
    assert noise(logs, tmp_path / "wild") == calm


def test_a_step_back_to_the_start_is_another_run(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    once = ["step 100/200 val_loss=5.0", "step 200/200 val_loss=4.0"]
    log.write_text(lines(*once, "step 100/200 val_loss=5.5", "step 200/200 val_loss=4.5"))
    runs = summary(log, tmp_path / "out")["runs"]
    assert [(r["id"], r["best"]["val_loss"]) for r in runs] == [("a#1", 4.0), ("a#2", 4.5)]


def test_a_warm_up_reset_drops_readings_and_starts_no_segment(tmp_path: Path) -> None:
    log = tmp_path / "a.txt"
    log.write_text(
        lines(
            "step:0/20 val_loss:10.0 train_time:100ms step_avg:nanms",
            "step:1/20 train_time:60000ms step_avg:nanms",
            "step:11/20 train_time:100ms step_avg:100.00ms",
            "step:15/20 val_loss:5.0 train_time:500ms step_avg:100.00ms",
            "step:20/20 val_loss:4.0 train_time:1000ms step_avg:100.00ms",
        )
    )
    run = one(log, tmp_path)
    assert (run["train_time_s"], run["n_val_points"], run["best"]["val_loss"]) == (1.0, 3, 4.0)
    assert run["throughput"] == {"from_step": 15, "to_step": 20, "steps_per_s": pytest.approx(10.0), "s_per_step": pytest.approx(0.1)}


def three(tmp_path: Path) -> Path:
    """A baseline and two variants: one slower, one that stops at 200 of 400."""
    logs = tmp_path / "logs"
    logs.mkdir()
    for name, losses, seconds in (("vanilla", (5.0, 4.0, 3.6, 3.5), 10), ("slow", (5.0, 4.2, 3.9, 3.7), 20), ("cut", (4.9, 4.1), 10)):
        rows = [f"step {100 * i}/400 val_loss={v:.4f} elapsed={seconds * i}.0s" for i, v in enumerate(losses, 1)]
        (logs / f"{name}.log").write_text(lines(*rows))
    return logs


def test_the_common_step_is_that_of_the_finished_runs(tmp_path: Path) -> None:
    found = summary(three(tmp_path), tmp_path / "out")
    runs = {r["run"]: r for r in found["runs"]}
    assert (found["common_step"], found["baseline"]["run"]) == (400, "vanilla")
    assert runs["cut"]["excluded"] == "incomplete 200/400"
    assert runs["slow"]["at_common_step"]["delta_loss"] == pytest.approx(0.2)
    assert runs["slow"]["at_common_step"]["delta_ppl"] == pytest.approx(2.718281828**0.2 - 1)


def test_another_step_can_be_asked_for(tmp_path: Path) -> None:
    found = summary(three(tmp_path), tmp_path / "out", step=200)
    losses = {r["run"]: r["at_common_step"] and r["at_common_step"]["val_loss"] for r in found["runs"]}
    assert losses == {"vanilla": 4.0, "slow": 4.2, "cut": None}


def test_loss_at_equal_time_is_linear_between_evaluations(tmp_path: Path) -> None:
    text = (build(Request((str(three(tmp_path)),), out=str(tmp_path / "out"), dashboard=False)).folder / "Summary.md").read_text()
    assert "At equal training time, 40.0s" in text
    assert "| slow | 4.2000 | 200 | unfinished |" in text


def test_time_to_target_is_linear_and_not_reached_is_said(tmp_path: Path) -> None:
    folder = build(Request((str(three(tmp_path)),), out=str(tmp_path / "out"), target=3.55, dashboard=False)).folder
    text = (folder / "Summary.md").read_text()
    assert "| 3.5500 | vanilla | 350 | 35.0s |" in text and "evaluations: 3.5500 (as asked)." in text
    assert "| 3.5500 | slow | not reached | - |" in text
    text = (
        build(Request((str(tmp_path / "logs"),), out=str(tmp_path / "out"), target=1.0, dashboard=False)).folder / "Summary.md"
    ).read_text()
    assert "Target 1.0000: not reached by any of the 2 runs." in text


def test_overhead_and_the_front_of_loss_and_throughput(tmp_path: Path) -> None:
    logs = three(tmp_path)
    rows = [f"step {100 * i}/400 val_loss={v:.4f} elapsed={15 * i}.0s" for i, v in enumerate((5.0, 4.2, 3.8, 3.4), 1)]
    (logs / "better.log").write_text(lines(*rows))
    text = (build(Request((str(logs),), out=str(tmp_path / "out"), dashboard=False)).folder / "Summary.md").read_text()
    assert "| slow | 5.000 | 0.20 | 1m 20.0s | 2.0x | +100.0% |" in text and "| vanilla | 10.000 | 0.10 | 40.0s | 1.0x | - |" in text
    assert "No run beats these in both loss and throughput: better (3.4000 at 6.667 steps/s), vanilla (3.5000 at 10.000 steps/s)." in text


def test_tokens_come_from_the_log_else_from_batch_and_length(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    curve = [f"step {100 * i}/400 val_loss={v:.4f} elapsed={10 * i}.0s" for i, v in enumerate((5.0, 4.0, 3.6, 3.5), 1)]
    (logs / "vanilla.log").write_text(lines("batch_size: 8", "seq_len: 64", *curve))
    (logs / "big.log").write_text(lines("batch_size: 16", "seq_len: 64", *curve))
    folder = build(Request((str(logs),), out=str(tmp_path / "out"), target=3.8, dashboard=False)).folder
    text = (folder / "Summary.md").read_text()
    assert "At equal tokens, 204,800" in text and "| big | 4.0000 | 200 | unfinished |" in text
    assert "| 3.8000 | vanilla | 250 | 25.0s | 128,000 |" in text


def test_bits_per_byte_where_the_bytes_per_token_are_declared(tmp_path: Path) -> None:
    logs = three(tmp_path)
    (logs / "ngtreport.toml").write_text("[declared]\nbytes_per_token = 4.0\n")
    text = (build(Request((str(logs),), out=str(tmp_path / "out"), dashboard=False)).folder / "Summary.md").read_text()
    assert "| vanilla | 3.5000 | 33.12 | 1.2624 | baseline | - |" in text


def test_losses_of_other_tokenizers_are_no_silent_ranking(tmp_path: Path) -> None:
    logs = three(tmp_path)
    (logs / "ngtreport.toml").write_text('[declared.vanilla]\ntokenizer = "gpt2"\n[declared.slow]\ntokenizer = "llama"\n')
    text = (build(Request((str(logs),), out=str(tmp_path / "out"), dashboard=False)).folder / "Summary.md").read_text()
    assert "**Not one ranking**: these losses measure different things; each kind has its own places." in text
    assert "not comparable: slow" in text
    assert "Best overall" not in text
    assert "- Best of tokenizer llama: slow, val loss" in text
    assert re.search(r"\| 1 \| slow .*\| tokenizer llama \|", text)
    assert re.search(r"(?m)^\| slow \| [\d.]+ \| [\d.]+ \| - \| - \| tokenizer llama \|$", text)
    assert "At equal training time" not in text


def test_a_run_that_records_less_is_of_the_only_kind_that_it_may_be_of_or_of_none() -> None:
    said = {"a": {"vocab_size": 256}, "b": {"vocab_size": 8192}, "c": {"vocab_size": 8192, "dataset": "w"}, "d": {}, "e": {"dataset": "w"}}
    kinds = kinds_of(said)
    assert kinds["c"] == kinds["b"] == "vocabulary size 8192"
    assert kinds["a"] == "vocabulary size 256"
    assert kinds["d"] == kinds["e"] == "vocabulary size not recorded"
    told = {"a": {"vocab_size": 256, "dataset": "v"}, "b": {"vocab_size": 8192, "dataset": "w"}, "c": {"dataset": "w"}}
    assert kinds_of(told)["c"] == kinds_of(told)["b"]
    assert set(kinds_of({"a": {"vocab_size": 256}, "b": {}}).values()) == {""}


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("val_bpb", "validated as val/bpb only, not in nats per token"),
        ("val_bits_per_byte", "validated as val/bpb only, not in nats per token"),
        ("bpb", "validated as val/bpb only, not in nats per token"),
        ("val_loss_bits", "validated as val/bits_per_token only, not in nats per token"),
        ("eval_bpc", "validated as val/bits_per_char only, not in nats per token"),
    ],
)
def test_a_loss_in_bits_is_never_ranked(tmp_path: Path, key: str, why: str) -> None:
    logs = three(tmp_path)
    (logs / "bits.log").write_text(lines(*(f"step {100 * i}/400 train_loss=1.0 {key}=1.{9 - i}" for i in range(1, 5))))
    found = summary(logs, tmp_path / "out")
    assert next(r["excluded"] for r in found["runs"] if r["run"] == "bits") == why
    assert f"| bits | {why} |" in (tmp_path / "out" / "Summary.md").read_text()
    assert all("bits" not in c["ranking"] for c in found["comparisons"])


def test_a_declared_unit_takes_a_run_out_of_the_ranking(tmp_path: Path) -> None:
    logs = three(tmp_path)
    (logs / "slow.log").write_text("loss_unit: bits\n" + (logs / "slow.log").read_text())
    run = next(r for r in summary(logs, tmp_path / "out")["runs"] if r["run"] == "slow")
    assert (run["rank"], run["excluded"]) == (None, "its loss is in bits, not in nats per token")


def test_runs_in_bits_alone_are_not_called_trained_only(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(lines("step 1/2 train_loss=3.0 val_bpb=1.5", "step 2/2 train_loss=2.9 val_bpb=1.4"))
    text = (build(Request((str(tmp_path / "a.log"),), out=str(tmp_path / "out"), dashboard=False)).folder / "Summary.md").read_text()
    assert "No ranking: these runs are validated in bits, not in nats per token." in text
    assert "| a | 1.4" in text


def test_runs_of_different_totals_are_never_in_one_table(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    for name, total in (("a", 200), ("b", 200), ("c", 300), ("d", 300)):
        rows = [f"step {s}/{total} val_loss={6 - s / 100:.4f}{ord(name)}" for s in range(100, total + 1, 100)]
        (logs / f"{name}.log").write_text(lines(*rows))
    found = summary(logs, tmp_path / "out")
    assert [(c["total_steps"], sorted(c["fixed_step"])) for c in found["comparisons"]] == [(200, ["a", "b"]), (300, ["c", "d"])]


def test_a_later_file_that_goes_on_is_a_continuation_even_without_saying_so(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "wide_net.log").write_text(lines(*(f"step {s}/1000 val_loss={6 - s / 500:.4f}" for s in range(100, 1001, 100))))
    (logs / "long_wide_net_more.log").write_text(lines(*(f"step {s}/2000 val_loss={4 - s / 5000:.4f}" for s in range(1100, 2001, 100))))
    runs = {r["run"]: r for r in summary(logs, tmp_path / "out")["runs"]}
    assert (runs["long_wide_net_more"]["continuation"], runs["long_wide_net_more"]["parent"]) == (True, "wide_net")


def test_equal_results_rows_refine_what_the_log_rounds(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "net.log").write_text(lines("step 100/200 val_loss=5.0000", "step 200/200 val_loss=4.1235"))
    (tmp_path / "logs" / "results.csv").write_text("run,seed,best_val_loss,steps\nnet,1,4.123456,200\n")
    [run] = summary(tmp_path / "logs", tmp_path / "out")["runs"]
    assert (run["best"]["val_loss"], run["best"]["logged"], run["best"]["line"]) == (4.123456, "4.1235", 2)
    assert run["best"]["refined_by"] == "results.csv:2"


def test_a_row_that_contradicts_the_log_stays_apart_with_a_finding(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "net.log").write_text(lines("step 100/200 val_loss=5.0000", "step 200/200 val_loss=4.1235"))
    (tmp_path / "logs" / "results.csv").write_text("run,seed,best_val_loss,steps\nnet,1,3.9,200\n")
    found = summary(tmp_path / "logs", tmp_path / "out")
    assert len(found["runs"]) == 2
    assert [f["text"] for f in found["findings"] if f["severity"] == "error"] == [
        "results.csv names run net but gives best validation loss 3.9 where the run has 4.1235; they are kept apart"
    ]


def test_the_golden_event_log_gives_its_stated_answers(tmp_path: Path) -> None:
    run = one(Path(__file__).parent / "data" / "events" / "golden.jsonl", tmp_path)
    assert (run["best"]["val_loss"], run["best"]["step"]) == (3.420502, 400)
    assert (run["last"]["val_loss"], run["last"]["step"]) == (3.442202, 600)
    kinds = {f["kind"] for f in summary(Path(__file__).parent / "data" / "events" / "golden.jsonl", tmp_path / "again")["findings"]}
    assert "not_finite" in kinds
