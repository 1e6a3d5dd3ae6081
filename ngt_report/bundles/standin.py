"""What was read of a file that stays behind when a report is bundled: a checkpoint's metadata, as JSON, instead of its gigabytes.

A build of the bundle takes it for the file, so that the report is the same to the byte. It comes from another machine: every
field is checked.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from ngt_report.bundles.checked import items, maybe, number, one_of, text, whole
from ngt_report.errors import ReportError
from ngt_report.waist import Block, Column, Fact, Finding, Reading, Trial

FORMATS = ("checkpoint", None)  # files that may stay behind; logs, tables and event files travel
SEVERITIES = ("error", "warning", "info")
STATUSES = ("read", "empty", "no metrics", "unsupported", "unreadable")


class StandIn(Struct, frozen=True):
    """A reading without its file."""

    format: str | None
    reason: str
    fingerprint: tuple[str, str]  # and its kind
    reading: Reading


def to_json(made: StandIn) -> dict[str, Any]:
    """For the manifest."""
    reading = made.reading
    return {
        "format": made.format, "reason": made.reason, "fingerprint": list(made.fingerprint),
        "status": reading.status,
        "lines": [reading.lines_read, reading.lines_used, reading.pending], "ignored": reading.ignored,
        "bad": [list(b) for b in reading.bad],
        "trials": [asdict(t) for t in reading.trials], "facts": [asdict(f) for f in reading.facts],
        "findings": [asdict(f) for f in reading.findings],
        "points": [
            {"trial": b.trial, "segment": b.segment, "step": list(b.step), "pointer": list(b.pointer or []),
             "values": {name: list(column.values) for name, column in b.columns.items()}}
            for b in reading.blocks
        ],
    }  # fmt: skip


def from_json(value: Any, where: str) -> StandIn:
    """From a manifest.

    Raises:
        ReportError: it is not what `to_json` makes.
    """
    try:
        return _from(value)
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise ReportError(f"what is said of {where}, which is not in the bundle, cannot be used ({e})") from e


def _from(value: dict[str, Any]) -> StandIn:
    format_ = one_of(value["format"], FORMATS)
    read, used, pending = (whole(v) for v in value["lines"])
    reading = Reading(
        trials=[_trial(t) for t in items(value["trials"])],
        blocks=[_block(b) for b in items(value["points"])],
        facts=[Fact(whole(f["trial"]), text(f["key"]), f["value"], maybe(whole, f["line"]), maybe(text, f["pointer"]))
               for f in items(value["facts"])],
        findings=[Finding(one_of(f["severity"], SEVERITIES), text(f["kind"]), text(f["text"]), maybe(whole, f["trial"]),
                          maybe(whole, f["line"])) for f in items(value["findings"])],
        lines_read=read, lines_used=used, pending=pending, status=one_of(value["status"], STATUSES),
        ignored={text(k): whole(v) for k, v in value["ignored"].items()},
        bad=[(whole(line), text(why)) for line, why in value["bad"]],
    )  # fmt: skip
    print_, kind = (text(v) for v in value["fingerprint"])
    return StandIn(format_, text(value["reason"]), (print_, kind), reading)


def _trial(value: dict[str, Any]) -> Trial:
    kind = one_of(value["kind"], ("checkpoint",))
    return Trial(whole(value["index"]), kind, maybe(text, value["name"]), maybe(whole, value["line"]), value["shared"] is True)


def _block(value: dict[str, Any]) -> Block:
    steps = [maybe(whole, s) for s in value["step"]]
    pointers = [text(p) for p in value["pointer"]]
    columns = {text(name): Column([number(v) for v in values]) for name, values in value["values"].items()}
    if any(len(c.values) != len(steps) for c in columns.values()) or len(pointers) not in (0, len(steps)):
        raise ValueError("columns of different lengths")
    return Block(whole(value["trial"]), whole(value["segment"]), steps, columns, pointer=pointers or None)
