"""Presets: every published run by name, with the settings of its document, at full and at tiny scale; and the environment's names."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ngt_train import config as configuration
from ngt_train import environment, presets, schedules
from ngt_train.commands import main
from ngt_train.errors import ConfigError

ALL = sorted(presets.all_runs())
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="the trainer needs torch: pip install '.[train]'")


def test_every_published_run_has_a_preset() -> None:
    assert Counter(name.partition("/")[0] for name in ALL) == {
        "demo": 2, "w3_25m": 6, "mixed_loss": 10, "ngpt_alpha": 12, "ngpt_optimization": 7, "ngpt_advanced": 20,
        "gated_stage1": 10, "gated_stage2": 16, "gated_stage2_5": 4, "gated_stage3": 7,
    }  # fmt: skip
    assert presets.groups().keys() == {name.partition("/")[0] for name in ALL}


@needs_torch
@pytest.mark.parametrize("name", ALL)
def test_a_preset_goes_through_toml_and_shrinks(name: str) -> None:
    full = presets.load(name)
    assert configuration.from_dict(configuration.to_dict(full)) == full
    assert presets.scaled(full, "full") == full
    tiny = presets.scaled(full, "tiny")
    assert (tiny.name, tiny.group, tiny.seed, tiny.optim, tiny.loss) == (full.name, full.group, full.seed, full.optim, full.loss)
    assert (tiny.data.dataset, tiny.train.precision, tiny.train.compile) == ("stdlib", "float32", False)
    assert 20 <= tiny.train.steps <= 200 and presets.command(name, "tiny") == f"ngttrain run --preset {name} --scale tiny"
    made = configuration.model_config(tiny, 256)
    assert made.block == 64 and getattr(made, "layers", 2) <= 3


def test_runs_of_a_group_stay_different_at_tiny_scale() -> None:
    tiny = {name: configuration.to_dict(presets.scaled(presets.load(name), "tiny")) for name in ALL}
    seen = Counter(repr({key: value for key, value in tree.items() if key != "name"}) for tree in tiny.values())
    repeated = ["round02_lr_0.001", "round07_batch_16"]  # one configuration, twice, as published
    assert [count for count in seen.values() if count > 1] == [len(repeated)]


@needs_torch
def test_the_screening_is_as_published() -> None:
    run = presets.load("w3_25m/ngt_mass_in_value")
    made = configuration.model_config(run, 8192)
    assert (made.hidden, made.coordinates, made.layers, made.heads, made.mlp, made.dropout) == (512, 64, 8, 8, 2048, 0.1)
    assert (made.mass_in_value, made.rsqrt, made.repulsion_interval, made.cutoff) == (True, True, 4, "hard")
    assert (run.train.batch, run.train.accumulation, run.train.steps, run.schedule.warmup, run.optim.lr) == (16, 2, 15_000, 2000, 3e-4)
    assert (run.data.block, run.data.vocabulary, run.eval.interval, run.seed, run.train.clip) == (512, 8192, 500, 42, 1.0)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("w3_25m/vanilla_25m", 25_486_336), ("w3_25m/ngt_default", 25_591_432), ("ngpt_alpha/alpha_0.28", 30_486_017),
        ("ngpt_optimization/lazy_proj_10_scalar", 52_802_321), ("ngpt_optimization/baseline", 52_808_449),
        ("ngpt_advanced/round17_layers_10", 56_341_269), ("ngpt_advanced/round18_hidden_512", 76_694_545),
        ("gated_stage1/none_s1337", 123_568_128), ("gated_stage3/elementwise_s2337", 130_646_016),
    ],
)  # fmt: skip
def test_a_preset_has_the_published_number_of_parameters(name: str, parameters: int) -> None:
    torch = pytest.importorskip("torch")
    from ngt_train import variants

    run = presets.load(name)
    with torch.device("meta"):
        model = variants.load(run.model.variant).Model(
            configuration.model_config(run, min(8192, run.model.settings.get("vocab_size", 8192)))
        )
    assert sum(p.numel() for p in model.parameters()) == parameters


def test_stage_2_has_the_rates_of_its_warm_down_of_1450_steps() -> None:
    run = presets.load("gated_stage2/none_lr0.00468_s1337")
    for step in (0, 400, 799):
        published = 0.00468 * (800 - step) / 1450
        assert run.optim.lr * run.optim.head_scale * schedules.factor(run.schedule, step, 800) == pytest.approx(published)


def test_an_unknown_preset_or_scale_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"there is no preset 'w3_25m/ngt_defualt'; did you mean 'w3_25m/ngt_default'\?"):
        presets.load("w3_25m/ngt_defualt")
    with pytest.raises(ConfigError, match=r"there is no preset 'ngt_default'; did you mean 'w3_25m/ngt_default'\?"):
        presets.load("ngt_default")
    with pytest.raises(ConfigError, match=r"there is no scale 'tinny'; did you mean 'tiny'\?"):
        presets.scaled(presets.load(ALL[0]), "tinny")


def test_a_configuration_of_ones_own_shrinks_too() -> None:
    own = configuration.from_dict(
        {"train": {"steps": 10_000, "batch": 64}, "schedule": {"kind": "trapezoid", "warmup": 500, "warmdown": 9500}}
    )
    tiny = presets.scaled(own, "tiny")
    assert (tiny.train.steps, tiny.schedule.warmup, tiny.schedule.warmdown, tiny.train.batch) == (100, 5, 95, 16)
    assert tiny.model.settings == {"layers": 2, "heads": 4, "hidden": 64}


# -- the environment ----------------------------------------------------------------------------------------------------
NAMES = {
    "ATTNGATE": "elementwise", "GATEPOS": "value", "GATEACT": "ns_sigmoid", "LR": "0.00468", "SEED": "2337", "NUM_ITERATIONS": "800",
    "WARMUP_ITERS": "10", "WARMDOWN_ITERS": "300", "VAL_EVERY": "25",
}  # fmt: skip


def value_of(run: configuration.RunConfig, key: str) -> Any:
    value: Any = configuration.to_dict(run)
    for part in key.split("."):
        value = value[part]
    return value


@needs_torch
def test_the_names_of_the_gated_scripts_override_a_preset() -> None:
    assert NAMES.keys() == environment.SETTINGS.keys()
    made = configuration.override(presets.load("gated_stage1/none_s1337"), environment.assignments({"PATH": "/bin", **NAMES}))
    assert {name: str(value_of(made, key)) for name, key in environment.SETTINGS.items()} == NAMES
    assert configuration.model_config(made, 50304).gate == "elementwise"


def test_empty_and_unrelated_variables_are_let_be() -> None:
    unrelated = {
        "LR": "",
        "SEEDS": "1",
        "LS_COLORS": "x",
        "PYTHONHASHSEED": "0",
        "GATEWAY_INTERFACE": "CGI",
        "LC_ALL": "C",
        "VALGRIND": "1",
    }
    assert environment.assignments(unrelated) == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ATTN_GATE", "headwise", "environment variable ATTN_GATE is no setting; did you mean ATTNGATE? Correct or unset it"),
        ("lr", "0.1", "environment variable lr is no setting; did you mean LR?"),
        ("WARMDOWN_ITER", "3", "did you mean WARMDOWN_ITERS?"),
        ("NUM_ITERATION", "3", "did you mean NUM_ITERATIONS?"),
        ("GATE_ACT", "x", "did you mean GATEACT?"),
        ("ATTNGATE", "elementwize", "environment variable ATTNGATE='elementwize' is not possible; did you mean 'elementwise'?"),
        ("GATEPOS", "output", "environment variable GATEPOS='output' is not possible; known: sdpa, value"),
        ("LR", "fast", "environment variable LR='fast' is not a number; correct or unset it"),
        ("SEED", "1.5", "environment variable SEED='1.5' is not a whole number; correct or unset it"),
        ("NUM_ITERATIONS", "true", "is not a whole number"),
    ],
)
def test_misspelt_variables_are_refused(name: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        environment.assignments({name: value})
    assert said in str(raised.value)


@needs_torch
def test_a_gate_of_a_model_without_gates_is_refused() -> None:
    made = configuration.override(presets.load("w3_25m/vanilla_25m"), environment.assignments({"ATTNGATE": "headwise"}))
    with pytest.raises(ConfigError, match=r"unknown setting 'model\.gate'"):
        configuration.model_config(made, 8192)


def test_a_warm_down_longer_than_the_run_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"schedule\.warmdown 1450 is longer than the run of 800 steps"):
        configuration.override(presets.load("gated_stage1/none_s1337"), environment.assignments({"NUM_ITERATIONS": "800"}))


def test_schedules_of_all_presets_end_within_the_run() -> None:
    for name in ALL:
        for scale in presets.SCALES:
            run = presets.scaled(presets.load(name), scale)
            steps = run.train.steps
            factors = [schedules.factor(run.schedule, step, steps) for step in range(0, steps, max(1, steps // 50))]
            assert all(math.isfinite(f) and 0 <= f <= 1 for f in factors), name


# -- what the documentation says --------------------------------------------------------------------------------------------
def test_every_group_and_variable_is_in_the_docs() -> None:
    page = (Path(__file__).parents[1] / "docs/training.md").read_text(encoding="utf-8")
    assert [name for name in (*presets.groups(), *environment.SETTINGS, *environment.SETTINGS.values()) if f"`{name}`" not in page] == []


def test_the_command_lists_every_preset() -> None:
    listed = CliRunner().invoke(main, ["presets"])
    assert [name for name in ALL if f"  ngttrain run --preset {name}\n" not in listed.stdout] == [] and listed.exit_code == 0
    one = CliRunner().invoke(main, ["presets", "gated_stage2_5", "--scale", "tiny"])
    assert (
        one.stdout.splitlines()[1] == "  ngttrain run --preset gated_stage2_5/none_s1337 --scale tiny" and len(one.stdout.splitlines()) == 5
    )
    wrong = CliRunner().invoke(main, ["presets", "w3_25"])
    assert (wrong.exit_code, wrong.stderr) == (2, "Error: there is no group of presets 'w3_25'; did you mean 'w3_25m'?\n")


@pytest.mark.parametrize("module", ["ngt_train", "ngt_train.commands"])
def test_a_reader_of_the_list_that_leaves_is_no_error(module: str) -> None:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen([sys.executable, "-m", module, "presets"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141
