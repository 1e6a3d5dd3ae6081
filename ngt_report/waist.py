"""The narrow waist: what every log format is turned into, and nothing downstream knows more.

A source module fills a `Reading`: trials (what may become runs), blocks of points as columns, facts (configuration,
names, causes), findings, and an account of every line. Values are in canonical names and units (docs/metrics.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct, field

Severity = Literal["error", "warning", "info"]
Kind = Literal["curve", "row", "checkpoint", "settings"]


class Trial(Struct):
    """One candidate run inside a source: a curve, a results row, or a checkpoint's metadata."""

    index: int
    kind: Kind
    name: str | None = None  # as the source gives it; None: the file's own name stands for it
    line: int | None = None  # where it begins
    shared: bool = False  # the name identifies a run that other sources may describe too (run_id, checkpoint path)


class Column(Struct):
    """Values of one metric and their decimals as printed (None: full precision; int: the same for all)."""

    values: Sequence[float]
    decimals: Sequence[int | None] | int | None = None


class Block(Struct):
    """Points of one trial and segment, as columns of equal length; None stands for a column without values."""

    trial: int
    segment: int
    step: Sequence[int | None]
    columns: dict[str, Column]
    line: Sequence[int] | None = None
    pointer: Sequence[str] | None = None  # JSON pointer, record number or checkpoint key, where a line says too little
    elapsed: Sequence[float | None] | None = None  # seconds, as printed
    tokens: Sequence[int | None] | None = None


class Fact(Struct):
    """Something a source says about a trial; value is JSON-able. Keys: docs/metrics.md#facts."""

    trial: int
    key: str
    value: Any
    line: int | None = None
    pointer: str | None = None


class Finding(Struct):
    """Something a reader of the report should know."""

    severity: Severity
    kind: str
    text: str
    trial: int | None = None
    line: int | None = None


class Segment(Struct):
    """A stretch of a trial between restarts. A later segment supersedes earlier points from its first step on."""

    trial: int
    index: int
    start_step: int | None
    line: int
    clock: Literal["start", "continues", "restarts"] = "start"
    reset_line: int | None = None  # a warm-up reset: readings on earlier lines are no time of this clock


class Bulk(Struct):
    """Data lines of a healthy event log that DuckDB reads itself, because the file is too large for Python."""

    metrics: dict[str, str]  # key in the file -> metric
    lines: int  # all lines of the file
    rows: int  # those with data: as many must arrive


class Reading(Struct):
    """All that one file said. read = used + sum(ignored) + bad + pending, in lines (records for event files)."""

    trials: list[Trial] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)  # beyond the first, or with a clock reset
    bulk: Bulk | None = None
    facts: list[Fact] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    lines_read: int = 0
    lines_used: int = 0
    ignored: dict[str, int] = field(default_factory=dict)  # rule -> lines
    bad: list[tuple[int, str]] = field(default_factory=list)  # (line, why)
    pending: int = 0
    status: str = "read"  # read, empty, no metrics, unsupported, unreadable
    state: dict[str, Any] | None = None  # what a later reading needs to go on from here; None: read anew

    def ignore(self, rule: str, lines: int = 1) -> None:
        """Count lines that a named rule leaves out."""
        if lines:
            self.ignored[rule] = self.ignored.get(rule, 0) + lines

    def fact(self, key: str, value: Any, trial: int = 0, line: int | None = None, pointer: str | None = None) -> None:
        """Record what the source says about a trial."""
        self.facts.append(Fact(trial, key, value, line, pointer))

    def note(self, severity: Severity, kind: str, text: str, trial: int | None = None, line: int | None = None) -> None:
        """Record a finding."""
        self.findings.append(Finding(severity, kind, text, trial, line))
