"""Datasets that come from elsewhere: FineWeb shards, the Hugging Face hub, PDF files; nothing here needs a network."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ngt_train import datasets, hub, manifest, prepare, shards
from ngt_train.datasets.wikitext103 import articles
from ngt_train.errors import ConfigError, DataError
from ngt_train.recipe import Recipe

HERE = Path(__file__).parent


def needs(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")


def documents(**recipe: Any) -> list[tuple[str | None, str]]:
    source = datasets.source(Recipe(**recipe))
    assert isinstance(source, datasets.Source)
    return [(d.split, d.text) for d in source.documents()]


@pytest.mark.parametrize("name", datasets.names())
def test_every_dataset_says_what_it_is_in_a_line(name: str) -> None:
    assert 10 < len(datasets.summary(name)) < 120


# -- FineWeb shards ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def fineweb(tmp_path: Path) -> Path:
    """Three training shards and one for validation, as downloaded."""
    folder = tmp_path / "shards"
    folder.mkdir()
    for i in range(4):
        name = "fineweb_val_000000.bin" if i == 0 else f"fineweb_train_{i:06d}.bin"
        shards.write(folder / name, np.arange(i, 1000 + i, dtype=np.uint16))
    return folder


def adopt(folder: Path, out: Path, **options: Any) -> manifest.Manifest:
    return prepare.prepare(out=out, **{"dataset": "fineweb10B", "tokenizer": "gpt2", "path": str(folder), **options})


def test_local_shards_are_taken_as_they_are(fineweb: Path, tmp_path: Path) -> None:
    made = adopt(fineweb, tmp_path / "out")
    assert [(s.name, s.tokens, [p.file for p in s.shards]) for s in made.splits] == [
        ("train", 3000, [f"fineweb_train_{i:06d}.bin" for i in (1, 2, 3)]),
        ("val", 1000, ["fineweb_val_000000.bin"]),
    ]
    assert (made.vocab_size, made.tokenizer, made.tokenizer_file, made.bytes_per_token) == (50257, "gpt2", None, None)
    assert shards.read(tmp_path / "out" / "fineweb_train_000002.bin")[:3].tolist() == [2, 3, 4]
    assert adopt(fineweb, tmp_path / "out") == made


def test_shards_may_be_adopted_where_they_are(fineweb: Path) -> None:
    before = {p.name: p.read_bytes() for p in fineweb.iterdir()}
    adopt(fineweb, fineweb)
    assert {p.name: p.read_bytes() for p in fineweb.iterdir() if p.name != manifest.FILE} == before


def test_chunks_are_the_first_shards(fineweb: Path, tmp_path: Path) -> None:
    assert [p.file for p in adopt(fineweb, tmp_path / "out", chunks=2).split("train").shards] == [
        "fineweb_train_000001.bin",
        "fineweb_train_000002.bin",
    ]
    with pytest.raises(DataError, match="has 3 training shards, fewer than --chunks 4"):
        adopt(fineweb, tmp_path / "more", chunks=4)


@pytest.mark.parametrize("place", [0, 4, 8])
def test_a_wrong_header_leaves_no_manifest(fineweb: Path, tmp_path: Path, place: int) -> None:
    path = fineweb / "fineweb_train_000002.bin"
    raw = bytearray(path.read_bytes())
    raw[place] ^= 4
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"fineweb_train_000002.bin: (its first number|shard version|the header says)"):
        adopt(fineweb, tmp_path / "out")
    assert not (tmp_path / "out" / manifest.FILE).exists()


def test_a_token_beyond_the_vocabulary_is_refused(fineweb: Path, tmp_path: Path) -> None:
    shards.write(fineweb / "fineweb_train_000001.bin", np.array([50257], np.uint16))
    with pytest.raises(DataError, match="has token 50257, but the vocabulary of gpt2 ends at 50256"):
        adopt(fineweb, tmp_path / "out")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tokenizer": "bpe"}, "was tokenised with gpt2 already; tokenizer 'bpe' cannot be applied"),
        ({"path": "nowhere"}, "nowhere: no such folder of token shards"),
        ({"path": str(HERE / "data")}, r"has no \*train\*.bin shard"),
        ({"path": "", "chunks": 104}, "has 103 training shards, not 104"),
    ],
)
def test_what_cannot_be_adopted_is_said(fineweb: Path, tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises((ConfigError, DataError), match=said):
        adopt(fineweb, tmp_path / "out", **options)


def test_missing_shards_are_downloaded_and_whole_ones_kept(fineweb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def download(name: str, file: str, *, dataset: bool, folder: Path) -> Path:
        assert (name, dataset) == ("kjj0/fineweb10B-gpt2", True)
        asked.append(file)
        (folder / file).write_bytes((fineweb / file).read_bytes())
        return folder / file

    monkeypatch.setattr(hub, "download", download)
    out = tmp_path / "out"
    out.mkdir()
    (out / "fineweb_train_000001.bin").write_bytes((fineweb / "fineweb_train_000001.bin").read_bytes())
    (out / "fineweb_train_000002.bin").write_bytes(b"half")
    made = adopt(fineweb, out, path="", chunks=2)
    assert asked == ["fineweb_val_000000.bin", "fineweb_train_000002.bin"]
    assert [split.tokens for split in made.splits] == [2000, 1000]


def test_a_shard_damaged_afterwards_is_downloaded_again_or_named(fineweb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(name: str, file: str, *, dataset: bool, folder: Path) -> Path:
        (folder / file).write_bytes((fineweb / file).read_bytes())
        return folder / file

    monkeypatch.setattr(hub, "download", download)
    for out, path in ((tmp_path / "hub", ""), (tmp_path / "local", str(fineweb))):
        whole = prepare.prepare(out=out, dataset="fineweb10B", tokenizer="gpt2", path=path, chunks=2)
        shard = out / "fineweb_train_000001.bin"
        raw = shard.read_bytes()
        shard.unlink()
        shard.write_bytes(raw[:-2] + b"xx")
        if not path:
            assert prepare.prepare(out=out, dataset="fineweb10B", tokenizer="gpt2", chunks=2) == whole
            assert shard.read_bytes() == raw
            continue
        with pytest.raises(DataError, match=r"000001.bin was damaged or replaced since it was prepared; bring it back"):
            prepare.prepare(out=out, dataset="fineweb10B", tokenizer="gpt2", path=path, chunks=2)


# -- the hub -------------------------------------------------------------------------------------------------------------------
def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(DataError, match=r"needs the package huggingface_hub; pip install 'ngtreport\[data\]'"):
        hub.download("openai-community/gpt2", "tokenizer.json")
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match=r"Salesforce/wikitext needs the package datasets: pip install"):
        documents(dataset="wikitext2")


@needs("huggingface_hub")
def test_the_hub_is_asked_for_the_file_and_its_failure_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub

    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def found(*args: Any, **options: Any) -> str:
        calls.append((args, options))
        return str(tmp_path / "f")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", found)
    assert hub.download("a/b", "f", dataset=True, folder=tmp_path) == tmp_path / "f"
    assert calls == [(("a/b", "f"), {"repo_type": "dataset", "revision": None, "local_dir": tmp_path})]

    def offline(*_: Any, **__: Any) -> str:
        raise huggingface_hub.errors.LocalEntryNotFoundError("Cannot reach the hub.\nmore")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    with pytest.raises(DataError, match=r"^a/b: f could not be downloaded \(Cannot reach the hub\); connect to the network"):
        hub.download("a/b", "f")


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A local dataset in the hub's layout; its cache goes to a temporary folder."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "set"
    folder.mkdir()
    for split, count in (("train", 3), ("validation", 2), ("test", 1)):
        lines = [json.dumps({"text": f"{split} {i}", "label": i}) for i in range(count)]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@needs("datasets")
@pytest.mark.filterwarnings("ignore")
def test_a_hub_dataset_keeps_its_splits(layout: Path) -> None:
    assert documents(dataset=f"hf:{layout}") == [
        *(("train", f"train {i}") for i in range(3)),
        *(("val", f"validation {i}") for i in range(2)),
        ("test", "test 0"),
    ]


@needs("datasets")
@pytest.mark.filterwarnings("ignore")
def test_validation_is_taken_from_train_where_a_dataset_has_none(layout: Path) -> None:
    (layout / "validation.jsonl").unlink()
    assert documents(dataset=f"hf:{layout}") == [*((None, f"train {i}") for i in range(3)), ("test", "test 0")]


@needs("datasets")
def test_a_local_dataset_that_changed_is_noticed(layout: Path) -> None:
    before = datasets.source(Recipe(dataset=f"hf:{layout}")).identity
    assert datasets.source(Recipe(dataset=f"hf:{layout}")).identity == before
    (layout / "test.jsonl").write_text('{"text": "other"}\n')
    assert datasets.source(Recipe(dataset=f"hf:{layout}")).identity != before


@needs("datasets")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"column": "body"}, r"has no column 'body' but text, label; say which with --column"),
        ({"column": "label"}, "column 'label' of .* holds int values, not texts"),
        ({"config": "other"}, r"could not be loaded \(BuilderConfig 'other' not found"),
    ],
)
def test_what_a_hub_dataset_does_not_have_is_said(layout: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises((ConfigError, DataError), match=said):
        documents(dataset=f"hf:{layout}", **options)


@needs("datasets")
@pytest.mark.filterwarnings("ignore")
def test_a_dataset_that_cannot_be_reached_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none could not be loaded \(.*\); check its name and --config, or connect"):
        documents(dataset=f"hf:{tmp_path}/none")
    with pytest.raises(ConfigError, match="dataset hf needs a name: hf:NAME"):
        documents(dataset="hf:")


def test_wikitext_lines_are_joined_into_articles() -> None:
    first = ["", " = Homarus gammarus = \n", "", " Homarus is a lobster . \n", " = = Description = = \n", "", " It is blue . \n"]
    second = [" = A = B = \n", " = = = Deep = = = \n", " Text = more \n"]
    assert list(articles(first + second)) == ["".join(row or "\n" for row in part) for part in (first, second)]
    assert list(articles(["", ""])) == []


# -- PDF files -------------------------------------------------------------------------------------------------------------------
def pdf(text: str) -> bytes:
    """A file of one page with one line, offsets and all."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    return bytes(out) + b"xref\n0 6\n0000000000 65535 f \n" + table + end


