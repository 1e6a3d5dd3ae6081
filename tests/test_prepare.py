"""Preparing data: the same bytes each time, nothing half-written, restarts that skip what is done, splits that never share a text."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ngt_train import datasets, documents, manifest, prepare, shards, tokenizers
from ngt_train.documents import Document
from ngt_train.errors import ConfigError, DataError
from ngt_train.manifest import Manifest
from ngt_train.recipe import Recipe

pytest.importorskip("tokenizers")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """250 small documents in a folder."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for i in range(250):
        (folder / f"{i:03d}.txt").write_text(f"document {i}\n" * (3 + i % 5), encoding="utf-8")
    return folder


def made(corpus: Path, out: Path, **options: Any) -> Manifest:
    return prepare.prepare(out=out, **{"dataset": "text", "path": str(corpus), "tokenizer": "byte", "val": 0.2, **options})


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def split_texts(folder: Path) -> dict[str, list[str]]:
    """The documents of each split, decoded."""
    found = manifest.read(folder)
    tokenizer = tokenizers.from_file(folder / str(found.tokenizer_file))
    texts = {}
    for split in found.splits:
        ids = [int(i) for shard in split.shards for i in shards.read(folder / shard.file)]
        texts[split.name] = tokenizer.decode(ids).split(tokenizers.END)[1:]
    return texts


def test_the_tokens_are_the_documents_and_the_splits_are_disjoint(corpus: Path, tmp_path: Path) -> None:
    found = made(corpus, tmp_path / "out", test=0.1)
    texts = split_texts(tmp_path / "out")
    assert set(texts) == {"train", "val", "test"}
    assert sorted(text for parts in texts.values() for text in parts) == sorted(path.read_text() for path in corpus.iterdir())
    assert not set(texts["train"]) & set(texts["val"]) and not set(texts["train"]) & set(texts["test"])
    assert [(s.name, s.documents, s.text_bytes) for s in found.splits] == [
        (name, len(parts), sum(len(t.encode()) for t in parts)) for name, parts in texts.items()
    ]


@pytest.mark.parametrize("tokenizer", ["byte", "char", "bpe"])
def test_the_same_input_gives_the_same_bytes(corpus: Path, tmp_path: Path, tokenizer: str) -> None:
    for name in "ab":
        made(corpus, tmp_path / name, tokenizer=tokenizer, vocabulary=270)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_validation_stays_the_same_when_documents_come_in(corpus: Path, tmp_path: Path) -> None:
    made(corpus, tmp_path / "a")
    (corpus / "250.txt").write_text("another\n")
    made(corpus, tmp_path / "b")
    before, after = split_texts(tmp_path / "a"), split_texts(tmp_path / "b")
    assert [t for t in after["val"] if t != "another\n"] == before["val"]


def test_a_single_text_is_cut_at_a_line_end_and_its_tail_is_validation(tmp_path: Path) -> None:
    text = "".join(f"line {i}\n" for i in range(100))
    (tmp_path / "book").write_text(text)
    made(tmp_path / "book", tmp_path / "out", val=0.1)
    texts = split_texts(tmp_path / "out")
    assert texts["train"][0] + texts["val"][0] == text
    assert texts["train"][0].endswith("\n") and 0.05 < len(texts["val"][0]) / len(text) < 0.15


