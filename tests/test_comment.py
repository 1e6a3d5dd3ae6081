"""PR_comment.md fits into a comment on GitHub; what matters least goes first, and is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt
from msgspec.structs import replace

from ngt_report.assemble.facts import Facts
from ngt_report.assemble.report import assemble
from ngt_report.commands import cli
from ngt_report.comment import BY_WEIGHT, MOST, comment, size
from ngt_report.model import Report
from ngt_report.render import summary_md
from ngt_report.store import Store


@pytest.fixture(scope="module")
def report(built: Path) -> Report:
    store = Store(str(built / "report.duckdb"), read_only=True)
    try:
        return assemble(Facts(store), "w3_25m", None, "ngtreport build logs/w3_25m")
    finally:
        store.close()


def titles(text: str) -> list[str]:
    return re.findall(r"(?m)^## (.*)$", text)


def weight(title: str) -> int:
    return next((i for i, name in enumerate(BY_WEIGHT) if name and title.startswith(name)), BY_WEIGHT.index(""))


def end(text: str) -> str:
    return text.strip().rpartition("\n")[2]


def test_a_report_that_fits_is_the_summary(report: Report) -> None:
    assert comment(report) == summary_md(report)


@pytest.mark.parametrize("most", [12_000, 9_000, 6_000, 4_500, 3_000, 2_000, 1_200, 800])
def test_the_least_important_goes_first_and_is_named(report: Report, most: int) -> None:
    text = comment(report, most)
    assert size(text) < most
    kept, every = titles(text), titles(summary_md(report))
    gone = [t for t in every if t not in kept]
    assert kept == [t for t in every if t in kept]
    assert all(title in end(text) for title in gone)
    assert end(text).endswith("Summary.md has all of it.")
    cut = [t for t in kept if f"the end of {t}" in end(text)]
    smaller = [t for t in gone if weight(t) < max(map(weight, kept))]
    assert cut or smaller or gone
    assert "Headline" in kept


NOTES = {
    "many paragraphs": "\n\n".join(f"paragraph {i} " + "word " * 60 for i in range(400)),
    "one long line": "x" * 70_000,
    "code that is cut": "```python\n" + "print('hello')\n" * 6_000 + "```\n",
    "a comment that is cut": "<!--\n" + "hidden\n" * 20_000 + "-->\n",
    "details that are cut": "<details>\n\n" + "hidden\n" * 20_000 + "\n</details>\n",
    "headings of its own": "## Findings\n\n" + "mine\n" * 20_000,
    "letters beyond the basic plane": "\U0001d49c\n" * 40_000,
}


@pytest.mark.parametrize("what", NOTES)
def test_long_notes_are_cut_and_hide_nothing_behind_them(report: Report, what: str) -> None:
    text = comment(replace(report, notes=NOTES[what]))
    assert size(text) < MOST
    assert ("the end of Notes" in end(text)) == (what != "one long line")
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    visible = re.sub(r"(?s)<!--.*?-->", "", rendered)
    assert "<h2>Fixed-step comparison (@15000)</h2>" in visible
    assert "Summary.md has all of it." in visible
    assert visible.count("<details>") == visible.count("</details>")


def test_build_writes_it_on_request_and_takes_it_away_again(tmp_path: Path, write: Callable[[str, str], Path]) -> None:
    log = write("a.log", "step 1/2 val_loss=4.5\nstep 2/2 val_loss=4.0\n")
    args = ["build", str(log), "-o", str(tmp_path / "out"), "--no-dashboard", "-q"]
    made = tmp_path / "out" / "PR_comment.md"
    assert CliRunner().invoke(cli, [*args, "--pr-comment"]).exit_code == 0
    assert made.read_bytes() == (tmp_path / "out" / "Summary.md").read_bytes()
    assert CliRunner().invoke(cli, [*args, "--pr-comment", "--check"]).exit_code == 0
    assert CliRunner().invoke(cli, args).exit_code == 0
    assert not made.exists()
    made.write_text("mine", encoding="utf-8")
    assert CliRunner().invoke(cli, [*args, "--pr-comment"]).exit_code == 3
    assert made.read_text(encoding="utf-8") == "mine"