@needs("pypdf")
@pytest.mark.parametrize("count", [2, 6])  # here, and in processes of their own
def test_pdf_files_are_documents_in_the_order_of_their_names(tmp_path: Path, count: int) -> None:
    for i in range(count):
        (tmp_path / f"{i}.pdf").write_bytes(pdf(f"Paper number {i}"))
    assert documents(dataset="pdf", path=str(tmp_path)) == [(None, f"Paper number {i}\n") for i in range(count)]


@needs("pypdf")
@pytest.mark.parametrize("raw", [b"", b"no pdf", pdf("x")[:200], b"%PDF-1.4\n" + b"\xff" * 500])
def test_a_damaged_pdf_is_named_or_left_out_and_counted(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "bad.pdf").write_bytes(raw)
    (tmp_path / "good.pdf").write_bytes(pdf("Good " * 50))
    with pytest.raises(DataError, match=r"bad.pdf is damaged, locked or no PDF; leave it out with --glob or --skip-unreadable"):
        documents(dataset="pdf", path=str(tmp_path))
    made = prepare.prepare(out=tmp_path / "out", dataset="pdf", path=str(tmp_path), tokenizer="byte", skip_unreadable=True)
    assert made.dropped == {"unreadable": 1}
    assert [split.documents for split in made.splits] == [1, 1]


def test_reading_pdf_files_without_the_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf("x"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"needs the package pypdf: pip install 'ngtreport\[data\]'"):
        documents(dataset="pdf", path=str(tmp_path))
