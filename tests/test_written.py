"""Written documents are no logs, and logs with headings, tables and comments are no documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.readings import report, written

PROSE = """We looked at this for a long time and could not find out what made it slower.
In the end the larger model won, as it had done every time before that day.
"""
CURVE = "".join(f"step {s}: train loss {4 - s / 1000:.4f}, val loss {4.1 - s / 1000:.4f}\n" for s in range(100, 501, 100))
TOLD = "At step 500 the val loss = 3.1, and lr = 0.1 was too much.\n"
DOCUMENT = f"# What we found\n\n{PROSE}\n## Step 2: loss 3.2\n\n{PROSE}\n{TOLD}\n## Later\n\n{PROSE}"
TABLE = "| step | train loss | val loss |\n|---|---|---|\n| 100 | 4.1 | 4.2 |\n| 200 | 3.9 | 4.0 |\n| 500 | 3.5 | 3.6 |\n"


@pytest.mark.parametrize("name", ["notes.md", "notes.log"])
def test_headings_among_prose_are_no_log_and_that_is_said(name: str, tmp_path: Path) -> None:
    made = report(written(tmp_path, {f"in/{name}": DOCUMENT, "in/a.log": CURVE}) / "in", tmp_path / "out")
    assert list(made.runs) == ["a"]
    (found,) = [f for f in made.summary["findings"] if f["kind"] == "no_run"]
    assert (found["source"], found["severity"]) == (name, "info") and "written document" in found["text"]


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"# {line}\n" for line in CURVE.splitlines()),  # commented out
        "# Run 1\n\n" + CURVE + "\n# Notes\n",  # headings without prose
        "import torch\nimport math\n"
        + "\n# the learning rate is lowered in the end by a cosine, as is usual\nx = 1\n" * 9
        + "=" * 40
        + "\n"
        + CURVE,
        f"# Results\n\n## The table\n\n{PROSE}\n{TABLE}",
    ],
)
def test_what_only_looks_like_a_document_is_read(text: str, tmp_path: Path) -> None:
    (run,) = report(written(tmp_path, {"in/a.md": text}) / "in", tmp_path / "out").runs.values()
    assert run["last"]["val_loss"] == 3.6 and run["last"]["step"] == 500
