"""The section on data in docs/training.md lists what the code has, and its example is what the command prints."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from ngt_train import datasets
from ngt_train.commands import main
from ngt_train.config import DataConfig
from ngt_train.recipe import Recipe
from ngt_train.shards import KINDS

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "training.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## Data\n")[2].partition("\n## ")[0]


def rows(column: int) -> set[str]:
    """The words in backticks of one column of all tables."""
    cells = [line.strip("| ").split(" | ")[column] for line in SECTION.splitlines() if line.startswith("| ") and line.count(" | ") > column]
    return {word for cell in cells for word in re.findall(r"`([^` ]+)", cell)}


def test_every_dataset_and_tokenizer_has_a_row() -> None:
    from ngt_train.tokenizers import KINDS as TOKENIZERS

    assert {*datasets.names(), *TOKENIZERS} - {"hf"} <= rows(0)


def test_every_option_has_a_row() -> None:
    command = main.commands["prepare"]
    options = {name for option in command.params for name in option.opts}
    assert options - rows(0) <= {"--debug", "--help", "-h"}
    assert {word for word in rows(0) if word.startswith("-")} <= options


def test_every_setting_has_a_row() -> None:
    own = {f.name for f in dataclasses.fields(DataConfig)}
    fields = {f.name for f in dataclasses.fields(Recipe)}
    assert {f"data.{name}" if name in own else f"data.options.{name}" for name in fields} <= rows(1) | rows(0)


def test_the_example_of_a_new_dataset_prepares_its_own_example(tmp_path: Path) -> None:
    code = re.findall(r"```python dataset\n(.*?)```", (DOCS / "adding.md").read_text(encoding="utf-8"), re.DOTALL)[0]
    made: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, "docs/adding.md", "exec"), made)
    (tmp_path / "a.jsonl").write_text('{"say": "Hi."}\n{"say": "Hello."}\n')
    source = made["source"](Recipe(path=str(tmp_path)))
    assert [tuple(d) for d in source.documents()] == [("a.jsonl", "Hi.\nHello.\n", None, "")]
    assert (source.size, len(made["SUMMARY"]) < 120) == (33, True)


def test_the_defaults_said_are_the_defaults() -> None:
    made = Recipe()
    assert (made.val, made.test, made.vocabulary, made.column, made.tokenizer) == (0.05, 0.0, 8192, "text", "bpe")
    assert f"{made.tokenizer_text:,}" in SECTION


@pytest.mark.parametrize("key", KINDS)
def test_the_format_of_shards_is_the_one_described(key: tuple[int, int]) -> None:
    assert re.search(rf"magic {key[0]}(,| and) version {key[1]}\b", SECTION)
