"""Our own event log (docs/events.md): JSON objects a line, with kind, run, segment, seq, ts, step, tokens, elapsed_s.

A healthy file of some length is handed to DuckDB as a whole (`Bulk`), once every line is known to have one of a few shapes.
Anything odd (a torn line, a NaN, a strange type, a second run) is read line by line here instead.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from ngt_report import names
from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._bulk import Scan
from ngt_report.waist import Block, Bulk, Column, Reading, Segment, Trial

ENVELOPE = ("kind", "run", "segment", "seq", "ts", "step", "tokens", "elapsed_s", "segment_elapsed_s")
RESERVED = frozenset(ENVELOPE)
NO_NUMBER = (str, list, dict, bool)
KINDS = frozenset("run_start train eval checkpoint coords note run_end".split())
NOT_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
BULK_BYTES = 4 << 10  # a smaller file is sooner read here


def sniff(file: InputFile) -> str | None:
    """An event log opens with an object that has the envelope's fields."""
    first = file.head.lstrip()[:65536].split(b"\n", 1)[0]
    if not first.startswith(b"{"):
        return None
    event = _parsed(first)
    if event is None:
        return None
    return "its first line is an event with kind, run, seq and step" if {"kind", "run", "seq", "step"} <= event.keys() else None


def read(file: InputFile) -> Reading:
    """Read the log, through DuckDB when it is large and healthy."""
    if file.size >= BULK_BYTES and not file.state and file.encoding == "utf-8" and not file.notes.get("no_bulk"):
        reading = _bulk(file)
        if reading is not None:
            return reading
    return EventReader(file).read()


class EventReader:
    """Line by line: every line is used, ignored by a named rule, bad, or pending."""

    def __init__(self, file: InputFile) -> None:
        self.file = file
        self.reading = Reading()
        self.line = 1
        self.segments: dict[str, int] = {}
        self.trials: dict[str, int] = {}
        self.columns: dict[tuple[int, int, tuple[str, ...]], list[list[Any]]] = {}
        self.wall = bool(file.notes.get("wall"))  # whether the time of writing is asked for too
        if file.state:
            self.line, self.segments, self.trials = file.state["line"], dict(file.state["segments"]), dict(file.state["trials"])

    def read(self) -> Reading:
        """Read from file.start on."""
        for block, line in self.file.blocks(self.line):
            if not block.endswith(b"\n"):
                self.reading.lines_read += 1
                if not self.file.complete:
                    self.reading.pending += 1
                    continue
                self.reading.lines_read -= 1
                block += b"\n"
            for at, text in enumerate(block[:-1].split(b"\n"), line):
                self.one(at, text)
            self.line = line + block.count(b"\n")
        self._finish()
        return self.reading

    def one(self, line: int, text: bytes) -> None:
        """One line of the log."""
        self.reading.lines_read += 1
        if not text.strip():
            self.reading.ignore("blank")
            return
        event = _parsed(text)
        if event is None:
            self.reading.bad.append((line, "not a JSON object"))
            return
        kind = event.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            self.reading.ignore("unknown kind")
            return
        problem = _problem(event)
        if problem:
            self.reading.bad.append((line, problem))
            return
        self.reading.lines_used += 1
        self._event(line, kind, event)

    def _event(self, line: int, kind: str, event: dict[str, Any]) -> None:
        trial = self.data(line, event)
        if kind in ("train", "eval"):
            self._point(line, trial, event)
        elif kind == "run_start":
            start_facts(self.reading, trial, line, event)
        elif kind == "run_end":
            self.reading.fact("status", {"status": event.get("status"), "reason": event.get("reason")}, trial, line)
        elif kind == "note":
            self._note(line, trial, event)
        elif kind == "coords":
            self.reading.fact("coords", {"layer": event.get("layer"), "step": event.get("step")}, trial, line)

    def data(self, line: int, event: dict[str, Any]) -> int:
        """The trial of an event, opened by its run's first one; a new segment is noted."""
        run = str(event.get("run", ""))
        if run not in self.trials:
            self.trials[run] = len(self.trials)
            self.reading.trials.append(Trial(self.trials[run], "curve", run or None, line, shared=True))
            self.reading.fact("clock.scope", "training", self.trials[run], line)
        self._segment(line, run, self.trials[run], event)
        return self.trials[run]

    def _note(self, line: int, trial: int, event: dict[str, Any]) -> None:
        """A remark; one with a metric and a value restores what JSON cannot hold."""
        if event.get("metric") and event.get("value") in NOT_FINITE:
            self._point(line, trial, {**event, event["metric"]: NOT_FINITE[event["value"]]}, (event["metric"],))
        if event.get("text"):
            severity = event.get("severity")
            self.reading.note(
                severity if severity in ("error", "warning", "info") else "info", "note", str(event["text"])[:300], trial, line
            )

    def _segment(self, line: int, run: str, trial: int, event: dict[str, Any]) -> None:
        segment = int(event.get("segment") or 0)
        if segment > self.segments.get(run, 0):
            step = event.get("step")
            start = step + 1 if event["kind"] == "run_start" and isinstance(step, int) else step
            self.reading.segments.append(Segment(trial, segment, start, line, "continues"))
        self.segments[run] = max(segment, self.segments.get(run, 0))

    def _point(self, line: int, trial: int, event: dict[str, Any], only: tuple[str, ...] = ()) -> None:
        own = only or event.keys() - RESERVED
        chosen = {k: number for k, v in event.items() if k in own and (number := _number(v)) is not None}
        if self.wall and (written := _written(event.get("ts"))) is not None:
            chosen["wall_s"] = written
        key = (trial, int(event.get("segment") or 0), tuple(chosen))
        rows = self.columns.setdefault(key, [])
        rows.append([line, event.get("step"), event.get("elapsed_s"), event.get("tokens"), *chosen.values()])

    def _finish(self) -> None:
        for (trial, segment, metrics), rows in self.columns.items():
            line, step, elapsed, tokens, *values = (list(c) for c in zip(*rows, strict=True))
            columns = {names.metric(m): Column(v) for m, v in zip(metrics, values, strict=True)}
            self.reading.blocks.append(Block(trial, segment, step, columns, line, None, elapsed, tokens))
        for giant in self.file.too_long:
            self.reading.ignored["blank"] -= 1
            self.reading.bad.append((giant, "longer than 1 MiB"))
        self.reading.ignored = {k: v for k, v in self.reading.ignored.items() if v}
        self.reading.state = {"line": self.line, "segments": self.segments, "trials": self.trials}
        if not self.reading.blocks and not self.file.state:
            self.reading.status = "no metrics" if self.file.size else "empty"


