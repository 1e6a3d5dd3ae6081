"""dashboard.html says what Summary.md says: verdicts, what single runs prove, why nothing is ranked."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from ngt_report.build import Request, build


def curve(total: int, *losses: float, of: str = "val_loss") -> str:
    steps = range(100, 100 * len(losses) + 1, 100)
    return "".join(f"step {s}/{total} {of}={loss:.4f} elapsed={s}s\n" for s, loss in zip(steps, losses, strict=True))


DOWN, UP = (5.0, 4.5, 4.2, 4.1, 4.0), (5.0, 3.5, 3.6, 4.6, 4.7)
FOLDERS = {
    "a baseline": {"vanilla.log": curve(500, *DOWN), "b.log": curve(500, *UP), "c.log": curve(500, *UP)},
    "several sets": {
        f"{n}.log": curve(100 * len(lost), *lost) for n, lost in (("vanilla", DOWN), ("b", UP), ("c", DOWN[:4]), ("d", UP[:4]))
    },
    "one run": {"a.log": curve(500, *DOWN)},
    "one that can be compared": {"a.log": curve(500, *DOWN), "b.log": curve(500, *DOWN, of="train_loss")},
    "no two of one length": {"a.log": curve(500, *DOWN), "b.log": curve(400, *DOWN[:4])},
    "training alone": {"a.log": curve(500, *DOWN, of="train_loss"), "b.log": curve(700, *DOWN, of="train_loss")},
    "accuracies": {"a.log": curve(500, 0.1, 0.2, 0.3, 0.4, 0.5, of="val_acc"), "b.log": curve(500, 0.1, 0.2, 0.3, 0.4, 0.6, of="val_acc")},
    "bits": {"a.log": curve(500, *DOWN, of="val_bpb"), "b.log": curve(500, *UP, of="val_bpb")},
    "no dataset said": {
        f"{n}.log": f"{said}batch_size={i} seq_len=64\n" + curve(100 * len(lost), *lost)
        for i, (n, said, lost) in enumerate((("a", "dataset=x ", DOWN), ("b", "dataset=x ", UP), ("c", "", DOWN[:4]), ("d", "", UP[:4])), 1)
    },
    "nothing": {"a.log": "hello\n"},
}
SENTENCES = re.compile(r"- ((?:Verdict|One run|No |Of \d|Lowest at).*)|nothing to rank\.$")


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_the_headline_claims_stands_on_the_page(folder: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, text in FOLDERS[folder].items():
        (tmp_path / "in" / name).write_text(text)
    made = build(Request((str(tmp_path / "in"),), out=str(tmp_path / "out"))).folder
    summary = (made / "Summary.md").read_text(encoding="utf-8").partition("## Headline")[2].partition("\n## ")[0]
    shown = (made / "dashboard.html").read_text(encoding="utf-8").partition('<section id="headline"')[2].partition("</section>")[0]
    page = words(re.sub(r"<[^>]+>", " ", shown))
    claims = [words(m[1] or line.partition(". ")[2]) for line in summary.splitlines() if (m := SENTENCES.search(line))]
    assert claims
    for claim in claims:
        said = claim.partition(", val loss")[0] if claim.startswith("lowest") else claim.partition("; bits per byte")[0]
        assert said.partition(", and no loss of")[0].replace(":", "") in page.replace(":", "")


@pytest.mark.parametrize("folder", ("a baseline", "several sets", "no dataset said"))
def test_what_stands_before_a_comparison_stands_on_the_page(folder: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, text in FOLDERS[folder].items():
        (tmp_path / "in" / name).write_text(text)
    made = build(Request((str(tmp_path / "in"),), out=str(tmp_path / "out"))).folder
    summary = (made / "Summary.md").read_text(encoding="utf-8").partition("## Before you compare")[2].partition("\n## ")[0]
    shown = (made / "dashboard.html").read_text(encoding="utf-8").partition('id="confounds"')[2].partition("</div>")[0]
    page = [words(re.sub(r"<[^>]+>", "", item)) for item in re.findall(r"<li.*?>(.*?)</li>", shown, re.DOTALL)]
    assert sorted(page) == sorted(words(line.removeprefix("- ").replace("*", "")) for line in summary.strip().splitlines())


def words(text: str) -> str:
    """Text without what only one of the two has: marks of code, thousands, capitals, spaces."""
    return re.sub(r"\s+", " ", re.sub(r"(?<=\d),(?=\d{3})", "", html.unescape(text).replace("`", "").replace("\\", ""))).strip().lower()


def test_runs_without_a_loss_are_one_line_a_reason(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for i in range(9):
        (tmp_path / "in" / f"r{i}.log").write_text(curve(500, *DOWN, of="val_bpb"))
    made = build(Request((str(tmp_path / "in"),), out=str(tmp_path / "out"), dashboard=False)).folder
    section = (made / "Summary.md").read_text(encoding="utf-8").partition("## Not ranked")[2].partition("\n## ")[0]
    assert section.strip() == "- 9 runs: validated as val/bpb only, not in nats per token (r0, r1, r2, r3, r4 and 4 more)"


def test_tables_have_no_column_that_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, losses in (("a", DOWN), ("b", UP)):
        (tmp_path / "in" / f"{name}.log").write_text(curve(500, *losses))
    made = build(Request((str(tmp_path / "in"),), out=str(tmp_path / "out"), dashboard=False)).folder
    assert "| rank | run | best val loss | ppl | step |\n" in (made / "Summary.md").read_text(encoding="utf-8")
