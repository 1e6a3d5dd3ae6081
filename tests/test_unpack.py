"""Hostile archives write nothing outside, leave nothing behind, and each gets one sentence."""

from __future__ import annotations

import lzma
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from ngt_report.bundles import portable
from ngt_report.bundles.members import Limits
from ngt_report.bundles.unpack import unpack
from ngt_report.commands import cli
from ngt_report.errors import ReportError
from tests.hostile_archives import ARCHIVES, LOG, many, special, tar, zipped


def everything(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))


@pytest.mark.parametrize("what", ARCHIVES)
def test_a_hostile_archive_is_refused_with_one_sentence_and_leaves_nothing(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, make, word = ARCHIVES[what]
    inside = tmp_path / "above" / "here"
    inside.mkdir(parents=True)
    (inside / name).write_bytes(make())
    monkeypatch.chdir(inside)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "above"))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = everything(tmp_path)
    for command in (["open", name], ["build", name, "-o", "out"]):
        result = CliRunner().invoke(cli, command)
        assert result.exit_code == 3, result.output
        (sentence,) = result.stderr.splitlines()
        assert sentence.startswith(f"Error: {name}") or f"/{name}: " in sentence
        assert word in sentence
        assert everything(tmp_path) == before
    assert not Path("/tmp/ngtreport-out.log").exists()


@pytest.mark.parametrize("form", ["tar", "zip"])
def test_too_many_members_are_refused(form: str, tmp_path: Path) -> None:
    archive = tmp_path / "a"
    archive.write_bytes(many(form))
    with pytest.raises(ReportError, match="more than 50 members"):
        unpack(archive, tmp_path / "out", Limits(members=50))
    assert everything(tmp_path) == ["a"]
    assert len(unpack(archive, tmp_path / "out", Limits(members=60)).sums) == 60


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    archive, out = tmp_path / "a", tmp_path / "out"
    archive.write_bytes(tar([("a.log", LOG)]))
    out.mkdir()
    (out / "mine").write_bytes(b"x")
    with pytest.raises(ReportError, match="out cannot be made: file exists"):
        unpack(archive, out)
    assert everything(tmp_path) == ["a", "out", "out/mine"]


LONG = "/".join(["some folder with a long name"] * 8) + "/a.log"


@pytest.mark.parametrize("form", [0, 1, 2])  # ustar, GNU, pax
def test_what_tar_writes_is_unpacked_whole(form: int, tmp_path: Path) -> None:
    long = LONG if form else LONG[-90:]
    members = [special("./", b"5"), special("./logs", b"5"), ("./logs/a.log", LOG), (f"logs/{long}", b"x" * 512), ("logs/\u00e9mpty", b"")]
    (tmp_path / "a.txz").write_bytes(tar(members, form))
    made = unpack(tmp_path / "a.txz", tmp_path / "out")
    assert {name: size for name, (size, _) in made.sums.items()} == {"logs/a.log": len(LOG), f"logs/{long}": 512, "logs/\u00e9mpty": 0}
    assert (tmp_path / "out" / "logs" / "a.log").read_bytes() == LOG
    assert (tmp_path / "out" / "logs" / long).read_bytes() == b"x" * 512


def test_an_xz_of_several_streams_is_one_archive(tmp_path: Path) -> None:
    plain = lzma.decompress(tar([("a.log", LOG), ("b.log", LOG * 3)]))
    (tmp_path / "a").write_bytes(b"".join(lzma.compress(plain[i : i + 700]) + bytes(8) for i in range(0, len(plain), 700)))
    assert list(unpack(tmp_path / "a", tmp_path / "out").sums) == ["a.log", "b.log"]


def test_a_zip_of_folders_and_stored_files_is_unpacked_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(zipped([("logs/", b""), ("logs/a.log", LOG), ("b.log", b"")], 0))
    made = unpack(tmp_path / "a", tmp_path / "out")
    assert {name: size for name, (size, _) in made.sums.items()} == {"logs/a.log": len(LOG), "b.log": 0}


def test_unpacked_files_are_no_programs(tmp_path: Path) -> None:
    info = special("run.sh", b"0")
    info.mode = 0o6777
    (tmp_path / "a").write_bytes(tar([info]))
    unpack(tmp_path / "a", tmp_path / "out")
    assert os.stat(tmp_path / "out" / "run.sh").st_mode & 0o7111 == 0


# -- names --------------------------------------------------------------------------------------------------------------
ODD = [
    "a:b.log",
    "a_b.log",
    "A_B.log",
    "nul",
    "x/CON.txt/y.log",
    "dot.",
    " led",
    "q?",
    "\u202e",
    "\udcff.log",
    "l" * 300,
    "d/" * 60 + "e.log",
    "~",
    ".pid",
]


def test_every_name_gets_one_that_every_system_takes_and_no_two_the_same() -> None:
    taken: set[str] = set()
    aliases = [portable.alias(name, taken) for name in ODD]
    assert [a for a in aliases if portable.problem(a)] == []
    assert len({portable.same(a) for a in aliases}) == len(ODD) == len(taken)
    assert [n for n, a in zip(ODD, aliases, strict=True) if n == a] == ["a_b.log", "~", ".pid"]
    again: set[str] = set()
    assert [portable.alias(name, again) for name in ODD] == aliases
