"""The documentation lists what the code has, and its example of a new format works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ngt_report import names, queries, sources
from ngt_report.files import InputFile

TOP = Path(__file__).parents[1]


def page(name: str) -> str:
    return (TOP / name).read_text(encoding="utf-8")


def test_every_format_has_a_section_and_a_row_in_the_readme() -> None:
    formats = [form.name for form in sources.formats()]
    assert [name for name in formats if f"\n## {name}\n" not in page("docs/formats.md")] == []
    assert [name for name in formats if f"\n| {name} |" not in page("README.md")] == []


def test_every_metric_is_in_the_docs_with_its_header() -> None:
    rows = dict(re.findall(r"(?m)^\| `(\w+)` \| (.+) \|$", page("docs/metrics.md").partition("## Relations")[2]))
    assert {
        name: " | ".join(queries.header(name)[key] for key in queries.HEADER) for name in queries.metric_names()
    }.items() <= rows.items()


# a severity, then a kind
SAID = re.compile(
    r"""["'](?:info|warning|error)["'](?: AS severity)?,\s*["']([a-z_]+)["']|'([a-z_]+)' AS kind"""
)  # a severity, then a kind


def test_every_kind_of_finding_is_in_the_docs() -> None:
    texts = [path.read_text(encoding="utf-8") for kind in ("py", "sql") for path in (TOP / "ngt_report").rglob(f"*.{kind}")]
    kinds = {found[1] or found[2] for text in texts for found in SAID.finditer(text)} - {"error", "warning", "info"}
    assert {"spike", "plateau", "aggregate_table", "repeated"} <= kinds
    assert {kind for kind in kinds if f"`{kind}`" not in page("docs/metrics.md").partition("## Findings")[2]} == set()


@pytest.mark.parametrize("table", [names.METRICS, names.CONFIG])
def test_every_canonical_name_is_in_the_docs(table: dict[str, object]) -> None:
    assert [name for name in table if f"`{name}`" not in page("docs/metrics.md")] == []


def test_the_example_of_a_new_format_reads_its_own_example(tmp_path: Path) -> None:
    code = re.findall(r"```python\n(.*?)```", page("docs/adding.md"), re.DOTALL)[0]
    made: dict[str, object] = {"__name__": "example"}
    exec(compile(code, "docs/adding.md", "exec"), made)
    form = made["FORMAT"]
    assert isinstance(form, sources.Format)
    path = tmp_path / "a.log"
    path.write_bytes(b"# hello\n" + form.example.encode() + b"\n@ 1500 | held")
    file = InputFile(str(path), "a.log", path.stat().st_size, 0)
    assert form.sniff(file) == "2 lines like `@ 500 | held-out 4.2345 | 61.2 sec`"
    reading = form.read(file)
    assert (reading.lines_read, reading.lines_used, reading.ignored, reading.pending) == (4, 2, {"no metrics": 1}, 1)
    (block,) = reading.blocks
    assert (list(block.step), list(block.line or []), list(block.elapsed or [])) == ([500, 1000], [2, 3], [61.2, 121.9])
    assert block.columns["val/loss"].values == [4.2345, 3.9871]
