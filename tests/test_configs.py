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


def test_a_number_that_is_a_word_or_missing_is_no_setting() -> None:
    found = settings(f"python train.py --n_layer 8 --lr --batch_size 4 --seed x --gamma nan\n{DATA}")
    assert {key: value for key, value in found.items() if key != "command.flags"} == {"layers": 8, "batch_size": 4}


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


@pytest.mark.parametrize("most", range(385, 402))
def test_no_value_is_cut_short_where_a_long_line_ends_for_us(most: int) -> None:
    said = "x" * most + " lr=0.000312345 and so on" + " y" * 100
    assert settings(f"{said}\n{DATA}") in ({}, {"learning_rate": 0.000312345})


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


@pytest.mark.parametrize("line", ["Config(", "{'a': 1, x{'b': ", "a" + " " * 390 + "="])
def test_many_lines_that_begin_a_configuration_take_no_time_of_their_number_squared(line: str) -> None:
    assert whole(list(enumerate([line] * 20_000, 1))) == []


def test_a_configuration_after_one_that_is_never_closed_is_read() -> None:
    found = settings(f"Config(n_layer=8, gamma=0.1\nConfig(n_layer=8, lr=0.1, gamma=0.5)\n{DATA}")
    assert found == {"layers": 8, "learning_rate": 0.1, "config.gamma": 0.5}


NESTED = """[2026-01-01 10:00:00,123][__main__][INFO] - model:
  n_layer: 8
  attn:
    kind: gqa
  mlp:
    kind: glu
optimizer:
  name: lion
  lr: 0.0003
  betas:
  - 0.9
  - 0.99
evaluation:
  batch_size: 64
data:
  name: pile
  batch_size: 16
wandb:
  mode: offline
run:
  name: a_s1
"""


def test_sections_of_yaml_tell_what_a_setting_is_of() -> None:
    assert settings(f"{NESTED}{DATA}") == {
        "layers": 8, "learning_rate": 3e-4, "config.betas": [0.9, 0.99], "batch_size": 16, "dataset": "pile", "config.optimizer": "lion",
        "config.attn.kind": "gqa", "config.mlp.kind": "glu",
    }  # fmt: skip


JSON = '{\n  "n_layer": 8,\n  "lr": 0.0003,\n  "act": "relu2",\n  "opt": {"tied": true},\n  "gamma": 0.5\n}'
MORE = {
    "columns without a colon": "  n_layer    8\n  lr         0.0003\n  act        relu2\n  tied       True\n  gamma      0.5",
    "a command": "python train.py --n_layer 8 --lr=3e-4 --act relu2 --tied --gamma 0.5 --out_dir runs/a --port 29500",
    "a command over lines": "+ python train.py --n_layer 8 \\\n  --lr 3e-4 --act relu2 \\\n  --tied --gamma 0.5",
    "JSON over lines behind a logger": f"INFO:root:config {JSON}",
    "JSON over lines": JSON,
    "a choice": "Config(n_layer=8, lr=3e-4, act=<Act.SQUARED: 'relu2'>, tied=True, gamma=0.5, path=PosixPath('a/b'))",
    "a counter that is none yet": f"iteration .... None\n{each('{} .... {}')}",
}


@pytest.mark.parametrize("shape", MORE)
def test_other_shapes_of_a_configuration_are_read(shape: str) -> None:
    found = settings(f"{MORE[shape]}\n{DATA}")
    assert {key: value for key, value in found.items() if key != "command.flags"} == ALL


@pytest.mark.parametrize(
    "said",
    [
        "n_layer: 8\nlr: 0.1\nhostname: pod7\ngpu_mem_free_gb: 71.2\nnumpy: 1.26.4\nstart_time: 2026-01-01 10:00:00\ngit_dirty: True",
        "dataset stats:\n  vocab_size: 512\n  val_tokens: 1000\n  documents: 812",
        "n_layer: 8\nlr: 0.1\nbatch_size: 4\ntokens_per_sec: 1234",
    ],
)
def test_the_machine_the_moment_and_what_was_measured_are_no_settings(said: str) -> None:
    assert not [key for key in settings(f"{said}\n{DATA}") if key.startswith("config.")]


def test_each_run_of_a_file_has_the_settings_above_its_own_data() -> None:
    from tests.readings import read

    curve = "".join(f"step {s}/300 val_loss={5 - s / 1000:.4f}\n" for s in (100, 200, 300))
    text = "".join(
        f"Namespace(n_layer=8, lr=0.1, act='{act}', seed={seed})\n{curve}result: seed=7 n_layer=9 lr=3 gamma=1\n"
        for seed, act in enumerate("abc")
    )
    facts = {(f.trial, f.key): f.value for f in read(text)[1].facts}
    assert [(facts[i, "seed"], facts[i, "config.act"], facts[i, "layers"]) for i in range(3)] == [(0, "a", 8), (1, "b", 8), (2, "c", 8)]
    assert not any(key == "config.gamma" for _, key in facts), "what sums a run up is not of the next one"


@pytest.mark.parametrize(
    "data",
    [
        "".join(f"Epoch {n}/2\n5/5 [=====] - 1s 2ms/step - loss: {5 - n} - val_loss: {5 - n}.2\n" for n in (1, 2)),
        "{'loss': 4.1, 'epoch': 0.5}\n{'eval_loss': 4.0, 'epoch': 1.0}\n{'loss': 3.1, 'epoch': 1.5}\n{'eval_loss': 3.0, 'epoch': 2.0}\n",
    ],
)
def test_what_stands_above_printed_epochs_and_dicts_is_read(data: str) -> None:
    assert settings(f"{SHAPES['a namespace']}\n{data}").items() >= ALL.items()


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("data_dir='data/owt'", "owt"), ("train_bin='d/pile/train_*.bin'", "pile"), ("data_path='/scratch/12345/data'", None),
        ("data_dir='data/owt', dataset='pile'", "pile"), ("out_dir='out/owt'", None), ("data_dir='data'", None),
    ],
)  # fmt: skip
def test_where_no_setting_names_the_data_its_folder_does(said: str, name: str | None) -> None:
    assert settings(f"Namespace(n_layer=8, lr=0.1, {said})\n{DATA}").get("dataset") == name


def test_words_that_also_name_places_and_processes_are_settings_where_they_mean_the_model() -> None:
    meant = "lora_rank=8, output_norm=True, optimizer_name='lion', attn_version=2, log_scale=True"
    other = "local_rank=0, output_dir='o', run_name='a', torch_version='2.5.1', log_interval=10"
    found = settings(f"Namespace(n_layer=8, lr=0.1, {meant}, {other})\n{DATA}")
    assert found == {
        "layers": 8, "learning_rate": 0.1, "config.lora_rank": 8, "config.output_norm": True, "config.optimizer_name": "lion",
        "config.attn_version": 2, "config.log_scale": True,
    }  # fmt: skip
