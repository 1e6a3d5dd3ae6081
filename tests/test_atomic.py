"""Files are whole or not there: whatever fails, the old ones stay and no temporary name is left."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ngt_report.atomic import keep, replace_files, replacing
from ngt_report.errors import ReportError


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def several(folder: Path) -> None:
    replace_files({folder / "a": b"new", folder / "b": b"new"}, "try again")


def streamed(folder: Path) -> None:
    with replacing(folder / "a", "try again") as temporary:
        temporary.write_bytes(b"new")


@pytest.mark.parametrize("write", [several, streamed])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None], step: str
) -> None:
    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(os, step, full)
    with pytest.raises(ReportError, match=r"[ab] cannot be written: no space left on device; try again"):
        write(tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a": b"old"}


def test_a_writer_that_is_interrupted_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "a", "") as temporary:
        temporary.write_bytes(b"half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_there_under_its_name_alone(tmp_path: Path) -> None:
    several(tmp_path)
    streamed(tmp_path)
    assert keep(tmp_path / "cache" / "c", b"new")
    assert not keep(tmp_path / "a" / "c", b"new")  # below a file there is no folder
    assert {p.name: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == {"a": b"new", "b": b"new", "c": b"new"}
