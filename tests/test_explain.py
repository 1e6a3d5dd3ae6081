"""explain and formats: what a file is read as, and what becomes of its lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from ngt_report import sources
from tests.conftest import LOGS

Run = Callable[..., Result]


def test_explain_accounts_for_every_line(run: Run) -> None:
    paths = sorted(LOGS.rglob("*.log"))
    explained = json.loads(run("explain", *paths, "--json").stdout)
    for path, found in zip(paths, explained, strict=True):
        lines = found["lines"]
        assert found["format"] == "keyvalue"
        assert lines["read"] == len(path.read_text(encoding="utf-8").splitlines())
        assert lines["read"] == lines["used"] + sum(lines["ignored"].values()) + lines["bad"] + lines["pending"]
        metrics = {m["name"]: m for m in found["runs"][0]["metrics"]}
        assert (metrics["val/loss"]["points"], metrics["val/loss"]["first_step"], metrics["val/loss"]["last_step"]) == (30, 500, 15000)


def test_a_torn_last_line_is_pending_until_the_file_is_said_to_be_complete(run: Run, write: Callable[[str, str], Path]) -> None:
    path = write("a.log", "step 1/3 val_loss=4.5\nstep 2/3 val_loss=4.0\nstep 3/3 val_loss=3.5")
    text = run("explain", path).stdout
    assert "lines: 3 read = 2 used + 0 ignored + 0 bad + 1 pending" in text
    assert "no newline yet" in text
    assert "lines: 3 read = 3 used + 0 ignored + 0 bad + 0 pending" in run("explain", path, "--assume-complete").stdout


def test_a_file_that_is_no_log_says_so(run: Run, write: Callable[[str, str], Path]) -> None:
    text = run("explain", write("a.txt", "nothing\nhere\n")).stdout
    assert "no format" in text
    assert "2 read = 0 used + 2 ignored" in text
    assert text.rstrip().endswith("no run")


def test_control_characters_of_a_log_are_not_printed(run: Run, write: Callable[[str, str], Path]) -> None:
    path = write("a.log", "Model: \x1b]0;evil\x07gpt\u202e flags\nstep 1/2 val_loss=4.5\nstep 2/2 val_loss=4.0\n")
    assert not set("\x1b\x07\u202e") & set(run("explain", path).stdout)


def test_formats_lists_every_format_and_shows_its_example(run: Run) -> None:
    known = {f.name: f for f in sources.formats()}
    assert {f["name"] for f in json.loads(run("formats", "--json").stdout)} == set(known)
    listed = run("formats").stdout
    for name, form in known.items():
        assert f"\n{name} " in listed
        assert form.example.splitlines()[0] in run("formats", name).stdout


@pytest.mark.parametrize("typo", ["keyvalu", "checkpiont"])
def test_a_typo_gets_the_nearest_format(run: Run, typo: str) -> None:
    result = run("formats", typo)
    assert result.exit_code == 2
    assert "did you mean" in result.stderr
