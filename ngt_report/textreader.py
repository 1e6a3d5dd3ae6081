"""Reads a text log of any dialect: trials, segments and clocks, and an account of every line.

Everything that is not data is looked at once: run markers, configuration in the preamble, closing evaluations, causes
of a crash. What follows a run marker, or a step that returns to its start, is another trial of the same file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import gt, itemgetter
from typing import Any

from ngt_report import loglines
from ngt_report.files import InputFile
from ngt_report.textlog import MAYBE, Dialect, Row, Shape, Shapes, integers, numbers, printed_decimals, shape_of, tokenize
from ngt_report.waist import Block, Column, Reading, Segment, Trial

ANSI = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\n]*\x07|\x1b[@-_]")
Found = tuple[int, Shape, Row]  # physical line, shape, groups


@dataclass(slots=True)
class Part:
    """The lines of one shape in a span: where they stand in it (None: all of it), and their groups as columns."""

    shape: Shape
    places: list[int] | None
    columns: list[Sequence[bytes]]

    def pick(self, column: Any) -> Any:
        """The values of a column of the span that belong to this shape."""
        return column if self.places is None else [column[i] for i in self.places]


class Span:
    """Data lines in file order: physical line numbers, the shape of each (or the only one), and their rows."""

    def __init__(self, lines: Sequence[int], shapes: Sequence[Shape], rows: Sequence[Row]) -> None:
        self.lines, self.shapes, self.rows = lines, shapes, rows
        self._parts: list[Part] | None = None

    @classmethod
    def of(cls, found: list[Found]) -> Span:
        """A span of lines with their own shapes."""
        lines, shapes, rows = zip(*found, strict=True) if found else ((), (), ())
        return cls(lines, shapes, rows)

    def __len__(self) -> int:
        return len(self.rows)

    def cut(self, start: int, end: int) -> Span:
        """A stretch of the span."""
        return Span(self.lines[start:end], self.shapes if len(self.shapes) == 1 else self.shapes[start:end], self.rows[start:end])

    def parts(self) -> list[Part]:
        """The span's lines by shape."""
        if self._parts is None:
            places: dict[int, list[int]] = {}
            if len(self.shapes) > 1:
                for i, shape in enumerate(self.shapes):
                    places.setdefault(id(shape), []).append(i)
            by_id = {id(s): s for s in self.shapes}
            self._parts = [self._part(shape, places.get(key) if len(by_id) > 1 else None) for key, shape in by_id.items()]
        return self._parts

    def _part(self, shape: Shape, places: list[int] | None) -> Part:
        rows = self.rows if places is None else [self.rows[i] for i in places]
        first, count = shape.first_group, len(shape.values)
        return Part(shape, places, [list(map(itemgetter(first + k), rows)) for k in range(count)])

    def steps(self) -> list[int]:
        """The step of every line."""
        out = [0] * len(self.rows)
        for part in self.parts():
            steps = integers(part.columns[_at(part.shape, "@step")])
            if part.places is None:
                return steps
            for i, step in zip(part.places, steps, strict=True):
                out[i] = step
        return out


