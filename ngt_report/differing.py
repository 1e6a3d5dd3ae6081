"""The settings that differ between the runs of a report, each with its values and the runs that have them."""

from __future__ import annotations

import json
from typing import Any

from ngt_report.formatting import number, plain
from ngt_report.lookup import Row
from ngt_report.store import Store, finite
from ngt_report.terminal import paint, table

RECORDED = ("model", "flags", "dataset", "tokenizer", "seed", "params", "hardware", "git_commit", "total_steps", "clock_scope")
NAMES = 6  # runs of a value that are named


def recorded(run: Row) -> Row:
    """Every setting of a run that any source records; `config` is a dictionary here."""
    return {**run["config"], **{k: run[k] for k in RECORDED if run[k] is not None}}


def differing(store: Store) -> Row:
    """Settings that are not the same for all runs; null stands for runs that do not record one."""
    rows = store.rows("SELECT * FROM runs ORDER BY name")
    settings = {r["name"]: recorded({**r, "config": json.loads(r["config"] or "{}")}) for r in rows}
    keys = sorted({k for own in settings.values() for k in own})
    return {"runs": len(rows), "settings": [found for key in keys if len((found := _held(key, settings))["values"]) > 1]}


def _held(key: str, settings: dict[str, Row]) -> Row:
    """The values of a setting, those of the most runs first."""
    held: dict[str, Row] = {}
    for run, own in settings.items():
        value = own.get(key)
        held.setdefault(json.dumps(value, sort_keys=True, default=str), {"value": value, "runs": []})["runs"].append(run)
    return {"key": key, "values": sorted(held.values(), key=lambda v: (v["value"] is None, -len(v["runs"]), v["runs"]))}


# -- printed ----------------------------------------------------------------------------------------------------------
def to_json(found: Row) -> str:
    """For programs."""
    return json.dumps(finite(found), indent=1, ensure_ascii=False)


def to_text(found: Row, top: int, width: int | None) -> str:
    """One value a line, with how many runs have it, and which; last what only some of them record."""
    if not found["settings"]:
        return "one run: there is nothing to differ from" if found["runs"] == 1 else "no recorded setting differs"
    partly = [s for s in found["settings"] if sum(v["value"] is not None for v in s["values"]) == 1]
    rows = [row for s in found["settings"] if s not in partly for row in _rows(s, top)]
    lines = table(("setting", "value", "n", "runs"), rows, "llrl", width, elastic=3) if rows else []
    lines = [paint(lines[0], "dim"), *lines[1:]] if lines else []
    if partly:
        said = ", ".join(f"{s['key']} ({len(s['values'][0]['runs'])} of {found['runs']})" for s in partly)
        lines += [*([""] if lines else []), plain(f"recorded by some runs only, with one value: {said}")]
    return "\n".join(lines)


def _rows(setting: Row, top: int) -> list[tuple[str, str, str, str]]:
    shown = setting["values"][: top or None]
    rows = [(setting["key"] if i == 0 else "", _word(v["value"]), str(len(v["runs"])), _named(v["runs"])) for i, v in enumerate(shown)]
    left = len(setting["values"]) - len(shown)
    return [*rows, ("", f"and {left} more", "", "--top 0 shows all")] if left else rows


def _word(value: Any) -> str:
    if value is None:
        return "not recorded"
    return json.dumps(value) if isinstance(value, dict | list) or value == "" else number(value)


def _named(runs: list[str]) -> str:
    more = len(runs) - NAMES
    return ", ".join(runs[:NAMES]) + (f", and {more} more" if more > 0 else "")
