"""Configurations that a log prints whole: every setting of them counts, and what only looks like one is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngt_report.build import Request, build
from ngt_report.store import Store
from ngt_report.text.configs import whole
from tests.test_sentences import DATA, settings

ALL = {"layers": 8, "learning_rate": 3e-4, "config.act": "relu2", "config.tied": True, "config.gamma": 0.5}
PAIRS = (("n_layer", "8"), ("lr", "0.0003"), ("act", "relu2"), ("tied", "True"), ("gamma", "0.5"))


def each(form: str, between: str = "\n") -> str:
    """The settings, each in this form."""
    return between.join(form.format(key, value) for key, value in PAIRS)


RULER = "+------+----+"
SHAPES = {
    "a namespace": "Namespace(n_layer=8, lr=0.0003, act='relu2', tied=True, gamma=0.5, out_dir='out/a_s1')",
    "a dataclass": "[2026-01-01 10:00:00] INFO - TrainConfig(n_layer=8, lr=3e-4, act='relu2', tied=True, gamma=0.5)",
    "a dataclass over lines": f"Config(\n{each('    {}={},')}\n)",
    "dataclasses in one": "Config(model=GPTConfig(n_layer=8, act='relu2', tied=True), opt=OptConfig(lr=3e-4), gamma=0.5)",
    "a dict": "{'n_layer': 8, 'lr': 0.0003, 'act': 'relu2', 'tied': True, 'gamma': 0.5, 'note': 'a, b: c'}",
    "a dict over lines": "{'n_layer': 8,\n 'lr': 0.0003,\n 'act': 'relu2',\n 'tied': True,\n 'gamma': 0.5}",
    "JSON behind a word": 'config: {"n_layer": 8, "lr": 0.0003, "act": "relu2", "tied": true, "gamma": 0.5}',
    "pairs": f"config: {each('{}={}', ' ')}",
    "pairs with commas": f"config {each('{}={}', ', ')}",
    "pairs with bars": each("{}: {}", " | "),
    "a pair a line": f"Arguments\n{each('{}: {}')}\n\nstarting",
    "assignments": each("{} = {}"),
    "a logger's lines": each("2026-01-01 10:00:00,1 [INFO] {}: {}"),
    "a table": "\n".join((RULER, each("| {} | {} |", f"\n{RULER}\n"), RULER)),
    "a dotted list": each("  {} ........ {}"),
    "overrides": f"n_layer = 12\n{each('Overriding: {} = {}')}",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_setting_of_a_configuration_is_read(shape: str) -> None:
    assert settings(f"{SHAPES[shape]}\n{DATA}") == ALL


@pytest.mark.parametrize(
    "said",
    [
        "loaded shard 3: tokens: 100, time: 3.1",
        "epoch: 1, lr: 0.1, batch_size: 8, loss: 3.2",
        "{'loss': 4.1, 'learning_rate': 0.1, 'batch_size': 8, 'foo': 1}",
        "Linear(in_features=8, out_features=4, bias=False)",
        "host: pod7\npid: 312\nport: 29500\nrank: 0\ntime: 12",
        "Config(n_layer=8, gamma=0.5",
    ],
)
def test_what_is_no_configuration_adds_no_setting(said: str) -> None:
    assert not [key for key in settings(f"{said}\n{DATA}") if key.startswith("config.")]


def test_where_things_are_and_what_runs_are_called_is_no_setting() -> None:
    said = (
        "Namespace(n_layer=8, lr=3e-4, out_dir='out', run_name='a_s1', exp='a', local_rank=0, port=29501, wandb_project='x', data_path='d',"
        " save_interval=500)"
    )
    assert set(settings(f"{said}\n{DATA}")) == {"layers", "learning_rate"}


def test_a_setting_that_the_lines_before_say_is_not_said_again() -> None:
    found = settings(f"lr: 0.1\nNamespace(n_layer=8, lr=0.1, gamma=0.5)\nNamespace(n_layer=8, lr=0.1, gamma=0.7)\n{DATA}")
    assert found == {"learning_rate": 0.1, "layers": 8, "config.gamma": 0.5}


def test_settings_of_two_sections_are_told_apart() -> None:
    found = settings(f"Config(n_layer=8, lr=0.1, attn=AttnConfig(bias=True, act='gelu'), mlp=MlpConfig(bias=False, act='gelu'))\n{DATA}")
    assert found == {"layers": 8, "learning_rate": 0.1, "config.attn.bias": True, "config.mlp.bias": False, "config.act": "gelu"}


def test_settings_of_the_evaluation_are_not_those_of_the_training() -> None:
    found = settings(f"Config(n_layer=8, batch_size=4, eval=EvalConfig(batch_size=64, act='gelu'))\n{DATA}")
    assert found == {"layers": 8, "batch_size": 4, "config.eval.batch_size": 64}


def test_a_namespace_of_many_arguments_is_read_to_its_end() -> None:
    many = ", ".join(f"option_{i}={i}" for i in range(300))
    found = settings(f"Namespace(n_layer=8, {many}, lr=0.1, gamma=0.5)\n{DATA}")
    assert found["learning_rate"] == 0.1 and found["config.gamma"] == 0.5 and found["config.option_299"] == 299


def test_runs_that_differ_by_a_setting_of_an_unknown_name_are_no_seeds_of_one_configuration(tmp_path: Path) -> None:
    for i, act in enumerate(("gelu", "relu2")):
        head = f"Namespace(n_layer=8, lr=0.1, batch_size=4, act='{act}', seed={i})\n"
        curve = [f"step {s}/300 val_loss={5 - s / 1000 - i / 100:.4f}\n" for s in (100, 200, 300)]
        (tmp_path / f"run{i}.log").write_text(head + "".join(curve))
    folder = build(Request((str(tmp_path),), out=str(tmp_path / "out"), dashboard=False)).folder
    store = Store(str(folder / "report.duckdb"), read_only=True)
    groups = [group for (group,) in store.run("SELECT seed_group FROM runs")]
    store.close()
    assert None not in groups and len(set(groups)) == 2


@given(st.text(alphabet="()[]{}'\",=: \nConfigab1\\", max_size=200))
def test_brackets_in_any_order_end(text: str) -> None:
    lines = [*enumerate(f"Config({text}".split("\n"), 1)]
    assert all(1 <= at <= len(lines) for at, _, _ in whole(lines))


def test_a_deep_hostile_nesting_is_no_configuration() -> None:
    assert whole([(1, "Config(" * 100_000), (2, "{'a': " * 100_000)]) == []