class TextReader:
    """One reading of one file, block by block; `state` lets a later reading go on where this one stopped."""

    def __init__(self, file: InputFile, dialect: Dialect) -> None:
        self.file = file
        self.dialect = dialect
        self.reading = Reading()
        self.shapes = Shapes()
        self.preamble: list[tuple[int, str]] = []
        self.trial = -1
        self.segment = 0
        self.named: str | None = None  # the marker that waits for its first data line
        self.first_step: int | None = None
        self.last_step: int | None = None
        self.last_clock: float | None = None
        self.evaluated = False  # an evaluation after step 0 was seen in this segment
        self.step_clock = 0.0  # sum of per-step times, for logs that print no other
        self.total: int | None = None
        self.line = 1
        self.redrawn = False

    # -- the file -------------------------------------------------------------------------------------------------
    def read(self) -> Reading:
        """Read all blocks and say what the file held."""
        self._restore()
        for block, line in self.file.blocks(self.line):
            if not block.endswith(b"\n"):
                block = self._torn(block, line)
            if block:
                self._block(self._clean(block), line)
        self._account_giants()
        self._end_preamble()
        self._finish()
        return self.reading

    def _torn(self, rest: bytes, line: int) -> bytes:
        """A last line without its newline: pending, or data when the user says that the file is complete."""
        if rest and self.file.complete:
            return rest + b"\n"
        self.reading.lines_read += 1
        self.reading.pending += 1
        return b""

    def _clean(self, block: bytes) -> bytes:
        """Without terminal colours, NUL bytes and the CR of CRLF; other CRs stay for `_block`."""
        if b"\x1b" in block:
            block = ANSI.sub(b"", block)
        if b"\x00" in block:
            block = block.replace(b"\x00", b"")
        return block.replace(b"\r\n", b"\n") if b"\r" in block else block

    def _block(self, block: bytes, line: int) -> None:
        lines = block.count(b"\n")
        self.reading.lines_read += lines
        self.line = line + lines
        self.redrawn = b"\r" in block
        if self.redrawn:  # a progress bar redrew its line: each drawing is looked at, all have one line number
            drawn = block[:-1].split(b"\n")
            physical = [line + i for i, text in enumerate(drawn) for _ in range(text.count(b"\r") + 1)]
            self._rows(block.replace(b"\r", b"\n"), physical)
        else:
            self._rows(block, range(line, line + lines))

    def _rows(self, block: bytes, physical: Sequence[int]) -> None:
        """Find data and other lines in a block, in order, and hand them on."""
        self._learn_from(block)
        for _ in range(3):  # a shape first met deep in the block takes the block's other lines when it is read again
            rows = self.shapes.rows(block)
            shapes = self.shapes.known
            if len(shapes) == 1 and not any(map(itemgetter(-1), rows)) and all(map(itemgetter(0), rows)):
                self._span(Span(physical, shapes, rows))
                return
            found, other, slow = self._sort(rows, physical)
            if slow < 64 or len(self.shapes.known) == len(shapes):
                break
        if any(text.strip() for _, text in other):
            self._in_order(found, other)
        else:
            self.reading.ignore("blank", len({at for at, _ in other} - {at for at, _, _ in found} if other else ()))
            self._span(Span.of(found))

    def _learn_from(self, block: bytes) -> None:
        """Take a few possible data lines of a block apart, so that most lines meet a known shape."""
        for count, match in enumerate(MAYBE.finditer(block)):
            start = block.rfind(b"\n", 0, match.start()) + 1
            self._tokenize(block[start : block.find(b"\n", match.end())])
            if count >= 5:
                return

    def _sort(self, rows: list[Row], physical: Sequence[int]) -> tuple[list[Found], list[tuple[int, bytes]], int]:
        """Data lines, other lines, and how many data lines no shape took."""
        starts = [(s.first_group, s) for s in self.shapes.known]
        found: list[Found] = []
        other: list[tuple[int, bytes]] = []
        slow = 0
        for at, row in zip(physical, rows, strict=False):
            for group, shape in starts:
                if row[group]:
                    found.append((at, shape, row))
                    break
            else:
                taken = self._tokenize(row[-1]) if row[-1] and MAYBE.search(row[-1]) else None
                if taken:
                    slow += 1
                    found.append((at, *taken))
                else:
                    other.append((at, row[-1]))
        return found, other, slow

    def _tokenize(self, text: bytes) -> tuple[Shape, Row] | None:
        """Take a line apart and learn its shape."""
        if len(text) > 4096 or (values := tokenize(line := text.decode("utf-8", "replace"), self.dialect)) is None:
            return None
        shape = self.shapes.learn(shape_of(line, values))
        own = sorted(values, key=lambda v: v.start)
        return shape, (b"",) * shape.first_group + tuple(line[v.start : v.end].encode() for v in own)

    # -- what is not data -----------------------------------------------------------------------------------------
    def _in_order(self, found: list[Found], other: list[tuple[int, bytes]]) -> None:
        """Data and other lines in file order: a marker between two data lines ends a trial."""
        data_lines = {at for at, _, _ in found}
        done = 0
        for at, text in other:
            if at not in data_lines:
                self.reading.ignore("no metrics" if text.strip() else "blank")
            kind = loglines.kind_of(text)
            if kind is None and not (self.trial < 0 or self.named or self.preamble):
                continue
            upto = _first_after(found, at, done)
            if upto > done:
                self._span(Span.of(found[done:upto]))
                done = upto
            self._other(at, text.decode("utf-8", "replace"), kind)
        self._span(Span.of(found[done:]))

    def _other(self, at: int, text: str, kind: str | None) -> None:
        """A line without data: a marker, something worth recording, or a line of the preamble."""
        if kind == "marker":
            self._marker(at, text)
        elif self.trial < 0 or self.named:
            self.preamble.append((at, text[:400]))
            if kind in ("traceback", "crash", "kill") and self.named:  # it was announced and died before its first data line
                self._open_trial(at)
        elif kind is not None:
            loglines.record(self.reading, self.trial, kind, text, at, self.last_step)
        elif self.preamble:
            self.preamble.append((at, text[:400]))

    def _marker(self, at: int, text: str) -> None:
        """A line that announces a run by name."""
        name = loglines.marker_name(text)
        if self.named == name:
            return
        if self.named:  # announced, and nothing came
            self._open_trial(at)
        self._end_preamble()
        self.named = name
        self.preamble.append((at, text))

    def _end_preamble(self) -> None:
        if self.preamble and self.trial >= 0:
            loglines.harvest(self.reading, self.trial, self.preamble)
            for at, text in self.preamble:
                if (kind := loglines.kind_of(text.encode())) in ("resume", "stop", "traceback", "crash", "kill"):
                    loglines.record(self.reading, self.trial, kind, text, at, None)
            self.preamble = []

    # -- data -----------------------------------------------------------------------------------------------------
    def _span(self, span: Span) -> None:
        """Data lines without a marker between them: cut where the step falls, then make columns."""
        if not len(span):
            return
        if self.named or self.trial < 0:
            self._open_trial(span.lines[0])
        self._end_preamble()
        self.reading.lines_used += len(set(span.lines)) if self.redrawn else len(span)
        steps = span.steps()
        before = [steps[0] if self.last_step is None else self.last_step, *steps]
        cuts = [i for i, (a, b) in enumerate(zip(before, steps, strict=False)) if a > b] if any(map(gt, before, steps)) else []
        for start, end in zip([0, *cuts], [*cuts, len(steps)], strict=True):
            if start == end:
                continue
            if start in cuts:
                self._fall(steps[start], span.lines[start])
            self._columns(span.cut(start, end) if cuts else span, steps[start:end] if cuts else steps)

    def _fall(self, step: int, line: int) -> None:
        """The step fell: back to the start is another run, a smaller fall a restart that supersedes."""
        if self.first_step is not None and step <= self.first_step:
            self._open_trial(line)
            return
        self._new_segment(step, line, "continues")

    def _new_segment(self, step: int | None, line: int, clock: Any) -> None:
        self.segment += 1
        self.reading.segments.append(Segment(self.trial, self.segment, step, line, clock))
        self.evaluated = False

    def _open_trial(self, line: int) -> None:
        self.trial += 1
        self.reading.trials.append(Trial(self.trial, "curve", self.named, line, shared=self.named is not None))
        if self.named:
            self.reading.fact("marker", self.named, self.trial, line)
        self.named = None
        self.segment, self.first_step, self.last_step, self.last_clock = 0, None, None, None
        self.evaluated, self.step_clock, self.total = False, 0.0, None
        self._end_preamble()

    def _columns(self, span: Span, steps: list[int]) -> None:
        """Points of one trial between two falls of the step."""
        if self.first_step is None:
            self.first_step = steps[0]
        parts = span.parts()
        clocks = self._clocks(span, parts, steps)
        for part in parts:
            self._emit(part, part.pick(span.lines), part.pick(steps), None if clocks is None else part.pick(clocks))
        self.last_step = steps[-1]

    def _clocks(self, span: Span, parts: list[Part], steps: list[int]) -> list[float | None] | None:
        """The clock of each line in seconds as printed; falls of it are resets or restarts."""
        clocks: list[float | None] | None = None
        for part in parts:
            for k, value in enumerate(part.shape.values):
                if value.name not in ("@clock", "@step_clock"):
                    continue
                seconds: list[Any] = numbers(part.columns[k], value.scale)
                if value.name == "@step_clock":
                    seconds = [self._add_step_time(s, at) for s, at in zip(seconds, part.pick(steps), strict=True)]
                if part.places is None:
                    clocks = seconds
                    continue
                clocks = clocks or [None] * len(steps)
                for i, s in zip(part.places, seconds, strict=True):
                    clocks[i] = s
        if clocks is None:
            return None
        known = clocks if len(parts) == 1 else [c for c in clocks if c is not None]
        if known and (known[0] < (self.last_clock or 0.0) or any(map(gt, known, known[1:]))):  # type: ignore[operator, arg-type]
            self._watch_clock(span, parts, steps, clocks)
        elif known:
            self.last_clock = known[-1]
            self.evaluated = self.evaluated or (steps[-1] > 0 and any(_evaluates(p.shape) for p in parts))
        return clocks

    def _add_step_time(self, seconds: float, step: int) -> float:
        """A log that prints each step's own time: the clock is their sum, over the steps that were not printed too."""
        steps = max(1, step - self.last_step) if self.last_step is not None else 1
        self.step_clock += seconds * steps
        self.last_step = step
        return self.step_clock

    def _watch_clock(self, span: Span, parts: list[Part], steps: list[int], clocks: list[float | None]) -> None:
        """Line by line: where the clock falls, and whether an evaluation came before."""
        evaluating = {i for p in parts if _evaluates(p.shape) for i in (p.places if p.places is not None else range(len(steps)))}
        for i, clock in enumerate(clocks):
            if clock is None or clock != clock:
                continue
            if self.last_clock is not None and clock < self.last_clock:
                self._clock_fell(span.lines[i], steps[i])
            self.last_clock = clock
            if steps[i] > 0 and i in evaluating:
                self.evaluated = True

    def _clock_fell(self, line: int, step: int) -> None:
        """Before the first evaluation it was reset after warm-up; later it was restarted by a resume."""
        segments = [s for s in self.reading.segments if s.trial == self.trial]
        if segments and segments[-1].line == line:
            segments[-1].clock = "restarts"
        elif not self.evaluated:
            self.reading.segments.append(Segment(self.trial, self.segment, None, line, "start", reset_line=line))
        else:
            self._new_segment(None, line, "restarts")

    def _emit(self, part: Part, lines: Sequence[int], steps: Sequence[int], clocks: Sequence[float | None] | None) -> None:
        columns = {}
        tokens: list[int] | None = None
        for texts, value in zip(part.columns, part.shape.values, strict=True):
            if value.name == "@tokens":
                tokens = [round(v) for v in numbers(texts, value.scale)]
            elif value.name == "@total":
                self._totals(texts[-1], lines[-1])
            elif value.name[0] != "@":
                columns[value.name] = Column(numbers(texts, value.scale), printed_decimals(texts, value.scale))
        if columns or clocks is not None:
            self.reading.blocks.append(Block(self.trial, self.segment, steps, columns, lines, None, clocks, tokens))

    def _totals(self, text: bytes, line: int) -> None:
        total = int(text.replace(b",", b""))
        if total != self.total:
            self.reading.fact("total_steps", total, self.trial, line)
            self.total = total

    # -- the end --------------------------------------------------------------------------------------------------
    def _account_giants(self) -> None:
        for line in self.file.too_long:
            self.reading.ignored["blank"] = self.reading.ignored.get("blank", 1) - 1
            self.reading.bad.append((line, "longer than 1 MiB"))

    def _finish(self) -> None:
        reading = self.reading
        reading.ignored = {rule: n for rule, n in reading.ignored.items() if n}
        if self.named:
            self._open_trial(self.line)
        for trial in reading.trials:
            reading.fact("clock.scope", self.dialect.scope, trial.index)
        reading.state = {
            "line": self.line, "trial": self.trial, "segment": self.segment, "first_step": self.first_step, "last_step": self.last_step,
            "last_clock": self.last_clock, "evaluated": self.evaluated, "step_clock": self.step_clock, "total": self.total,
        }  # fmt: skip
        if not reading.blocks and self.file.state is None:
            reading.status = "empty" if not self.file.size else "no metrics"

    def _restore(self) -> None:
        for key, value in (self.file.state or {}).items():
            setattr(self, key, value)


