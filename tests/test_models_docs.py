"""docs/models.md has every setting of every variant with its default, and the published parameter counts."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

pytest.importorskip("torch")

from ngt_train import variants
from tests.test_models import PUBLISHED

PAGE = (Path(__file__).parents[1] / "docs" / "models.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    return PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("name", variants.names())
def test_every_setting_is_in_the_docs(name: str) -> None:
    fields = [field.name for field in dataclasses.fields(variants.load(name).Config)]
    assert set(re.findall(r"`(\w+)`", "".join(re.findall(r"(?m)^\| (`[^|]+) \|", section(name))))) == set(fields)


@pytest.mark.parametrize("name", variants.names())
def test_defaults_in_the_docs_are_the_codes(name: str) -> None:
    defaults = {field.name: field.default for field in dataclasses.fields(variants.load(name).Config)}
    for keys, values in re.findall(r"(?m)^\| (`[^|]+) \| ([^|]*) \|", section(name)):
        for key, value in zip(re.findall(r"`(\w+)`", keys), values.split(", "), strict=False):
            default = defaults[key]
            if value.strip() in ("", "as vanilla", "from the data") or default is None or default is dataclasses.MISSING:
                continue
            assert value == (str(default).lower() if isinstance(default, bool) else str(default)), key


def test_published_parameter_counts_are_in_the_docs() -> None:
    assert [count for _, _, count in PUBLISHED if f"| {count:,} |" not in section("Parameters of the published models")] == []
