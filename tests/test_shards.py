"""Token shards and manifests: round trips, and every kind of damage refused with one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ngt_train import manifest, shards
from ngt_train.errors import DataError
from ngt_train.manifest import Manifest, Split

TOKENS = np.arange(100, dtype=np.uint16)


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / "train_000000.bin"
    shards.write(path, TOKENS)
    return path


@given(tokens=st.sampled_from([np.uint16, np.uint32]).flatmap(lambda kind: arrays.arrays(kind, st.integers(0, 300))))
def test_what_is_written_is_read(tokens: shards.Array, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("s") / "a.bin"
    made = shards.write(path, tokens)
    assert shards.read(path).tolist() == tokens.tolist()
    assert shards.read(path).dtype == tokens.dtype
    assert shards.describe(path) == made
    assert (made.tokens, made.largest) == (len(tokens), max(tokens.tolist(), default=-1))


def test_the_header_is_256_integers_and_the_tokens_follow_at_byte_1024(shard: Path) -> None:
    raw = shard.read_bytes()
    assert np.frombuffer(raw[:12], "<i4").tolist() == [20240520, 1, 100]
    assert np.frombuffer(raw[1024:], "<u2").tolist() == TOKENS.tolist()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (0, 20240521, "its first number is 20240521, not 20240520 or 20240801"),
        (1, 2, r"shard version 2 is unknown \(magic 20240520 goes with version 1\)"),
        (2, 99, r"the header says 99 tokens \(1,222 bytes\), but the file has 1,224 bytes"),
        (2, 101, r"the header says 101 tokens"),
        (2, -1, r"the header says -1 tokens"),
    ],
)
def test_each_field_of_the_header_is_checked(shard: Path, field: int, value: int, said: str) -> None:
    raw = bytearray(shard.read_bytes())
    raw[4 * field : 4 * field + 4] = value.to_bytes(4, "little", signed=True)
    shard.write_bytes(raw)
    with pytest.raises(DataError, match=said):
        shards.read(shard)


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1223])
def test_a_truncated_shard_is_refused(shard: Path, size: int) -> None:
    shard.write_bytes(shard.read_bytes()[:size])
    with pytest.raises(DataError, match=r"too few for a shard's header|the header says 100 tokens"):
        shards.read(shard)


def test_a_missing_shard_and_a_folder_in_its_place_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.bin", tmp_path):
        with pytest.raises(DataError, match="no such shard; run `ngttrain prepare` again"):
            shards.read(path)


def manifest_of(path: Path) -> Manifest:
    part = shards.describe(path)
    split = Split(name="train", tokens=part.tokens, documents=1, text_bytes=400, shards=(part,))
    return Manifest(
        dataset="d", fingerprint="f", tokenizer="byte", tokenizer_fingerprint="t", tokenizer_file=None, vocab_size=257, splits=(split,)
    )


def test_a_manifest_is_read_as_it_was_written(shard: Path) -> None:
    made = manifest_of(shard)
    manifest.write(shard.parent, made)
    assert manifest.read(shard.parent) == made
    assert made.bytes_per_token == 4.0


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": 1}', '{"schema": "x"}', "[" * 100_000, "\xff"])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / manifest.FILE).write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=r"manifest.json is not (JSON|a manifest).*; make it anew with `ngttrain prepare --force`"):
        manifest.read(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 2}, "has schema 2, this program knows 1"),
        ({"tokenizer_file": "../tokenizer.json"}, "not a plain name in its folder"),
        ({"vocab_size": "many"}, "vocab_size must be a whole number, not 'many'"),
        ({"vocabsize": 1}, "unknown setting 'vocabsize'; did you mean 'vocab_size'"),
    ],
)
def test_a_manifest_is_checked(shard: Path, change: dict[str, object], said: str) -> None:
    manifest.write(shard.parent, manifest_of(shard))
    path = shard.parent / manifest.FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(DataError, match=said):
        manifest.read(shard.parent)


@pytest.mark.parametrize("name", ["../x.bin", "/etc/passwd", "", "..", "a\\b"])
def test_a_manifest_names_no_file_elsewhere(shard: Path, name: str) -> None:
    manifest.write(shard.parent, manifest_of(shard))
    path = shard.parent / manifest.FILE
    tree = json.loads(path.read_text())
    tree["splits"][0]["shards"][0]["file"] = name
    path.write_text(json.dumps(tree))
    with pytest.raises(DataError, match="not a plain name in its folder"):
        manifest.read(shard.parent)


def test_a_folder_without_manifest_says_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no manifest.json, so its preparation did not end; run `ngttrain prepare"):
        manifest.read(tmp_path)
    with pytest.raises(DataError, match="no such folder of prepared tokens"):
        manifest.read(tmp_path / "none")


def test_damage_inside_a_shard_is_found_on_opening(shard: Path) -> None:
    data = pytest.importorskip("ngt_train.data")
    manifest.write(shard.parent, manifest_of(shard))
    assert data.open_tokens(shard.parent, "train").tokens == 100
    for place in (1024, 1100, 1223, 12):  # the header's zeros too
        raw = bytearray(shard.read_bytes())
        raw[place] ^= 1
        shard.write_bytes(raw)
        with pytest.raises(DataError, match=r"is not the shard that manifest.json lists: it was damaged or replaced"):
            data.open_tokens(shard.parent, "train")
        raw[place] ^= 1
        shard.write_bytes(raw)


def test_a_vocabulary_smaller_than_the_tokens_is_refused(shard: Path) -> None:
    data = pytest.importorskip("ngt_train.data")
    manifest.write(shard.parent, manifest_of(shard))
    path = shard.parent / manifest.FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "vocab_size": 99}))
    with pytest.raises(DataError, match="has token 99, but its vocabulary ends at 98"):
        data.open_tokens(shard.parent, "train")


def test_a_split_that_does_not_exist_lists_those_that_do(shard: Path) -> None:
    with pytest.raises(DataError, match=r"dataset d has no 'trian' split; did you mean 'train'\?"):
        manifest_of(shard).split("trian")