def start_facts(reading: Reading, trial: int, line: int, event: dict[str, Any]) -> None:
    """What a run_start says: configuration, seed, versions, fingerprints, sizes."""
    for key, value in event.items():
        if key in ENVELOPE or value is None:
            continue
        if key == "config" and isinstance(value, dict):
            for name, inner in _flat(value):
                known = names.known_config(name)
                total = names.role(name) == "total" and not known
                reading.fact("total_steps" if total else known or f"config.{name}", inner, trial, line, f"/config/{name}")
        elif key == "total_steps":
            reading.fact("total_steps", value, trial, line)
        else:
            known = names.known_config(key)
            reading.fact(known or f"config.{key}", value, trial, line)


def _flat(config: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    out: list[tuple[str, Any]] = []
    for key, value in config.items():
        if isinstance(value, dict):
            out += _flat(value, f"{prefix}{key}.")
        elif value is not None:
            out.append((prefix + str(key), value))
    return out


def _parsed(text: bytes) -> dict[str, Any] | None:
    import orjson

    try:
        value = orjson.loads(text)
    except ValueError:  # NaN is no JSON, and yet it is written
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def _problem(event: dict[str, Any]) -> str | None:
    """Why an event cannot be used."""
    step = event.get("step")
    if step is not None and (type(step) is not int or abs(step) >= 2**62):
        return f"step is {json.dumps(step)[:40]}, not a whole number"
    for key in ("elapsed_s", "tokens", "segment"):
        if type(event.get(key)) in NO_NUMBER:
            return f"{key} is {json.dumps(event[key])[:40]}, not a number"
    for key in ("tokens", "segment"):
        if (count := event.get(key)) is not None and not abs(count) < 2**62:  # NaN is not below anything
            return f"{key} is {json.dumps(count)[:40]}, not a count"
    return None


def _number(value: Any) -> float | None:
    if type(value) is float:
        return value
    return float(value) if type(value) is int and abs(value) < 1e308 else None


def _written(stamp: Any) -> float | None:
    """The time of an event in seconds since 1970."""
    try:
        return datetime.fromisoformat(stamp).timestamp() if isinstance(stamp, str) else None
    except ValueError:
        return None


def _bulk(file: InputFile) -> Reading | None:
    """The account of a healthy log whose data lines DuckDB will read; None when anything is odd."""
    reader = EventReader(file)
    scan = Scan(reader, ENVELOPE)
    if not scan.healthy(file) or len(reader.trials) != 1 or reader.reading.bad or reader.reading.ignored.get("blank"):
        return None
    metrics = scan.metrics()
    if metrics is None:
        return None
    reading = reader.reading
    reading.lines_read += scan.rows
    reading.lines_used += scan.rows
    reader.line = scan.line
    reader._finish()
    reading.status = "read"
    reading.bulk = Bulk(metrics, scan.line - 1, scan.rows)
    return reading


FORMAT = Format(
    name="events",
    title="event log of ngttrain",
    example='{"kind":"eval","run":"vanilla","segment":0,"seq":7,"ts":"2026-11-20T10:00:00Z","step":500,"tokens":8192000,"elapsed_s":61.2,'
    '"segment_elapsed_s":61.2,"val/loss":6.25}',
    clock="elapsed_s, training clock over the whole run, carried over every resume",
    sniff=sniff,
    read=read,
    rank=20,
    grows=True,
    precedence=1,
    version=2,
)
