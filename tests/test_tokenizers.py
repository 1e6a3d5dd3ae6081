"""Tokenizers: every text comes back, files and fingerprints are stable, the end-of-text token is never made by a text."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngt_train import tokenizers
from ngt_train.errors import ConfigError, DataError
from ngt_train.tokenizers import END, BpeTokenizer, ByteTokenizer, CharTokenizer, Tokenizer

pytest.importorskip("tokenizers")

CORPUS = ["low lower lowest\n", "new newer newest\n", "wide wider widest ünïcödé 数\n"] * 5
MADE: dict[str, Tokenizer] = {
    "byte": ByteTokenizer(),
    "char": CharTokenizer("".join(CORPUS)),
    "bpe": tokenizers.train_bpe(CORPUS, 280),
}


@given(text=st.text())
def test_bytes_and_bpe_give_every_text_back(text: str) -> None:
    for kind in ("byte", "bpe"):
        assert MADE[kind].decode(MADE[kind].encode(text)) == text


@given(text=st.text(alphabet=sorted(set("".join(CORPUS)))))
def test_characters_of_the_training_text_come_back(text: str) -> None:
    assert MADE["char"].decode(MADE["char"].encode(text)) == text
    assert len(MADE["char"].encode(text)) == len(text)


@pytest.mark.parametrize("kind", MADE)
def test_ids_are_below_the_vocabulary_and_the_end_token_is_one_of_them(kind: str) -> None:
    made = MADE[kind]
    ids = made.encode("".join(CORPUS) + "éΩ")
    assert 0 <= made.end < made.vocab_size and max(ids) < made.vocab_size
    assert made.decode([made.end]) == END


@pytest.mark.parametrize("kind", MADE)
def test_a_text_never_makes_the_end_token(kind: str) -> None:
    made = MADE[kind]
    assert made.end not in made.encode(f"a{END}b")


@pytest.mark.parametrize("kind", MADE)
def test_a_saved_tokenizer_is_the_same(kind: str, tmp_path: Path) -> None:
    made = MADE[kind]
    made.save(tmp_path / "t.json")
    again = tokenizers.from_file(tmp_path / "t.json", kind)
    text = f"newest {END} ünïcödé"
    assert (again.name, again.vocab_size, again.end, again.fingerprint) == (kind, made.vocab_size, made.end, made.fingerprint)
    assert list(again.encode(text)) == list(made.encode(text))


def test_bpe_learns_the_same_in_every_process() -> None:
    code = f"from ngt_train.tokenizers import train_bpe; print(train_bpe({CORPUS!r}, 280).fingerprint)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() for _ in range(2)]
    assert runs == [MADE["bpe"].fingerprint] * 2


def test_a_character_that_was_never_seen_is_unknown() -> None:
    assert list(MADE["char"].encode("Ωl")) == [1, MADE["char"].encode("l")[0]]
    assert MADE["char"].decode([1]) == "\ufffd"


def test_bpe_joins_frequent_pairs_and_marks_spaces() -> None:
    labels = [MADE["bpe"].label(int(i)) for i in MADE["bpe"].encode("low lower\n")]
    assert "".join(labels) == "lowĠlowerĊ" and len(labels) < 10
    assert [MADE["byte"].label(b) for b in b" a\n"] == ["Ġ", "a", "Ċ"]


@pytest.mark.parametrize("kind", MADE)
def test_ids_beyond_the_vocabulary_do_not_stop_decoding(kind: str) -> None:
    made = MADE[kind]
    ids = [*made.encode("low"), made.vocab_size, 10**6, *made.encode("er")]
    assert made.decode(ids).replace("\ufffd", "") == "lower"
    assert isinstance(made.label(10**6), str)


def test_lone_surrogates_do_not_stop_any_tokenizer() -> None:
    for made in MADE.values():
        assert len(made.encode("a\ud800b")) >= 3


# -- GPT-2 and others from files --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("names", [("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe")])
def test_a_vocabulary_and_its_merges_are_read_under_both_names(tmp_path: Path, names: tuple[str, str]) -> None:
    inner = json.loads(MADE["bpe"].to_json())["model"]
    (tmp_path / names[0]).write_text(json.dumps(inner["vocab"]))
    (tmp_path / names[1]).write_text("#version: 0.2\n" + "\n".join(" ".join(pair) for pair in inner["merges"]))
    made = tokenizers.from_file(tmp_path, "bpe")
    assert list(made.encode("lower newest")) == list(MADE["bpe"].encode("lower newest"))
    assert made.end == MADE["bpe"].end
    with pytest.raises(DataError, match=r"has 280 tokens, but GPT-2's tokenizer has 50,257"):
        tokenizers.from_file(tmp_path, "gpt2")


def test_truncation_saved_in_a_file_does_not_cut_texts(tmp_path: Path) -> None:
    inner = json.loads(MADE["bpe"].to_json())
    inner["truncation"] = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    (tmp_path / "t.json").write_text(json.dumps(inner))
    assert len(tokenizers.from_file(tmp_path / "t.json").encode("wide " * 40)) > 40


@pytest.mark.parametrize("text", ["", "{}", "[1]", "null", "{", '{"kind": "char"}', '{"model": {"type": "BPE"}}', "[" * 10**5])
def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(DataError, match=r"t.json is not a tokenizer"):
        tokenizers.from_file(tmp_path / "t.json")


def test_a_tokenizer_of_another_kind_is_refused(tmp_path: Path) -> None:
    MADE["byte"].save(tmp_path / "byte.json")
    MADE["bpe"].save(tmp_path / "bpe.json")
    with pytest.raises(DataError, match="is not a bpe tokenizer but byte"):
        tokenizers.from_file(tmp_path / "byte.json", "bpe")
    with pytest.raises(DataError, match="is not a char tokenizer but bpe"):
        tokenizers.from_file(tmp_path / "bpe.json", "char")


def test_a_tokenizer_without_an_end_token_is_refused(tmp_path: Path) -> None:
    inner = json.loads(MADE["bpe"].to_json())
    inner["added_tokens"] = []
    inner["model"]["vocab"].pop(END)
    (tmp_path / "t.json").write_text(json.dumps(inner))
    with pytest.raises(DataError, match="has no end-of-text token"):
        tokenizers.from_file(tmp_path / "t.json")


def test_folders_without_a_tokenizer_and_binary_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has neither tokenizer.json nor vocab.json with merges.txt"):
        tokenizers.from_file(tmp_path)
    (tmp_path / "t.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"t.json is not a tokenizer: it is not UTF-8 text"):
        tokenizers.from_file(tmp_path / "t.json")


def test_a_vocabulary_too_small_says_the_least() -> None:
    with pytest.raises(ConfigError, match=r"vocabulary of 100 is too small: the 256 bytes and <\|endoftext\|> need 257"):
        tokenizers.train_bpe(CORPUS, 100)
    assert isinstance(tokenizers.train_bpe(CORPUS, 257), BpeTokenizer)
