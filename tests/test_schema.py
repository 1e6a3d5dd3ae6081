"""The event log's contract: the golden log, the examples and the fields of docs/events.md, and the JSON Schema agree."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

TOP = Path(__file__).parents[1]
SCHEMA: dict[str, Any] = json.loads((TOP / "docs/events.schema.json").read_text(encoding="utf-8"))
DOCS = (TOP / "docs/events.md").read_text(encoding="utf-8")
GOLDEN = [json.loads(line) for line in (TOP / "tests/data/events/golden.jsonl").read_text(encoding="utf-8").splitlines()]
KINDS = set(SCHEMA["properties"]["kind"]["enum"])
VALID = Draft202012Validator(SCHEMA)


def problems(event: dict[str, Any]) -> list[str]:
    return [f"{'/'.join(map(str, e.path))}: {e.message}" for e in VALID.iter_errors(event)]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert {part["if"]["properties"]["kind"]["const"] for part in SCHEMA["allOf"]} == KINDS


def test_every_golden_line_is_valid() -> None:
    assert {i: found for i, event in enumerate(GOLDEN, 1) if (found := problems(event))} == {}


def test_the_golden_log_shows_every_kind_a_resume_and_a_null() -> None:
    assert {event["kind"] for event in GOLDEN} == KINDS
    assert [event["seq"] for event in GOLDEN] == list(range(len(GOLDEN)))
    assert [event["segment"] for event in GOLDEN if event["kind"] == "run_start"] == [0, 1]
    lost = [(event["step"], key) for event in GOLDEN if event["kind"] == "eval" for key, value in event.items() if value is None]
    assert lost and lost == [(event["step"], event["metric"]) for event in GOLDEN if event["kind"] == "note"]


def test_the_examples_in_the_docs_are_valid_and_show_every_kind() -> None:
    events = [json.loads(line) for block in re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL) for line in block.splitlines()]
    assert {event["kind"] for event in events} == KINDS
    assert {event["seq"]: found for event in events if (found := problems(event))} == {}


def test_every_field_of_the_schema_is_in_the_docs() -> None:
    fields = {name for part in (SCHEMA, *SCHEMA["$defs"].values()) for name in part.get("properties", {})}
    assert sorted(name for name in fields if f"`{name}`" not in DOCS) == []


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("eval", {"val/loss": "4.5"}),
        ("eval", {"Val Loss": 4.5}),
        ("train", {"step": 1.5}),
        ("train", {"step": None}),
        ("train", {"seq": -1}),
        ("train", {"ts": "yesterday"}),
        ("train", {"kind": "progress"}),
        ("run_start", {"schema": 2}),
        ("checkpoint", {"checkpoint": "newest"}),
        ("note", {"value": "nan"}),
        ("run_end", {"status": "done"}),
    ],
)
def test_what_breaks_the_contract_is_refused(kind: str, change: dict[str, Any]) -> None:
    event = next(event for event in GOLDEN if event["kind"] == kind)
    assert problems(event) == []
    assert problems(event | change)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_event_goes_without_its_required_fields(kind: str) -> None:
    event = next(event for event in GOLDEN if event["kind"] == kind)
    wanted = {"train": "metrics", "eval": "metrics"}.get(kind, kind)
    for name in (*SCHEMA["required"], *SCHEMA["$defs"][wanted]["required"]):
        assert problems({key: value for key, value in event.items() if key != name}), name
