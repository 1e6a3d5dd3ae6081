"""A stamp that somebody else wrote: it makes no file ours that a build does not write, and none outside the report's folder."""

from __future__ import annotations

import json
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ngt_report.build import Request, build
from ngt_report.bundles.bundle import report_files
from ngt_report.commands import cli
from ngt_report.stamp import STAMP, Stamp, stamp_of
from ngt_report.watching.serve import _known

SECRET = b"a key\n"
SUM = sha256(SECRET).hexdigest()
LOG = "step 1/2 val_loss=4.5\nstep 2/2 val_loss=4.0\n"


def ngtreport(*args: str) -> Result:
    return CliRunner().invoke(cli, list(args))


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a report, beside logs and a file that is nobody's business."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "id_rsa").write_bytes(SECRET)
    (tmp_path / "g").mkdir()
    (tmp_path / "g" / "a.log").write_text(LOG)
    (tmp_path / "artifacts" / "g").mkdir(parents=True)
    return tmp_path / "artifacts" / "g"


def packed(archive: str) -> bytes:
    with tarfile.open(archive) as members:
        return b"".join(f.read() for m in members if (f := members.extractfile(m)))


@pytest.mark.parametrize(
    "name", ["../../home/id_rsa", "{home}/id_rsa", "coords_/../../../home/id_rsa.html", "resume_\\..\\id.toml", "a.log"]
)
def test_no_file_that_a_stamp_names_elsewhere_is_deleted_packed_or_served(planted: Path, tmp_path: Path, name: str) -> None:
    name = name.format(home=tmp_path / "home")
    names = {name: SUM}
    (planted / STAMP).write_text(json.dumps({"outputs": names, "beside": names}))
    assert not _known(planted) and report_files(planted) == []
    assert ngtreport("bundle", "g", "-o", "b.tar.xz", "-q").exit_code == 0
    assert (tmp_path / "home" / "id_rsa").read_bytes() == SECRET
    assert SECRET not in packed("b.tar.xz")


def test_a_link_that_a_stamp_calls_ours_is_not_packed(planted: Path, tmp_path: Path) -> None:
    (planted / "Handoff.md").symlink_to(tmp_path / "home" / "id_rsa")
    (planted / STAMP).write_text(json.dumps({"outputs": {}, "beside": {"Handoff.md": SUM}}))
    assert ngtreport("bundle", "g", "-o", "b.tar.xz", "-q").exit_code == 0
    assert SECRET not in packed("b.tar.xz")


@pytest.mark.parametrize(
    "content", ["[]", "nul", '{"outputs": []}', '{"beside": "x"}', '{"root": 3}', '{"options": []}', "[" * 100_000, "\udcff"]
)
def test_what_is_no_stamp_counts_as_none(planted: Path, content: str) -> None:
    (planted / STAMP).write_text(content, encoding="utf-8", errors="surrogateescape")
    assert stamp_of(planted) == Stamp()
    result = ngtreport("build", "g", "--no-dashboard")
    assert (result.exit_code, result.stdout) == (0, "artifacts/g/Summary.md\n")


@pytest.mark.parametrize("outputs", [{"Summary.md": 3}, {"Summary.md": "x"}, {"Summary.md": SUM.upper()}, {"Summary.md": [SUM]}])
def test_only_a_checksum_makes_a_file_ours(planted: Path, outputs: dict[str, Any]) -> None:
    (planted / STAMP).write_text(json.dumps({"outputs": outputs}))
    (planted / "Summary.md").write_text("mine\n")
    assert "was not written by ngtreport" in ngtreport("build", "g", "--no-dashboard").stderr
    assert (planted / "Summary.md").read_text() == "mine\n"


@pytest.mark.parametrize("options", [{"step": "x"}, {"group_by": 3}, {"dashboard": None}])
def test_options_that_cannot_be_are_one_sentence(planted: Path, options: dict[str, Any]) -> None:
    build(Request(("g",), dashboard=False))
    stamp = json.loads((planted / STAMP).read_text())
    (planted / STAMP).write_text(json.dumps(stamp | {"options": options}))
    result = ngtreport("bundle", "g", "-o", "b.tar.xz", "-q")
    assert result.exit_code == 3
    assert "has options that no build writes" in result.stderr and "build the report again" in result.stderr


# -- NOTES.md -----------------------------------------------------------------------------------------------------------
def test_notes_that_are_a_link_out_of_the_folder_are_not_quoted_nor_packed(planted: Path, tmp_path: Path) -> None:
    (planted / "NOTES.md").unlink(missing_ok=True)
    (planted / "NOTES.md").symlink_to(tmp_path / "home" / "id_rsa")
    assert ngtreport("build", "g", "--no-dashboard").exit_code == 0
    text = (planted / "Summary.md").read_text(encoding="utf-8")
    assert SECRET.decode().strip() not in text and "NOTES.md of the report is a link out of its folder and was not followed" in text
    assert ngtreport("bundle", "g", "-o", "b.tar.xz", "-q").exit_code == 0
    assert SECRET not in packed("b.tar.xz")
    assert (tmp_path / "home" / "id_rsa").read_bytes() == SECRET


def test_notes_that_are_a_link_within_the_folder_are_the_users_own(planted: Path) -> None:
    (planted / "NOTES.md").unlink(missing_ok=True)
    (planted / "mine.md").write_text("Own words.\n")
    (planted / "NOTES.md").symlink_to("mine.md")
    assert ngtreport("build", "g", "--no-dashboard").exit_code == 0
    assert "Own words." in (planted / "Summary.md").read_text(encoding="utf-8")
