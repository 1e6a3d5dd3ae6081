"""Opening a run's data: prepared where it is missing, and refused where the folder holds something else than the configuration says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("tokenizers")

from ngt_train import config, corpus, distributed
from ngt_train.errors import TrainError


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    """A run on a small book, which is not prepared yet."""
    (tmp_path / "book.txt").write_text("".join(f"line {i} of the book\n" for i in range(300)))
    options = {"path": str(tmp_path / "book.txt"), "test": 0.1}
    return {"dataset": "text", "tokenizer": "bpe", "vocabulary": 270, "folder": str(tmp_path / "data"), "block": 16, "options": options}


def opened(data: dict[str, Any], said: list[str]) -> corpus.Corpus:
    with distributed.join("cpu", 30) as world:
        return corpus.open_corpus(config.from_dict({"data": data}), world, said.append)


def test_missing_data_is_prepared_and_said_then_taken_as_it_is(settings: dict[str, Any]) -> None:
    said: list[str] = []
    first, second = opened(settings, said), opened(settings, said)
    assert len(said) == 1 and "has no prepared tokens yet: preparing text with the bpe tokenizer" in said[0]
    assert first.made == second.made and first.made.vocab_size == 270
    assert first.test is not None and first.tokenizer is not None and first.tokenizer.fingerprint == first.made.tokenizer_fingerprint


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dataset": "stdlib"}, "was prepared with dataset 'text', but data.dataset is 'stdlib'"),
        ({"tokenizer": "byte"}, "was prepared with tokenizer 'bpe', but data.tokenizer is 'byte'"),
        ({"vocabulary": 300}, "was prepared with vocabulary 270, but data.vocabulary is 300; set it or data.folder"),
        ({"options": {"min_char": 5}}, "unknown setting 'data.options.min_char'; did you mean 'min_chars'?"),
        ({"options": {"test": 0.2}}, "was prepared with test 0.1, but data.options.test is 0.2"),
        ({"options": {"limit": {"train": 1}}}, r"was prepared with limit {}, but data.options.limit is {'train': 1}"),
        ({"block": 5000}, "too few for a block of 5000"),
    ],
)
def test_data_of_other_settings_is_refused(settings: dict[str, Any], change: dict[str, Any], said: str) -> None:
    opened(settings, [])
    with pytest.raises(TrainError, match=said):
        opened({**settings, **change}, [])


def test_prepared_data_may_have_moved(settings: dict[str, Any], tmp_path: Path) -> None:
    opened(settings, [])
    (tmp_path / "book.txt").unlink()
    assert opened({**settings, "options": {"path": "elsewhere"}}, []).train.tokens > 0
