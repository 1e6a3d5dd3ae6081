"""Settings in files beside a log, and which runs are seeds of one configuration by them and by their names."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ngt_report.build import Request, build
from ngt_report.labels import telling
from ngt_report.store import Store

Write = Callable[[str, str], Path]

WANDB = """_wandb:
  value:
    t:
      "1":
      - 1
lr:
  value: 0.1
optimizer:
  value:
    name: {}
seed:
  value: {}
"""


def curve(i: int) -> str:
    """A curve of its own for each run: equal ones are one run."""
    return "".join(f"step {s}/300 val_loss={5 - s / 1000 - i / 100:.4f}\n" for s in (100, 200, 300))


def groups(tmp_path: Path) -> list[list[str]]:
    """The ids of the runs of each group of seeds."""
    folder = build(Request((str(tmp_path / "logs"),), out=str(tmp_path / "out"), dashboard=False)).folder
    store = Store(str(folder / "report.duckdb"), read_only=True)
    rows = store.run("SELECT list(run ORDER BY run) FROM runs WHERE seed_group IS NOT NULL GROUP BY seed_group ORDER BY ALL")
    store.close()
    return [runs for (runs,) in rows]


def test_hydras_hidden_configuration_is_that_of_the_run_above_it(write: Write, tmp_path: Path) -> None:
    for i, (act, seed) in enumerate((("gelu", 1), ("gelu", 2), ("silu", 1))):
        here = f"logs/2026-01-01/10-00-0{i}"
        write(f"{here}/.hydra/config.yaml", f"model:\n  n_layer: 8\n  act: {act}\noptim:\n  lr: 0.1\nbatch_size: 4\nseed: {seed}\n")
        write(f"{here}/.hydra/hydra.yaml", "hydra:\n  lr: 3\n  n_layer: 1\n  batch_size: 9\n")
        write(f"{here}/train.log", curve(i))
    assert groups(tmp_path) == [["2026-01-01/10-00-00", "2026-01-01/10-00-01"], ["2026-01-01/10-00-02"]]


def test_mlflows_settings_are_those_of_the_run_in_whose_folder_they_lie(write: Write, tmp_path: Path) -> None:
    ids = [f"{i:032x}" for i in range(3)]
    for i, (act, seed) in enumerate((("gelu", 1), ("gelu", 2), ("silu", 1))):
        for key, value in {"act": act, "optim/lr": 0.1, "n_layer": 8, "seed": seed, "out_dir": f"o{i}"}.items():
            write(f"logs/mlruns/0/{ids[i]}/params/{key}", str(value))
        write(f"logs/mlruns/0/{ids[i]}/metrics/val_loss", "".join(f"17145576001{s:02} {5 - s / 10 - i / 100} {s}\n" for s in range(9)))
    assert [[run.rpartition("/")[2] for run in own] for own in groups(tmp_path)] == [ids[:2], ids[2:]]


def test_a_nested_configuration_of_wandb_is_read_to_its_leaves(write: Write, tmp_path: Path) -> None:
    for i, (opt, seed) in enumerate((("adamw", 1), ("adamw", 2), ("lion", 1))):
        here = f"logs/wandb/run-20260101_10000{i}-abcd123{i}/files"
        write(f"{here}/config.yaml", WANDB.format(opt, seed))
        write(f"{here}/output.log", curve(i))
        final = {"val/loss": 4.7 - i / 100, "_step": 300, "_timestamp": 1700000000.5 + i, "_wandb": {"runtime": 61}}
        write(f"{here}/wandb-summary.json", json.dumps(final))
    assert [len(own) for own in groups(tmp_path)] == [2, 1]


def test_hosts_moments_and_folders_of_a_table_keep_no_seeds_apart(write: Write, tmp_path: Path) -> None:
    rows = [
        f"{name},{act},{seed},{seed + 7},4,0.1,n{i},o/{name},2026-01-01 10:0{i}:00,{i}999,{act}_s{seed},4.{i}"
        for i, (name, act, seed) in enumerate((("1c66fb12", "gelu", 1), ("ef01ab22", "gelu", 2), ("aa01bb02", "silu", 1)))
    ]
    head = "run_id,act,seed,data_seed,batch_size,lr,host,out_dir,start_time,free_mem_mb,tag,final_val_loss"
    write("logs/results.csv", "\n".join([head, *rows]) + "\n")
    assert groups(tmp_path) == [["results#1c66fb12", "results#ef01ab22"], ["results#aa01bb02"]]


def test_the_name_in_a_section_is_a_setting_in_records_too(write: Write, tmp_path: Path) -> None:
    records = [
        {"id": f"run_{i}", "config": {"optimizer": {"name": opt, "lr": 0.1}, "batch_size": 4, "seed": seed}, "final_val_loss": 4 + i / 10}
        for i, (opt, seed) in enumerate((("adamw", 1), ("adamw", 2), ("lion", 1)))
    ]
    write("logs/sweep.jsonl", "".join(json.dumps(record) + "\n" for record in records))
    (pair, one) = groups(tmp_path)
    assert (len(pair), len(one)) == (2, 1)


def test_a_seed_of_the_data_that_does_not_follow_makes_another_configuration(write: Write, tmp_path: Path) -> None:
    for seed, data in ((1, 1), (2, 1), (3, 9)):
        write(f"logs/a_s{seed}.log", f"lr: 0.1\nn_layer: 8\nbatch_size: 4\nact: gelu\nseed: {seed}\ndata_seed: {data}\n\n{curve(seed)}")
    assert groups(tmp_path) == [["a_s1", "a_s2"], ["a_s3"]]


def test_runs_of_one_seed_in_folders_of_other_names_are_no_repeats(write: Write, tmp_path: Path) -> None:
    for act in ("gelu", "relu"):
        for seed in (1, 2):
            write(f"logs/{act}/seed{seed}/train.log", f"lr: 0.1\nbatch_size: 4\nseed: {seed}\n{curve(seed + 5 * len(act.strip('g')))}")
    assert groups(tmp_path) == [["gelu/seed1", "gelu/seed2"], ["relu/seed1", "relu/seed2"]]


def test_the_first_that_a_text_says_of_a_setting_counts(write: Write, tmp_path: Path) -> None:
    write("logs/a.log", f"Config(n_layer=8, lr=0.1)\nlr: 0.2\n{curve(1)}")
    folder = build(Request((str(tmp_path / "logs"),), out=str(tmp_path / "out"), dashboard=False)).folder
    assert "| learning rate | 0.1 |" in (folder / "Summary.md").read_text()


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("version_3", ""), ("2026-01-01_10-22-33", ""), ("10-22-33", ""), ("run-20260101_102233-3k9x2m1p", ""), ("run_12", ""),
        ("Mar04_10-22-33_pod7", ""), ("exp_4d88f9", ""), ("1741049123", ""), ("gelu_20260101", "gelu"), ("lr0.003", "lr0.003"),
        ("exp3", "exp3"), ("bf16", "bf16"), ("wide_2048", "wide_2048"), ("r1024_d8", "r1024_d8"), ("alpha_0.10", "alpha_0.10"),
    ],
)  # fmt: skip
def test_a_moment_a_number_and_chance_say_nothing_of_a_configuration(name: str, left: str) -> None:
    assert telling(name) == left
