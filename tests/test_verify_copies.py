"""verify --annotate: the copy takes no file's place but that of an earlier copy, and never that of the report or the data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ngt_report.commands import cli

LOG = "step 1/2 val_loss=4.5000\nstep 2/2 val_loss=4.0000\n"
REPORT = "| run | best val loss |\n|---|---|\n| v | 4.0000 |\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g").mkdir()
    (tmp_path / "g" / "v.log").write_text(LOG)
    (tmp_path / "report.md").write_text(REPORT)
    return tmp_path


def annotate(to: str, *options: str, path: str = "g") -> Result:
    return CliRunner().invoke(cli, ["verify", "report.md", path, "--annotate", to, *options])


@pytest.mark.parametrize("force", [(), ("--force",)])
@pytest.mark.parametrize("to", ["g/v.log", "report.md", "./g/../g/v.log", "soft", "hard"])
def test_the_report_and_the_data_are_never_written_over(here: Path, to: str, force: tuple[str, ...]) -> None:
    (here / "soft").symlink_to(here / "g" / "v.log")
    os.link(here / "g" / "v.log", here / "hard")
    result = annotate(to, *force)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.endswith(f"{Path(to)} is the report or one of the files that it is held against; give --annotate another file\n")
    assert (here / "g" / "v.log").read_text() == (here / "hard").read_text() == LOG
    assert (here / "report.md").read_text() == REPORT and (here / "soft").is_symlink()


def test_a_strangers_file_is_written_over_only_with_force(here: Path) -> None:
    (here / "mine.md").write_text("mine\n")
    result = annotate("mine.md")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "mine.md exists and is no copy that ngtreport annotated; give --annotate another file, or --force" in result.stderr
    assert (here / "mine.md").read_text() == "mine\n"
    assert annotate("mine.md", "--force").exit_code == 0
    assert "4.0000 [✓]" in (here / "mine.md").read_text()


def test_an_earlier_copy_is_written_over_unless_it_was_edited(here: Path) -> None:
    assert annotate("copy.md").exit_code == annotate("copy.md").exit_code == 0
    copy = here / "copy.md"
    copy.write_text(edited := copy.read_text().replace("best", "Best"))
    assert annotate("copy.md").exit_code == 2
    assert copy.read_text() == edited
    assert sorted(p.name for p in here.iterdir()) == ["copy.md", "g", "report.md"]  # and no temporary name is left


def test_a_copy_verifies_as_its_report_does(here: Path) -> None:
    assert annotate("copy.md").stdout == "1 MATCH, 0 MISMATCH, 0 UNDECIDABLE\n"
    assert CliRunner().invoke(cli, ["verify", "copy.md", "g"]).stdout == "1 MATCH, 0 MISMATCH, 0 UNDECIDABLE\n"


def test_a_copy_that_cannot_be_written_leaves_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert "copy.md cannot be written: no space left on device; give --annotate another file" in annotate("copy.md").stderr
    assert sorted(p.name for p in here.iterdir()) == ["g", "report.md"]
