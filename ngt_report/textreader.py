"""Reads a text log of any dialect: trials, segments and clocks, and an account of every line.

Everything that is not data is looked at once: run markers, configuration in the preamble, closing evaluations, causes
of a crash. What follows a run marker, or a step that returns to its start, is another trial of the same file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from operator import gt, itemgetter
from typing import Any

from ngt_report import loglines, pasted
from ngt_report.files import LONGEST_LINE, InputFile
from ngt_report.pasted import Pasted
from ngt_report.spans import Found, Part, Span
from ngt_report.textlog import CLOCKS, Dialect, Row, Shape, Shapes, numbers, printed_decimals, shape_of, tokenize
from ngt_report.waist import Block, Column, Reading, Segment, Trial

ANSI = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\n]*\x07|\x1b[@-_]")
TOO_LONG = f"longer than {LONGEST_LINE:,} bytes"


class TextReader:
    """One reading of one file, block by block; `state` lets a later reading go on where this one stopped."""

    def __init__(self, file: InputFile, dialect: Dialect, ruled: bool = True) -> None:
        self.file = file
        self.pasted = Pasted(ruled)
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
        self.usual_time: float | None = None  # of one step
        self.odd_times = 0  # how many in a row were far longer
        self.timed_step: int | None = None  # the last step whose time was printed
        self.per_step: float | None = None  # iterations, in logs that count both
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
                self._block(_clean(block), line)
        self._account_giants()
        undecided = self.trial < 0 or bool(self.named or self.preamble) or self.pasted.undecided or not self.pasted.ruled
        self._end_preamble()
        self._finish()
        if undecided:  # what the next lines are depends on lines that are gone by then: read them again
            self.reading.state = None
        return self.reading

    def _torn(self, rest: bytes, line: int) -> bytes:
        """A last line without its newline: pending, or data when the user says that the file is complete."""
        if rest and self.file.complete:
            return rest + b"\n"
        self.reading.lines_read += 1
        if self.file.complete:
            self.reading.bad.append((line, TOO_LONG))
        else:
            self.reading.pending += 1
        return b""

    def _block(self, block: bytes, line: int) -> None:
        self.reading.lines_read += block.count(b"\n")
        self.line = line + block.count(b"\n")
        for stretch, program in self.pasted.stretches(block):
            lines = stretch.count(b"\n")
            if program:
                self.reading.ignore(pasted.RULE, lines)
            else:
                self._stretch(stretch, line, lines)
            line += lines

    def _stretch(self, block: bytes, line: int, lines: int) -> None:
        """Lines that are no program."""
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
        for count, match in enumerate(self.dialect.maybe.finditer(block)):
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
                taken = self._tokenize(row[-1]) if row[-1] and self.dialect.maybe.search(row[-1]) else None
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
            kind = loglines.kind_of(text)
            if kind is not None or self.trial < 0 or self.named or self.preamble:
                upto = _first_after(found, at, done)
                self._span(Span.of(found[done:upto]))
                done = max(done, upto)
                if at not in data_lines:
                    self._account(kind, text)
                self._other(at, text.decode("utf-8", "replace"), kind)
            elif at not in data_lines:
                self._account(kind, text)
        self._span(Span.of(found[done:]))

    def _account(self, kind: str | None, text: bytes) -> None:
        """A line without data is used when it says something of a run, else ignored."""
        if kind == "marker" or kind is not None and self.trial >= 0 and not self.named:
            self.reading.lines_used += 1
        else:
            self.reading.ignore("no metrics" if text.strip() else "blank")

    def _other(self, at: int, text: str, kind: str | None) -> None:
        """A line without data: a marker, something worth recording, or a line of the preamble."""
        if kind == "marker":
            self._marker(at, text)
        elif self.trial < 0 or self.named:
            self._keep(at, text)
            if kind in ("traceback", "crash", "kill") and self.named:  # it was announced and died before its first data line
                self._open_trial(at)
        elif kind is not None:
            loglines.record(self.reading, self.trial, kind, text, at, self.last_step)
        elif self.preamble:
            self._keep(at, text)

    def _keep(self, at: int, text: str) -> None:
        """Remember a line of the preamble; of a very long one, its beginning and its end."""
        self.preamble.append((at, text[:400]))
        if len(self.preamble) > 20_000:
            del self.preamble[5_000:10_000]

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
        steps = self._steps(span)
        before = [steps[0] if self.last_step is None else self.last_step, *steps]
        cuts = [i for i, (a, b) in enumerate(zip(before, steps, strict=False)) if a > b] if any(map(gt, before, steps)) else []
        for start, end in zip([0, *cuts], [*cuts, len(steps)], strict=True):
            if start == end:
                continue
            if start in cuts:
                self._fall(steps[start], span.lines[start])
            self._columns(span.cut(start, end) if cuts else span, steps[start:end] if cuts else steps)

    def _steps(self, span: Span) -> list[int]:
        """The step of every line; one that gives only its iteration stands at the step that earlier lines imply."""
        steps = span.counters("@step")
        if self.dialect.iterations:
            for i, count in enumerate(span.counters("@iteration")):
                step = steps[i]
                if step is None:
                    steps[i] = (count or 0) // max(1, int(self.per_step or 1))
                elif step > 0 and count is not None:
                    self.per_step = min(count / step, self.per_step or count / step)
        return steps  # type: ignore[return-value]

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
        self.usual_time, self.odd_times, self.timed_step, self.per_step = None, 0, None, None
        self._end_preamble()

    def _columns(self, span: Span, steps: list[int]) -> None:
        """Points of one trial between two falls of the step; where only the clock starts again, another segment begins."""
        if self.first_step is None:
            self.first_step = steps[0]
        segment = self.segment
        clocks, restarts = self._clocks(span, steps)
        for start, end in zip([0, *restarts], [*restarts, len(steps)], strict=True):
            if restarts:
                self._points(span.cut(start, end), steps[start:end], clocks[start:end] if clocks else None, segment)
            else:
                self._points(span, steps, clocks, segment)
            segment += 1
        self.last_step = steps[-1]

    def _points(self, span: Span, steps: list[int], clocks: list[float | None] | None, segment: int) -> None:
        for part in span.parts():
            self._emit(part, part.pick(span.lines), part.pick(steps), None if clocks is None else part.pick(clocks), segment)

    def _clocks(self, span: Span, steps: list[int]) -> tuple[list[float | None] | None, list[int]]:
        """The clock of each line in seconds as printed, and the lines at which it starts again."""
        parts = span.parts()
        clocks, kind = _printed_clocks(parts, len(steps))
        if clocks is None:
            return None, []
        if kind != "@clock":
            clocks = [None if s is None else self._add_step_time(s, at, kind == "@mean_clock") for s, at in zip(clocks, steps, strict=True)]
        known: Any = [c for c in clocks if c is not None] if None in clocks else clocks
        if known and (known[0] < (self.last_clock or 0.0) or any(map(gt, known, known[1:]))):
            return clocks, self._watch_clock(span, parts, steps, clocks)
        if known:
            self.last_clock = known[-1]
            latest = (steps[-1 if p.places is None else p.places[-1]] for p in parts if _evaluates(p.shape))
            self.evaluated = self.evaluated or any(step > 0 for step in latest)
        return clocks, []

    def _add_step_time(self, seconds: float, step: int, mean: bool) -> float:
        """A log that prints step times: the clock is their sum, each printed time standing for the steps since the one before.

        One that is far longer than usual (a compilation, an evaluation) stands for itself only, unless it is a mean.
        """
        steps = max(1, step - self.timed_step) if self.timed_step is not None else 1
        usual = self.usual_time
        odd = not mean and usual is not None and seconds > 3 * usual > 0 and not self.odd_times
        self.odd_times = 1 if odd else 0
        self.usual_time = usual if odd else seconds
        self.timed_step = step
        self.step_clock += seconds + (steps - 1) * (usual if odd and usual is not None else seconds)
        return self.step_clock

    def _watch_clock(self, span: Span, parts: list[Part], steps: list[int], clocks: list[float | None]) -> list[int]:
        """Line by line: where the clock falls, and whether an evaluation came before; returns where segments begin."""
        evaluating = {i for p in parts if _evaluates(p.shape) for i in (p.places if p.places is not None else range(len(steps)))}
        restarts = []
        for i, clock in enumerate(clocks):
            if clock is None:
                continue
            if self.last_clock is not None and clock < self.last_clock and self._clock_fell(span.lines[i], steps[i]):
                restarts.append(i)
            self.last_clock = clock
            if steps[i] > 0 and i in evaluating:
                self.evaluated = True
        return restarts

    def _clock_fell(self, line: int, step: int) -> bool:
        """Before the first evaluation it was reset after warm-up; later it was restarted by a resume, and a segment begins."""
        segments = [s for s in self.reading.segments if s.trial == self.trial]
        if segments and segments[-1].line == line:
            return False  # the step fell too: whether the clock went back with it or started anew, its readings tell
        if not self.evaluated:
            self.reading.segments.append(Segment(self.trial, self.segment, None, line, "start", reset_line=line))
            return False
        self._new_segment(step, line, "restarts")
        return True

    def _emit(
        self, part: Part, lines: Sequence[int], steps: Sequence[int], clocks: Sequence[float | None] | None, segment: int
    ) -> None:
        """One block: the metrics of a shape's lines."""
        columns = {}
        tokens: list[int | None] | None = None
        for texts, value in zip(part.columns, part.shape.values, strict=True):
            if value.name == "@tokens":
                tokens = [round(v) if 0 <= v < 1e18 else None for v in numbers(texts, value)]
            elif value.name == "@total":
                self._totals(texts[-1], lines[-1])
            elif value.name[0] != "@":
                columns[value.name] = Column(numbers(texts, value), printed_decimals(texts, value.scale))
        if columns or clocks is not None:
            self.reading.blocks.append(Block(self.trial, segment, steps, columns, lines, None, clocks, tokens))

    def _totals(self, text: bytes, line: int) -> None:
        total = int(text.replace(b",", b""))
        if total != self.total:
            self.reading.fact("total_steps", total, self.trial, line)
            self.total = total

    # -- the end --------------------------------------------------------------------------------------------------
    def _account_giants(self) -> None:
        for line in self.file.too_long:
            if line < self.line:  # it came as a blank line; a torn one did not
                self.reading.ignore("blank", -1)
                self.reading.bad.append((line, TOO_LONG))

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
            "usual_time": self.usual_time, "odd_times": self.odd_times, "timed_step": self.timed_step, "per_step": self.per_step,
            "program": [self.pasted.inside, self.pasted.odd],
        }  # fmt: skip
        if not reading.blocks and self.file.state is None:
            reading.status = "empty" if not self.file.size else "no metrics"

    def _restore(self) -> None:
        state = dict(self.file.state or {})
        self.pasted.inside, self.pasted.odd = state.pop("program", (False, [False, False]))
        for key, value in state.items():
            setattr(self, key, value)


