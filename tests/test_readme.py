"""The README cannot lie: its excerpt is a piece of the golden report, and its shell lines are commands that exist."""

from __future__ import annotations

import os
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def excerpt() -> str:
    """The golden report from its title to the end of the fixed-step table."""
    text = (ROOT / "tests" / "golden" / "w3_25m.Summary.md").read_text(encoding="utf-8")
    return text[text.index("# w3_25m") : text.index("## Best vs last")].strip()


def test_the_excerpt_is_what_the_sample_gives() -> None:
    """To accept a change: UPDATE_GOLDEN=1 pytest tests/test_readme.py"""
    text = README.read_text(encoding="utf-8")
    new = re.sub(
        r"<!-- excerpt -->.*<!-- /excerpt -->",
        lambda m: f"<!-- excerpt -->\n```markdown\n{excerpt()}\n```\n<!-- /excerpt -->",
        text,
        flags=re.DOTALL,
    )
    if os.environ.get("UPDATE_GOLDEN"):
        README.write_text(new, encoding="utf-8")
    assert README.read_text(encoding="utf-8") == new


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    named = set(re.findall(r"(?m)^make ([a-z]+)", README.read_text(encoding="utf-8")))
    assert {"demo", "test"} <= named <= targets