def test_a_text_in_several_shards_is_the_same_text(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = made(corpus, tmp_path / "whole")
    monkeypatch.setattr(prepare, "SHARD_TEXT", 500)
    cut = made(corpus, tmp_path / "cut")
    assert len(cut.split("train").shards) > 5 and split_texts(tmp_path / "cut") == split_texts(tmp_path / "whole")
    assert cut.fingerprint == whole.fingerprint


def test_the_dataset_fingerprint_is_of_the_text_not_of_the_tokens(corpus: Path, tmp_path: Path) -> None:
    one, two = made(corpus, tmp_path / "a"), made(corpus, tmp_path / "b", tokenizer="char")
    assert one.fingerprint == two.fingerprint and one.tokenizer_fingerprint != two.tokenizer_fingerprint
    other = made(corpus, tmp_path / "c", val=0.3)
    assert other.fingerprint != one.fingerprint


def test_a_vocabulary_beyond_16_bits_gets_32(tmp_path: Path) -> None:
    text = "".join(chr(0x10000 + i) for i in range(70_000)) + "\n"
    (tmp_path / "book").write_text(text * 2, encoding="utf-8")
    found = made(tmp_path / "book", tmp_path / "out", tokenizer="char", val=0.4)
    tokens = shards.read(tmp_path / "out" / found.split("train").shards[0].file)
    assert (found.vocab_size, tokens.dtype.itemsize, found.split("train").shards[0].largest) == (70_003, 4, 70_002)
    assert (text * 2).startswith(split_texts(tmp_path / "out")["train"][0])


# -- restarts -------------------------------------------------------------------------------------------------------------
def test_a_second_run_does_nothing(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = made(corpus, tmp_path / "out")
    monkeypatch.setattr(shards, "write", lambda *_: pytest.fail("a shard was written again"))
    assert made(corpus, tmp_path / "out") == first


def cut_off(monkeypatch: pytest.MonkeyPatch, after: int) -> list[str]:
    """Let the disk be full after so many shards; returns the list of what gets written."""
    written: list[str] = []
    real = shards.write

    def write(path: Path, tokens: shards.Array) -> shards.Shard:
        if len(written) == after:
            raise DataError(f"{path}: cannot be written: no space left on device")
        written.append(path.name)
        return real(path, tokens)

    monkeypatch.setattr(shards, "write", write)
    return written


@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_restart_skips_the_shards_that_are_whole(corpus: Path, tmp_path: Path, after: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "SHARD_TEXT", 1000)
        made(corpus, tmp_path / "whole")
        with pytest.MonkeyPatch.context() as full:
            first = cut_off(full, after)
            with pytest.raises(DataError, match="no space left"):
                made(corpus, tmp_path / "out")
        assert not (tmp_path / "out" / manifest.FILE).exists()
        again = cut_off(patch, 10**9)
        made(corpus, tmp_path / "out")
    assert len(first) == after and not set(first) & set(again)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_a_damaged_shard_of_an_earlier_run_is_made_again(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "SHARD_TEXT", 1000)
    made(corpus, tmp_path / "whole")
    with pytest.MonkeyPatch.context() as full, pytest.raises(DataError):
        cut_off(full, 3)
        made(corpus, tmp_path / "out")
    damaged = tmp_path / "out" / "train_000001.bin"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    with open(tmp_path / "out" / "unfinished.jsonl", "ab") as file:
        file.write(b'{"torn')
    made(corpus, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_other_settings_or_changed_input_never_replace_what_is_there(corpus: Path, tmp_path: Path) -> None:
    before = made(corpus, tmp_path / "out")
    with pytest.raises(DataError, match=r"was prepared with tokenizer = 'byte', not 'char'; give another --out, or --force"):
        made(corpus, tmp_path / "out", tokenizer="char")
    (corpus / "000.txt").write_text("changed")
    with pytest.raises(DataError, match="its input has changed since it was prepared"):
        made(corpus, tmp_path / "out")
    assert manifest.read(tmp_path / "out") == before
    assert made(corpus, tmp_path / "out", force=True).fingerprint != before.fingerprint


@pytest.mark.skipif(os.name != "posix", reason="needs kill -9")
def test_killed_at_any_time_it_goes_on_and_ends_with_the_same_bytes(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "SHARD_TEXT", 100)
    made(corpus, tmp_path / "whole")
    code = (
        "from ngt_train import prepare; prepare.SHARD_TEXT = 100; print(flush=True);"
        f"prepare.prepare(out={str(tmp_path / 'out')!r}, dataset='text', path={str(corpus)!r}, tokenizer='byte', val=0.2)"
    )
    for delay in (0.0, 0.01, 0.03, 0.06):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert process.stdout is not None and process.stdout.readline()
        time.sleep(delay)
        process.kill()
        process.communicate()
    made(corpus, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize("name", ["train_000001.bin", "val_000000.bin", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["missing", "flipped"])
def test_what_was_damaged_after_it_was_prepared_is_made_again(corpus: Path, tmp_path: Path, name: str, damage: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "SHARD_TEXT", 2000)
        made(corpus, tmp_path / "out", tokenizer="char")
        before, path = contents(tmp_path / "out"), tmp_path / "out" / name
        if damage == "missing":
            path.unlink()
        else:
            path.write_bytes(before[name][:-30] + b"x" + before[name][-29:])
        made(corpus, tmp_path / "out", tokenizer="char")
    assert contents(tmp_path / "out") == before


def test_a_manifest_of_before_a_setting_existed_still_holds(corpus: Path, tmp_path: Path) -> None:
    first = made(corpus, tmp_path / "out")
    recipe = {key: value for key, value in first.recipe.items() if key != "separator"}
    manifest.write(tmp_path / "out", replace(first, recipe=recipe))
    assert made(corpus, tmp_path / "out").recipe == recipe


def test_preparing_again_leaves_no_shard_of_before(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = made(corpus, tmp_path / "out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "SHARD_TEXT", 1000)
        made(corpus, tmp_path / "out", force=True)
    assert len(contents(tmp_path / "out")) > 6
    assert made(corpus, tmp_path / "out", force=True) == whole
    assert set(contents(tmp_path / "out")) == {"manifest.json", "tokenizer.json", "train_000000.bin", "val_000000.bin"}


@pytest.mark.parametrize("name", ["train_000000.bin", "test_000003.bin", "tokenizer.json"])
def test_a_file_that_is_not_ours_is_never_replaced(corpus: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(DataError, match="is there already, and no preparation of ours made it; give another --out"):
        made(corpus, tmp_path)
    assert (tmp_path / name).read_text() == "precious"


def test_leftovers_of_killed_processes_are_removed(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    dead, alive, other = (out / name for name in (".train_000000.bin.4194305.tmp", f".x.bin.{os.getpid()}.tmp", ".notes.tmp"))
    for path in (dead, alive, other):
        path.touch()
    made(corpus, out)
    assert (dead.exists(), alive.exists(), other.exists()) == (False, True, True)


@pytest.mark.skipif(sys.platform != "linux", reason="file systems elsewhere refuse such names")
def test_names_that_are_not_unicode_and_odd_files_do_no_harm(corpus: Path, tmp_path: Path) -> None:
    (corpus / os.fsdecode(b"caf\xe9 \n.txt")).write_text("a text\n")
    (corpus / "gone.txt").symlink_to("nowhere")
    if hasattr(os, "mkfifo"):
        os.mkfifo(corpus / "fifo.txt")
    assert sum(split.documents or 0 for split in made(corpus, tmp_path / "out").splits) == 251
    weird = tmp_path / os.fsdecode(b"b\xe9")
    corpus.rename(weird)
    assert made(weird, tmp_path / "again") == manifest.read(tmp_path / "again")


# -- a full disk, no rights --------------------------------------------------------------------------------------------------
def test_a_full_disk_leaves_no_half_file(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    made(corpus, tmp_path / "whole")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=r"out/unfinished.jsonl: cannot be written: no space left on device; free space"):
        made(corpus, tmp_path / "out")
    assert contents(tmp_path / "out") == {}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_device_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.bin"
    path.with_name(f".a.bin.{os.getpid()}.tmp").symlink_to("/dev/full")
    with pytest.raises(DataError, match=r"a.bin: cannot be written: no space left on device"):
        shards.write(path, shards.np.zeros(10_000, "<u2"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_sentence(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"file/out: the folder cannot be made: not a directory; choose another"):
        made(corpus, tmp_path / "file" / "out")


# -- bad input -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"dataset": "stdlb"}, ConfigError, "unknown dataset 'stdlb'; did you mean 'stdlib'"),
        ({"tokenizer": "bype"}, ConfigError, "unknown tokenizer 'bype'; did you mean 'bpe'"),
        ({"tokeniser": "bpe"}, ConfigError, "unknown setting 'tokeniser'; did you mean 'tokenizer'"),
        ({"path": ""}, ConfigError, "dataset text needs --path"),
        ({"path": "nowhere"}, DataError, "nowhere: no such file or folder"),
        ({"glob": "*.md"}, DataError, r"corpus has no file that matches '\*.md'"),
        ({"glob": "/x"}, ConfigError, "glob '/x' is not a pattern"),
        ({"val": 1.5}, ConfigError, "val must be a fraction"),
        ({"val": 0.6, "test": 0.5}, ConfigError, "leave nothing to train on"),
        ({"tokenizer": "bpe", "vocabulary": 256}, ConfigError, "a BPE vocabulary of 256 is too small"),
        ({"tokenizer": "bpe", "vocabulary": 9000}, ConfigError, r"too short for a BPE vocabulary of 9000: it yields \d+"),
        ({"match": "("}, ConfigError, r"match '\(' is not a regular expression"),
        ({"min_chars": 10**6}, DataError, r"gives no train documents \(left out: 250 by min_chars\)"),
        ({"limit": {"trian": 3}}, ConfigError, "limit trian=3 is not a number of documents of one of train, val, test"),
        ({"tokenizer_file": "none.json"}, DataError, "none.json: no such tokenizer file"),
        ({"chunks": 0}, ConfigError, "chunks must be at least 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(corpus: Path, tmp_path: Path, options: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        made(corpus, tmp_path / "out", **options)
    assert not (tmp_path / "out" / manifest.FILE).exists()


def test_a_file_that_is_not_text_is_named_with_the_byte(corpus: Path, tmp_path: Path) -> None:
    (corpus / "binary.txt").write_bytes(b"abc\xff\xfe")
    with pytest.raises(DataError, match=r"binary.txt is not utf-8 text \(byte 3: invalid start byte\); convert it"):
        made(corpus, tmp_path / "out")


def test_marks_and_line_ends_are_not_text(tmp_path: Path) -> None:
    from ngt_train.datasets.text import parts

    for number, raw in enumerate((b"\xef\xbb\xbfa\r\nb\r", "a\nb\n".encode("utf-16"))):
        path = tmp_path / str(number)
        path.write_bytes(raw)
        assert list(parts(path, "")) == ["a\nb\n"]


@pytest.mark.parametrize("block", [1, 2, 3, 7, 1000])
def test_documents_within_a_file_are_told_apart_by_a_separator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    from ngt_train.datasets import text

    (tmp_path / "stories.txt").write_text("One.\n<end>\nTwo\n\nparts.<end>\n\n<end>Ünï")
    monkeypatch.setattr(text, "BLOCK", block)
    assert list(text.parts(tmp_path / "stories.txt", "<end>")) == ["One.", "Two\n\nparts.", "", "Ünï"]
    found = datasets.source(Recipe(dataset="text", path=str(tmp_path), separator=r"\n\n"))
    assert isinstance(found, datasets.Source)
    assert [d.name for d in found.documents()] == ["stories.txt 1", "stories.txt 2", "stories.txt 3"]


def test_a_tokenizer_file_that_changed_is_noticed(corpus: Path, tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    for characters in ("abc", "abcd"):
        tokenizers.CharTokenizer(characters).save(file)
        if characters == "abc":
            made(corpus, tmp_path / "out", tokenizer="char", tokenizer_file=str(file))
    with pytest.raises(DataError, match="its input has changed since it was prepared"):
        made(corpus, tmp_path / "out", tokenizer="char", tokenizer_file=str(file))


# -- the built-in corpus -----------------------------------------------------------------------------------------------------
def test_the_standard_library_is_a_corpus_without_tests_and_machine_settings() -> None:
    source = datasets.source(Recipe(dataset="stdlib"))
    assert isinstance(source, datasets.Source)
    once, again = list(source.documents()), list(source.documents())
    assert once == again and [d.name for d in once] == sorted(d.name for d in once)
    names = {d.name for d in once}
    assert {"ast.py", "json/decoder.py", "asyncio/tasks.py"} <= names
    assert not [n for n in names if n.startswith("test/") or "/tests/" in n or "site-packages" in n or "_sysconfigdata" in n]
    assert sum(len(d.text) for d in once) > 5_000_000


def test_the_standard_library_is_the_same_in_every_process() -> None:
    code = (
        "import hashlib; from ngt_train import datasets; from ngt_train.recipe import Recipe; found = datasets.source(Recipe());"
        "print(found.identity, hashlib.sha256(repr(list(found.documents())).encode()).hexdigest())"
    )
    seeds = ({**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale} for seed, locale in (("1", "C"), ("2", "C.UTF-8")))
    runs = [subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout for env in seeds]
    assert runs[0] == runs[1] and len(runs[0].split()) == 2


# -- splits, filters, pieces -------------------------------------------------------------------------------------------------
def stream(count: int) -> Iterator[Document]:
    return (Document(str(i), f"text {i}") for i in range(count))


def test_copies_of_a_text_are_all_in_one_split() -> None:
    copies = [Document(f"{i}", f"text {i % 300}") for i in range(900)]
    splits = [d.split for d in documents.assign_splits(copies, 0.2, 0.2)]
    assert splits[:300] == splits[300:600] == splits[600:]
    assert {name: 30 < splits[:300].count(name) < 90 for name in ("val", "test")} == {"val": True, "test": True}


def test_splits_that_a_dataset_has_are_kept() -> None:
    given = [d._replace(split="test") for d in stream(3)]
    assert list(documents.assign_splits(given, 0.5, 0.0)) == given


@pytest.mark.parametrize(
    ("options", "kept", "dropped"),
    [
        ({"min_chars": 3}, ["abc", "abc", "xyz abc"], {"min_chars": 1, "empty": 1}),
        ({"max_chars": 3}, ["a", "abc", "abc"], {"max_chars": 1, "empty": 1}),
        ({"match": "b"}, ["abc", "abc", "xyz abc"], {"match": 1, "empty": 1}),
        ({"exclude": "x"}, ["a", "abc", "abc"], {"exclude": 1, "empty": 1}),
        ({"deduplicate": True}, ["a", "abc", "xyz abc"], {"deduplicate": 1, "empty": 1}),
        ({"limit": {"train": 2}}, ["a", "abc"], {"limit": 2, "empty": 1}),
    ],
)
def test_every_document_left_out_is_counted(options: dict[str, Any], kept: list[str], dropped: dict[str, int]) -> None:
    counts: documents.Counter[str] = documents.Counter()
    texts = [Document("", text, "train") for text in ("a", "abc", "abc", "xyz abc", "")]
    assert [d.text for d in documents.Filters(**options).apply(texts, counts)] == kept
    assert dict(counts) == dropped


def test_a_long_text_is_cut_where_its_tokens_do_not_change() -> None:
    text = "def f(x):\n\n    return 'a' +  x9\n\t# ünï ___\n" * 50
    tokenizer = tokenizers.train_bpe([text], 280)
    for size in (1, 7, 50, 1000, 10**6):
        parts = list(documents.pieces(text, size))
        assert "".join(p.text for p in parts) == text
        assert [p.begins for p in parts] == [True] + [False] * (len(parts) - 1)
        assert [i for p in parts for i in tokenizer.encode(p.text)] == list(tokenizer.encode(text))


def test_a_text_without_line_ends_is_one_piece() -> None:
    assert [p.text for p in documents.pieces("x" * 500, 10)] == ["x" * 500]


def test_preparing_calls_back_with_what_is_done(corpus: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    note: Callable[[str, int, int | None], None] = lambda *state: seen.append(state)  # noqa: E731
    made(corpus, tmp_path / "out", tokenizer="char", progress=note)
    total = sum(path.stat().st_size for path in corpus.iterdir())
    assert {what for what, _, _ in seen} == {"making the tokenizer", "tokenising"}
    assert seen[-1] == ("tokenising", total, total)
