"""The trainer's configuration: one way in and out, typos named with their neighbour, limits said with the value."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngt_train import config, settings
from ngt_train.config import RunConfig
from ngt_train.errors import ConfigError, nearest

REFUSED = {
    "optim.lrr=1": "unknown setting 'optim.lrr'; did you mean 'lr'?",
    "optm.lr=1": "unknown setting 'optm'; did you mean 'optim'?",
    "optim.lr=-1": "optim.lr must be above 0, not -1.0",
    "optim.lr=inf": "optim.lr = inf is not a finite number",
    f"optim.lr={10**400}": "optim.lr = inf is not a finite number",
    "optim.lr=fast": "optim.lr must be a number, not 'fast'",
    "optim.kind=adam": "optim.kind = 'adam' is not possible; did you mean 'adamw'?",
    'optim.decay=["matrix", "vektor"]': "optim.decay[1] = 'vektor' is not possible; did you mean 'vector'?",
    "optim.beta2=1": "optim.beta2 must be at least 0 and below 1, not 1.0",
    "train.steps=1.5": "train.steps must be a whole number, not 1.5",
    "train.steps=true": "train.steps must be a whole number, not True",
    "train.batch=0": "train.batch must be at least 1, not 0",
    "train.device=gpu": "train.device 'gpu' is not auto, cpu, cuda, cuda:N or mps",
    "train.precision=bf16": "train.precision = 'bf16' is not possible; did you mean 'bfloat16'?",
    "train.epochs=0": "train.epochs must be above 0, not 0.0",
    "eval.test=1": "eval.test must be true or false, not 1",
    "eval.tokens=0": "eval.tokens must be at least 1, not 0",
    "loss.alpha=1.5": "loss.alpha must be between 0 and 1, not 1.5",
    "loss.temperature=0": "loss.temperature must be above 0, not 0.0",
    "loss.topk=0": "loss.topk must be at least 1, not 0",
    "schedule.warmup=1001": "schedule.warmup 1001 is longer than the run of 1000 steps",
    "schedule.warmdown=5": "schedule.warmdown belongs to kind trapezoid, not to cosine",
    "data.block=0": "data.block must be at least 1 token, not 0",
    "name=../x": "name '../x' must be letters, digits and . _ + = -, beginning with a letter or digit",
    "seed=-1": "seed must be between 0 and 2^63, not -1",
    "log=3": "log must be a table, not 3",
    "lr": "--set 'lr' is not of the form section.key=value",
    "name.x=1": "--set 'name.x=1': name is a value, not a section",
}


@pytest.mark.parametrize("assignment", REFUSED)
def test_a_wrong_setting_is_refused_in_one_sentence(assignment: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.override(RunConfig(), [assignment])
    assert str(caught.value) == REFUSED[assignment]


def test_overrides_have_the_types_of_the_fields() -> None:
    made = config.override(
        RunConfig(), ["train.steps=2e3", "optim.lr=1", "loss.topk=none", "name=a-1", "model.hidden=64", "model.variant=ngt"]
    )
    assert (made.train.steps, made.optim.lr, made.loss.topk, made.name) == (2000, 1.0, None, "a-1")
    assert (made.model.variant, made.model.settings) == ("ngt", {"hidden": 64})
    assert type(made.train.steps) is int and type(made.optim.lr) is float


def test_two_clashing_limits_are_refused_with_both_values() -> None:
    with pytest.raises(ConfigError, match="warmup 600 and warmdown 600 overlap in a run of 1000 steps"):
        config.override(RunConfig(), ["schedule.kind=trapezoid", "schedule.warmup=600", "schedule.warmdown=600"])


def test_a_warmup_in_parts_of_the_run_may_not_overlap_the_warmdown_either() -> None:
    settings = ["schedule.kind=trapezoid", "schedule.warmup_ratio=0.9", "schedule.warmdown=500"]
    with pytest.raises(ConfigError, match=r"warmup 900 \(warmup_ratio 0\.9\) and warmdown 500 overlap in a run of 1000 steps"):
        config.override(RunConfig(), settings)
    by_epochs = config.override(RunConfig(), [*settings, "train.epochs=1"])
    with pytest.raises(ConfigError, match="overlap in a run of 625 steps"):
        config.resolve_steps(by_epochs, 1 + 512 * 16 * 625)


def test_toml_gives_back_what_it_was_given(tmp_path: Path) -> None:
    made = config.override(RunConfig(), ["loss.topk=256", 'eval.text=say "hi"\\', "model.mass_in_value=true", "train.target_loss=3.5"])
    path = tmp_path / "run.toml"
    path.write_text(settings.to_toml(config.to_dict(made)), encoding="utf-8")
    assert config.load(path) == made


TREES = st.recursive(
    st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1), inner) | st.lists(inner, max_size=3),
    max_leaves=12,
)


@hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])  # machines are busy
@given(st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1), TREES))
def test_written_toml_reads_back(tree: dict[str, object]) -> None:
    assert tomllib.loads(settings.to_toml(tree)) == tree


@pytest.mark.parametrize(
    ("text", "said"), [("a = ", "is not TOML"), ("[train]\nstep = 5", "unknown setting 'train.step'; did you mean 'steps'?")]
)
def test_a_bad_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert str(caught.value).startswith(str(path)) and said in str(caught.value)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: no such file or directory"):
        config.load("nowhere.toml")


def test_epochs_become_steps_of_whole_batches() -> None:
    made = config.override(RunConfig(), ["train.epochs=2", "train.batch=2", "train.accumulation=2", "data.block=10"])
    assert config.resolve_steps(made, tokens=1001).train.steps == 50  # 100 sequences, 4 a step, twice
    assert config.resolve_steps(made, tokens=1001, world=2).train.steps == 25
    assert config.resolve_steps(RunConfig(), tokens=5) == RunConfig()


def test_differences_name_the_key_and_both_values() -> None:
    a, b = config.to_dict(RunConfig()), config.to_dict(config.override(RunConfig(), ["optim.lr=1e-3", "model.hidden=64"]))
    assert settings.differences(a, b) == [("model.hidden", None, 64), ("optim.lr", 3e-4, 1e-3)]


def keys(tree: dict[str, object], place: str = "") -> list[str]:
    inner = [(f"{place}{key}", value) for key, value in tree.items()]
    return [key for name, value in inner for key in (keys(value, f"{name}.") if isinstance(value, dict) and value else [name])]


def test_every_setting_is_in_the_docs() -> None:
    page = (Path(__file__).parents[1] / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [key for key in keys(config.to_dict(RunConfig())) if f"`{key}`" not in page] == []


def test_every_option_of_the_commands_is_in_the_docs() -> None:
    from ngt_train.commands import main

    pages = "".join(path.read_text(encoding="utf-8") for path in (Path(__file__).parents[1] / "docs").glob("*.md"))
    options = {
        f"{name} {option}" for name, command in main.commands.items() for p in command.params for option in p.opts if option != "--debug"
    }
    missing = [text for text in sorted(options) if text.split()[1].startswith("--") and not re.search(rf"{text.split()[1]}\b", pages)]
    assert missing == [] and all(f"ngttrain {name}" in pages for name in main.commands)


def test_the_nearest_word_is_named_or_all_are() -> None:
    assert nearest("vanila", ["ngt", "vanilla"]) == "; did you mean 'vanilla'?"
    assert nearest("xyz", ["ngt", "vanilla"]) == "; known: ngt, vanilla"
    assert nearest("xyz", []) == ""