def _evaluates(shape: Shape) -> bool:
    return any(v.name.startswith("val/") for v in shape.values)


def _at(shape: Shape, name: str) -> int:
    return next(k for k, v in enumerate(shape.values) if v.name == name)


def _first_after(found: list[Found], line: int, start: int) -> int:
    """Index of the first data line after a physical line."""
    low, high = start, len(found)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if found[middle][0] < line else (low, middle)
    return low


def read_text(file: InputFile, dialect: Dialect) -> Reading:
    """Read a text log in a dialect."""
    return TextReader(file, dialect).read()


def first_data_line(file: InputFile, dialect: Dialect) -> tuple[int, list[str]] | None:
    """The number of the first data line and the data lines near it; looks through the whole file if it must."""
    if "first_data" not in file.notes:
        file.notes["first_data"] = None if file.encoding == "binary" else _first_data(file, dialect)
    found: tuple[int, list[str]] | None = file.notes["first_data"]
    return found


def _first_data(file: InputFile, dialect: Dialect) -> tuple[int, list[str]] | None:
    for block, line in file.blocks():
        for match in MAYBE.finditer(block):
            start = block.rfind(b"\n", 0, match.start()) + 1
            end = (block + b"\n").find(b"\n", match.end()) if block[-1:] != b"\n" else block.find(b"\n", match.end())
            text = block[start:end].decode("utf-8", "replace")
            if len(text) < 4096 and tokenize(loglines.plain(text), dialect):
                sample = [loglines.plain(t.decode("utf-8", "replace")) for t in block[start : start + 16384].split(b"\n")[:24]]
                return line + block.count(b"\n", 0, start), [t for t in sample if tokenize(t, dialect)]
    return None