def _clean(block: bytes) -> bytes:
    """Without terminal colours, NUL bytes and the CR of CRLF; other CRs stay for `_stretch`."""
    if b"\x1b" in block:
        block = ANSI.sub(b"", block)
    if b"\x00" in block:
        block = block.replace(b"\x00", b"")
    if b"\xef\xbb\xbf" in block:  # files that were put together each have their mark
        block = block.replace(b"\xef\xbb\xbf", b"")
    return block.replace(b"\r\n", b"\n") if b"\r" in block else block


def _printed_clocks(parts: list[Part], size: int) -> tuple[list[float | None] | None, str]:
    """What the lines print of time, and which kind it is; an elapsed time counts before times of steps."""
    kinds = [{v.name for v in p.shape.values if v.name in CLOCKS} for p in parts]
    kind = next((name for name in CLOCKS if any(name in k for k in kinds)), None)
    if kind is None:
        return None, ""
    clocks: list[float | None] = [None] * size if len(parts) > 1 else []
    for part in parts:
        for k, value in enumerate(part.shape.values):
            if value.name != kind:
                continue
            seconds: list[float | None] = list(numbers(part.columns[k], value))
            if not math.isfinite(sum(seconds)):  # type: ignore[arg-type]
                seconds = [s if s is not None and math.isfinite(s) else None for s in seconds]
            if part.places is None:
                return seconds, kind
            for i, s in zip(part.places, seconds, strict=True):
                clocks[i] = s
    return clocks, kind


