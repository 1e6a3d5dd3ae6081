"""What a bundle says of itself comes back as it was; configuration files hold what they were made of."""

from __future__ import annotations

import io
import json
import random
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngt_report import ingest
from ngt_report.bundles import archives, manifest, standin
from ngt_report.bundles.manifest import Entry, Left, Manifest
from ngt_report.config import Settings
from ngt_report.errors import ReportError
from ngt_report.files import InputFile
from ngt_report.handing.tomltext import to_toml
from ngt_report.store import Store
from ngt_report.waist import Finding
from tests import torch_zip

DIGEST = "0123456789abcdef" * 4


def checkpoint(tmp_path: Path) -> InputFile:
    path = tmp_path / "a.pt_best.pt"
    config = {"lr": 3e-4, "flags": ["a", "b"], "none": None, "text": "\u0120 \U0001d49c"}
    torch_zip.save(path, {"iter": 7, "best_val": 4.25, "config": config, "model": {"w": torch_zip.FakeTensor(2, 3)}})
    return InputFile(str(path), "checkpoints/a.pt_best.pt", path.stat().st_size, 1)


def stand_in(file: InputFile) -> dict[str, Any]:
    loaded = ingest.load(file)
    form = loaded.form.name if loaded.form else None
    return standin.to_json(standin.StandIn(form, loaded.reason, loaded.fingerprint, loaded.reading))


# -- stand-ins ----------------------------------------------------------------------------------------------------------
def test_a_stand_in_puts_into_the_database_what_the_file_does(tmp_path: Path) -> None:
    file = checkpoint(tmp_path)
    said = json.loads(json.dumps(stand_in(file)))
    gone = InputFile(str(tmp_path / "gone.pt"), file.rel, file.size, 1, stand_in=said)
    tables = ("sources", "raw_trials", "raw_values", "raw_facts", "raw_findings")
    contents = []
    for number, each in enumerate((file, gone)):
        store = Store(str(tmp_path / f"{number}.duckdb"))
        store.begin()
        ingest.ingest(store, [each])
        contents.append({table: store.run(f"SELECT * FROM {table} ORDER BY ALL") for table in tables})
        store.run("COMMIT")
        store.close()
    assert contents[0] == contents[1]
    assert contents[0]["raw_values"]


@pytest.mark.parametrize(
    "change",
    [
        {"format": "keyvalue"}, {"format": 3}, {"status": "fine"}, {"lines": [1, 2]}, {"lines": [1, -2, 0]}, {"fingerprint": "x"},
        {"facts": [{"trial": 0}]}, {"facts": {}}, {"findings": [{"severity": "fatal", "kind": "x", "text": "x", "trial": 0, "line": 0}]},
        {"points": [{"trial": 0, "segment": 0, "step": [1, 2], "pointer": [], "values": {"best/loss": [1.0]}}]},
        {"points": [{"trial": 0, "segment": 0, "step": [2**70], "pointer": [], "values": {}}]}, {"trials": None}, {"bad": [[1]]},
    ],
    ids=str,
)  # fmt: skip
def test_a_stand_in_that_is_none_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    said = stand_in(checkpoint(tmp_path))
    standin.from_json(said, "a.pt")
    with pytest.raises(ReportError, match=r"what is said of a\.pt, which is not in the bundle, cannot be used"):
        standin.from_json({**said, **change}, "a.pt")


# -- manifests ----------------------------------------------------------------------------------------------------------
def test_a_manifest_comes_back_as_it_was(tmp_path: Path) -> None:
    settings = Settings(baseline="v", step=3, group_by=["lr"], labels={"a": "A | b"}, declared={"hardware": "x", "a": {"lr": 1e-3}})
    made = Manifest(
        "g\u00e9", ["logs/g", "."], ["logs/g", "runs/g"], "ngtreport build logs/g", True, settings,
        [Entry("files/a_b~1.log", "logs", 3, DIGEST, "a:b.log"), Entry("report/Summary.md", "reports", 0, DIGEST)],
        [Left("checkpoints/a.pt_best.pt", "checkpoints", 9, stand_in(checkpoint(tmp_path)))],
        [("x", Finding("warning", "link", "x is a link and was not followed", None, None))],
    )  # fmt: skip
    data = manifest.to_bytes(made)
    back = manifest.from_bytes(data)
    assert manifest.to_bytes(back) == data
    assert (back.group, back.entries, back.left, back.noticed) == (made.group, made.entries, made.left, made.noticed)
    assert (back.settings.baseline, back.settings.labels, back.settings.declared) == ("v", settings.labels, settings.declared)


def test_a_manifest_is_held_against_its_own_sum(tmp_path: Path) -> None:
    data = manifest.to_bytes(Manifest("g", [], [], ""))
    (tmp_path / "MANIFEST.json").write_bytes(data)
    (tmp_path / "MANIFEST.json.sha256").write_bytes(manifest.sum_of(data))
    assert manifest.read(tmp_path) is not None
    (tmp_path / "MANIFEST.json").write_bytes(data.replace(b'"g"', b'"h"'))
    with pytest.raises(ReportError, match=r"MANIFEST\.json is damaged"):
        manifest.read(tmp_path)
    (tmp_path / "MANIFEST.json").unlink()
    assert manifest.read(tmp_path) is None


# -- archives -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("form", archives.MAKERS)
def test_an_archive_larger_than_it_may_be_is_given_up(form: str) -> None:
    noise = random.Random(0).randbytes(10_000)
    out = io.BytesIO()
    with pytest.raises(archives.TooLarge), archives.MAKERS[form](out, 500) as archive:
        archive.add("a", len(noise), iter([noise]))


def test_a_seal_covers_every_byte() -> None:
    out = io.BytesIO()
    with archives.Zip(out, None) as archive:
        archive.add("a/b.txt", 5, iter([b"hello"]))
    data = out.getvalue()
    assert archives.sealed(io.BytesIO(data))
    assert zipfile.ZipFile(io.BytesIO(data)).read("a/b.txt") == b"hello"
    for place in range(len(data)):
        assert archives.sealed(io.BytesIO(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])) is False, place
    assert archives.sealed(io.BytesIO(data[:-120])) is None


# -- TOML ---------------------------------------------------------------------------------------------------------------
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8)


@given(st.dictionaries(texts, values, max_size=5))
def test_toml_says_what_it_was_made_of(tree: dict[str, Any]) -> None:
    assert tomllib.loads(to_toml(tree)) == tree


def test_toml_leaves_out_what_has_no_value() -> None:
    assert tomllib.loads(to_toml({"a": None, "b": {"c": None}, "d": {"e": 1}})) == {"b": {}, "d": {"e": 1}}
