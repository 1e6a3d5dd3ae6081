"""The pages against the WCAG A and AA rules of axe-core, in both themes, at the width of a desk and of a phone."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.browser import Browser
from tests.test_browser import draw_all_charts
from tests.test_coords import command, event, log

CHECK = """
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
  .then((r) => r.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => `${n.html} ${n.failureSummary}`)}`))
"""


def violations(page: Browser) -> list[str]:
    """What axe finds; its script goes in over DevTools, past the page's policy."""
    spec = find_spec("axe_core_python")
    if spec is None or spec.submodule_search_locations is None:
        pytest.skip("axe-core-python is not installed: pip install '.[dev]'")
    page.js((Path(next(iter(spec.submodule_search_locations))) / "axe.min.js").read_text(encoding="utf-8"))
    return list(page.js(CHECK))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_the_dashboard_has_no_violation(chromium: Browser, built: Path, dark: bool, width: int) -> None:
    chromium.open(built / "dashboard.html", width=width, dark=dark)
    draw_all_charts(chromium)
    chromium.click("#run-0 td[data-key='best']")
    chromium.js("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert violations(chromium) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_coordinates_have_no_violation(chromium: Browser, tmp_path: Path, dark: bool) -> None:
    command(log(tmp_path / "a.jsonl", [event(100), event(200)]), "-o", tmp_path)
    chromium.open(tmp_path / "coords_a.html", dark=dark)
    assert violations(chromium) == []