def _evaluates(shape: Shape) -> bool:
    return any(v.name.startswith("val/") for v in shape.values)


def _first_after(found: list[Found], line: int, start: int) -> int:
    """Index of the first data line after a physical line."""
    low, high = start, len(found)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if found[middle][0] < line else (low, middle)
    return low


def read_text(file: InputFile, dialect: Dialect) -> Reading:
    """Read a text log in a dialect."""
    reader = TextReader(file, dialect)
    reading = reader.read()
    if not reading.blocks and reader.pasted.seen and file.state is None:  # no ruler ended the program: its last line of code does
        file.too_long.clear()
        loose = TextReader(file, dialect, ruled=False).read()
        return loose if loose.blocks else reading
    return reading


def first_data_line(file: InputFile, dialect: Dialect) -> tuple[int, list[str]] | None:
    """The number of the first data line and the data lines near it; looks through the whole file if it must."""
    key = f"first data line: {dialect.maybe.pattern!r}"
    if key not in file.notes:
        programs = Pasted()
        found = None if file.encoding == "binary" else _first_data(file, dialect, programs)
        if found is None and programs.seen:
            found = _first_data(file, dialect, Pasted(ruled=False))
        file.notes[key] = found
    noted: tuple[int, list[str]] | None = file.notes[key]
    return noted


def _first_data(file: InputFile, dialect: Dialect, programs: Pasted) -> tuple[int, list[str]] | None:
    for block, line in file.blocks():
        for stretch, program in programs.stretches(_clean(block)):
            start = None if program else _data_at(stretch, dialect)
            if start is not None:
                sample = [loglines.plain(t.decode("utf-8", "replace")) for t in stretch[start : start + 16384].split(b"\n")[:24]]
                return line + stretch.count(b"\n", 0, start), [t for t in sample if tokenize(t, dialect)]
            line += stretch.count(b"\n")
    return None


def _data_at(block: bytes, dialect: Dialect) -> int | None:
    """Where the first data line begins."""
    for match in dialect.maybe.finditer(block):
        start = block.rfind(b"\n", 0, match.start()) + 1
        end = block.find(b"\n", match.end())
        text = block[start : len(block) if end < 0 else end].decode("utf-8", "replace")
        if len(text) < 4096 and tokenize(loglines.plain(text), dialect):
            return start
    return None
