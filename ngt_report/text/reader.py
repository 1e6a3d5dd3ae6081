"""Reads a text log of any dialect: trials, segments and clocks, and an account of every line.

Everything that is not data is looked at once: run markers, configuration in the preamble, closing evaluations, causes
of a crash. What follows a run marker, or a step that returns to its start, is another trial of the same file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from itertools import pairwise
from operator import gt, itemgetter
from typing import Any

from msgspec.structs import asdict

from ngt_report.files import LONGEST_LINE, InputFile
from ngt_report.text import loglines, pasted
from ngt_report.text.clock import StepTimes, clocks_of, evaluates, evaluating, put_late
from ngt_report.text.datalines import DataLines
from ngt_report.text.epochsteps import EpochSteps, without_steps
from ngt_report.text.firstdata import clean, headings_of
from ngt_report.text.lone import Lone, epoch_of, values_of
from ngt_report.text.pasted import Pasted
from ngt_report.text.preamble import Preamble, Quiet
from ngt_report.text.records import open_record
from ngt_report.text.spans import Found, Part, Span, first_after
from ngt_report.text.steady import add_steady
from ngt_report.text.tokens import HEADER, Dialect, numbers, printed_decimals
from ngt_report.waist import Block, Column, Reading, Segment, Trial

VALIDATION = frozenset(("val/loss", "eval_loss"))
TOO_LONG = f"longer than {LONGEST_LINE:,} bytes"


class TextReader:
    """One reading of one file, block by block; `state` lets a later reading go on where this one stopped."""

    def __init__(self, file: InputFile, dialect: Dialect, ruled: bool = True) -> None:
        self.file = file
        self.pasted = Pasted(ruled)
        self.dialect = dialect
        self.reading, self.data = Reading(), DataLines(dialect)
        self.headings = headings_of(file, dialect.header is HEADER and dialect.line is None)
        self.preamble = Preamble(dialect.totals)
        self.quiet, self.reached = Quiet(), 0  # lines that say nothing, and the last one with data
        self.overall = False  # what closes all runs of the log was printed: it is not of the last one
        self.trial, self.segment = -1, 0
        self.named: str | None = None  # the marker that waits for its first data line
        self.first_step: int | None = None
        self.last_step: int | None = None
        self.last_clock: float | None = None
        self.times = StepTimes()
        self.evaluated = self.elapsed = False  # an evaluation after step 0, in this segment; an elapsed time: then no times of steps are
        self.per_step: float | None = None  # iterations, in logs that count both
        self.lone, self.epochs = Lone(), EpochSteps()
        self.iteration: int | None = None  # the latest, in such logs
        self.late: list[tuple[int, float]] = []  # lines whose clock a later line told
        self.gap = 0  # between the latest two steps
        self.unstepped: set[int] = set()  # trials whose steps cannot be known
        self.total: int | None = None
        self.line, self.redrawn, self.within = 1, False, False  # within: the last block ended within a record of indented values
        self.counted: set[int] = set()  # lines that are accounted for, where lines were redrawn
        self.died = False  # something after the last data line says why the run ended
        self.recent: deque[str] = deque(maxlen=8)  # lines since then

    # -- the file -------------------------------------------------------------------------------------------------
    def read(self) -> Reading:
        """Read all blocks and say what the file held."""
        self._restore()
        for block, line in self.file.blocks(self.line):
            if not block.endswith(b"\n"):
                block = self._torn(block, line)
            if block:
                self.within = open_record(block)
                self._block(clean(block), line)
        self._account_giants()
        undecided = self.within or self.trial < 0 or bool(self.named or self.preamble.lines) or self.pasted.open
        undecided |= self.lone.open or self.headings.open or self.epochs.open or self.times.waits or self.quiet.tell(self.reached)
        self.preamble.end(self.reading, self.trial)
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
        total = block.count(b"\n")
        self.reading.lines_read += total
        self.line = line + total
        for stretch, program in self.pasted.stretches(block):
            lines = total if len(stretch) == len(block) else stretch.count(b"\n")
            if program:
                self.pasted.note(stretch, line)
                self.reading.ignore(pasted.RULE, lines)
            else:
                self._stretch(stretch, line, lines)
            line += lines

    def _stretch(self, block: bytes, line: int, lines: int) -> None:
        """Lines that are no program."""
        self.redrawn, self.counted = b"\r" in block, set()
        if self.redrawn:  # a progress bar redrew its line: each drawing is looked at, all have one line number
            drawn = block[:-1].split(b"\n")
            physical = [line + i for i, text in enumerate(drawn) for _ in range(text.count(b"\r") + 1)]
            self._rows(block.replace(b"\r", b"\n"), physical)
        else:
            self._rows(block, range(line, line + lines))

    def _rows(self, block: bytes, physical: Sequence[int]) -> None:
        """Find data and other lines in a block, in order, and hand them on: long stretches of equal lines, and what lies between."""
        at = 0
        while found := self.data.equal_lines(block, at):
            start, end, span = found
            before = block.count(b"\n", at, start)
            if before:
                self._mixed_rows(block[at:start], physical[:before])
            span.lines = physical[before : before + len(span.columns[0])]  # type: ignore[index]
            self.headings.passed(span, block[start : start + 400])
            self._span(span)
            at, physical = end, physical[before + len(span) :]
        if at < len(block):
            self._mixed_rows(block[at:], physical)

    def _mixed_rows(self, block: bytes, physical: Sequence[int]) -> None:
        """Lines of any kind."""
        block = self.headings.spread(block)
        self.data.learn_from(block)
        for _ in range(3):  # a shape first met deep in the block takes the block's other lines when it is read again
            rows = self.data.shapes.rows(block)
            shapes = self.data.shapes.known
            if len(shapes) == 1 and not any(map(itemgetter(-1), rows)) and all(map(itemgetter(0), rows)):
                self._span(Span(physical, shapes, rows))
                return
            found, other, slow = self.data.sort(rows, physical)
            if slow < 64 or len(self.data.shapes.known) == len(shapes):
                break
        if any(text.strip() for _, text in other):
            self._in_order(found, other)
        else:
            blank = {at for at, _ in other} - {at for at, _, _ in found} if other else set()
            self.reading.ignore("blank", self._uncounted(blank))
            self._span(Span.of(found))

    # -- what is not data -----------------------------------------------------------------------------------------
    def _in_order(self, found: list[Found], other: list[tuple[int, bytes]]) -> None:
        """Data and other lines in file order: a marker between two data lines ends a trial."""
        data_lines = {at for at, _, _ in found}
        self.quiet.keep(other)
        done = 0
        for at, text in other:
            kind = loglines.kind_of(text)
            if kind is not None or self.trial < 0 or self.named or self.preamble.lines:
                upto = first_after(found, at, done)
                self._span(Span.of(found[done:upto]))
                done = max(done, upto)
                if at not in data_lines:
                    self._account(at, kind, text)
                if kind == "resume" and self.trial >= 0 and not self.preamble.lines:  # the process that goes on says its settings again
                    self.preamble.keep(self.quiet.lines(found[done - 1][0] if done else self.reached, at))
                self._other(at, text.decode("utf-8", "replace"), kind)
            elif at not in data_lines:
                self._account(at, kind, text)
                if self.died:
                    self.recent.append(text.decode("utf-8", "replace"))
        self._span(Span.of(found[done:]))

    def _uncounted(self, lines: Collection[int]) -> int:
        """How many of these lines are not accounted for yet; a line that was redrawn comes more than once."""
        if not self.redrawn:
            return len(lines)
        new = set(lines) - self.counted
        self.counted |= new
        return len(new)

    def _account(self, at: int, kind: str | None, text: bytes) -> None:
        """A line without data is used when it says something of a run, else ignored."""
        if not self._uncounted((at,)):
            return
        if kind in ("marker", "lone") or kind is not None and self.trial >= 0 and not self.named:
            self.reading.lines_used += 1
        else:
            self.reading.ignore("no metrics" if text.strip() else "blank")

    def _other(self, at: int, text: str, kind: str | None) -> None:
        """A line without data: a marker, something worth recording, or a line of the preamble."""
        if kind == "marker":
            self._marker(at, text)
        elif kind == "lone":
            self.lone.held.append((at, values_of(text), epoch_of(text)))
        elif self.trial < 0 or self.named:
            self.preamble.keep([(at, text)])
            if kind in loglines.ENDINGS and self.named:  # it was announced and died before its first data line
                self._open_trial(at)
        elif kind is not None:
            if kind in loglines.ENDINGS and not self.died:
                self.died = True
                self.recent.clear()
            self.recent.append(text)
            self.overall |= kind == "overall"
            if kind == "resume":
                self.preamble.keep([(at, text)])
            elif kind == "final" and loglines.unnamed(text) and not self._validated():
                said = f"{text.strip()[:80]!r} does not say of which data, and no line before it validates: it is not read"
                self.reading.note("info", "unnamed_loss", said, self.trial, at)
            elif not self.overall or kind in loglines.ENDINGS:
                loglines.record(self.reading, self.trial, kind, text, at, self.last_step)
                self.lone.closed |= kind == "final"
        elif self.preamble.lines:
            self.preamble.keep([(at, text)])

    def _validated(self) -> bool:
        """Whether a line of this trial was an evaluation."""
        return self.evaluated or any(not VALIDATION.isdisjoint(b.columns) for b in self.reading.blocks if b.trial == self.trial)

    def _marker(self, at: int, text: str) -> None:
        """A line that announces a run by name."""
        name = loglines.marker_name(text)
        if self.named == name:
            return
        if self.named:  # announced, and nothing came
            self._open_trial(at)
        self._close_lone()
        self.preamble.end(self.reading, self.trial)
        self.named = name
        self.preamble.keep([(at, text)])

    # -- data -----------------------------------------------------------------------------------------------------
    def _span(self, span: Span) -> None:
        """Data lines without a marker between them: cut where the step falls, then make columns."""
        if not len(span):
            return
        if self.named or self.trial < 0:
            self._open_trial(span.lines[0])
        self.preamble.end(self.reading, self.trial)
        self.died = self.overall = False
        self.reading.lines_used += self._uncounted(span.lines)
        since, self.reached = self.reached, span.lines[-1]
        if add_steady(self, span):
            return
        steps = self._steps(span)
        before = [self.lone.step_before(steps[0], span.shapes[0], self.first_step, self.last_step), *steps]
        cuts = [i for i, (a, b) in enumerate(zip(before, steps, strict=False)) if a > b] if any(map(gt, before, steps)) else []
        for start, end in zip([0, *cuts], [*cuts, len(steps)], strict=True):
            if start == end:
                continue
            if start in cuts:
                self._fall(steps[start], span.lines[start], span.lines[start - 1] if start else since)
            if self.lone.held:
                self._place_lone(steps[start:end], any(map(evaluates, span.shapes)), start in cuts)
            self._columns(span.cut(start, end) if cuts else span, steps[start:end] if cuts else steps)

    def _steps(self, span: Span) -> list[int]:
        """The step of every line; one that gives only its iteration stands at the step that earlier lines imply."""
        steps = span.counters("@step")
        epochs = span.counters("@epoch")
        if not self.dialect.iterations and (self.epochs.epoch is not None or any(e is not None for e in epochs)):
            return self.epochs.run_steps(steps, epochs, span.counters("@total"))
        if self.dialect.iterations:
            counts = span.counters("@iteration")
            self.per_step = self.per_step or next((c / s for c, s in zip(counts, steps, strict=True) if c and s), None)
            for i, count in enumerate(counts):
                step = steps[i]
                if count is None and step == self.iteration:  # TinyLlama calls its iterations steps where it evaluates
                    count, step = step, None
                self.iteration = count
                if step is None:
                    steps[i] = (count or 0) // max(1, int(self.per_step or 1))
                elif step > 0 and count is not None:
                    self.per_step = min(count / step, self.per_step or count / step)
        return steps  # type: ignore[return-value]

    def _fall(self, step: int, line: int, since: int) -> None:
        """The step fell: back to the start is another run, a smaller fall a restart that supersedes."""
        if self.first_step is not None and step <= self.first_step:
            self.preamble.between(self.quiet.lines(since, line))
            self._open_trial(line)
            return
        if not self.lone.leading:
            self._close_lone()
        self._new_segment(step, line, "continues")

    def _new_segment(self, step: int | None, line: int, clock: Any) -> None:
        self.segment += 1
        self.reading.segments.append(Segment(self.trial, self.segment, step, line, clock))
        self.evaluated = False

    def _place_lone(self, steps: list[int], own: bool, fell: bool) -> None:
        """Evaluations without a step, before these data lines, which may have their own; where the step fell, so may the clock."""
        lone = self.lone
        if self.last_step is None or steps[0] < self.last_step:
            step: int | None = lone.before_first(steps, own)
        else:
            lone.curve = lone.curve or not lone.stepped
            step = steps[0] if lone.ahead else self.last_step
        lone.put(
            self.reading, self.trial, self.segment, (step, None if fell else self._clock_before(step)), lone.stepped, lone.held, self.epochs
        )
        lone.held = []

    def _clock_before(self, step: int | None) -> float | None:
        """The clock of an evaluation that was printed without a step: that of the line before it, or the sum of the steps before it."""
        return self.last_clock if self.elapsed else None if step is None else self.times.before(step)

    def _close_lone(self, kept: int = 0) -> None:
        """Evaluations without a step, after the last data line of a run; some may be kept for the next run."""
        lone = self.lone
        held, lone.held = lone.held[: len(lone.held) - kept], lone.held[len(lone.held) - kept :]
        if self.trial >= 0:
            step, closing = lone.after_last(self.last_step, self.gap), not lone.curve or lone.stepped
            lone.put(self.reading, self.trial, self.segment, (step, self._clock_before(step)), closing, held, self.epochs)

    def _open_trial(self, line: int) -> None:
        if self.trial >= 0:
            self._close_lone(min(1, len(self.lone.held)) if self.lone.leading else 0)
        self._end_trial()
        self.died = False
        self.trial += 1
        self.reading.trials.append(Trial(self.trial, "curve", self.named, line, shared=self.named is not None))
        if self.named:
            self.reading.fact("marker", self.named, self.trial, line)
        self.pasted.tell(self.reading, self.trial)
        self.named = None
        self.segment, self.first_step, self.last_step, self.last_clock = 0, None, None, None
        self.evaluated, self.times, self.total, self.elapsed = False, StepTimes(), None, False
        self.lone.open_trial()
        self.preamble.end(self.reading, self.trial)

    def _end_trial(self) -> None:
        """A trial that died keeps its last lines."""
        self.late += self.times.late
        if self.died:
            self.reading.fact("crash_tail", loglines.last_lines(self.recent), self.trial, self.line)

    def _columns(self, span: Span, steps: list[int]) -> None:
        """Points of one trial between two falls of the step; where only the clock starts again, another segment begins."""
        segment = self._reached(span, steps)
        clocks, restarts = self._clocks(span, steps)
        for start, end in pairwise((0, *restarts, len(steps))):
            if start < end:  # else the clock starts again at the first line
                part = span.cut(start, end) if restarts else span
                self._points(part, steps[start:end], clocks[start:end] if clocks else None, segment)
            segment += 1

    def add_points(self, span: Span, steps: Any, clocks: Any) -> None:
        """Points of lines in which nothing falls, their steps and clocks as arrays."""
        self._see_evaluations(span.parts(), steps)
        self._points(span, steps, clocks, self._reached(span, steps))

    def _reached(self, span: Span, steps: Sequence[int]) -> int:
        """Note how far the run is; returns the segment in which it came there."""
        self._totals(span)
        self.first_step = int(steps[0]) if self.first_step is None else self.first_step
        self.gap = int(steps[-1] - (steps[-2] if len(steps) > 1 else self.last_step or 0))
        self.last_step = int(steps[-1])
        if self.epochs.unknown:
            self.unstepped.add(self.trial)
        return self.segment

    def _points(self, span: Span, steps: list[int], clocks: list[float | None] | None, segment: int) -> None:
        for part in span.parts():
            self._emit(part, part.pick(span.lines), part.pick(steps), None if clocks is None else part.pick(clocks), segment)

    def _clocks(self, span: Span, steps: list[int]) -> tuple[list[float | None] | None, list[int]]:
        """The clock of each line in seconds as printed, and the lines at which it starts again."""
        parts = span.parts()
        clocks, self.elapsed = clocks_of(parts, steps, span.lines, self.times, self.elapsed)
        if clocks is None:
            self._see_evaluations(parts, steps)
            return None, []
        known: Any = [c for c in clocks if c is not None] if None in clocks else clocks
        if known and (known[0] < (self.last_clock or 0.0) or any(map(gt, known, known[1:]))):
            return clocks, self._watch_clock(span, parts, steps, clocks)
        self.last_clock = known[-1] if known else self.last_clock
        self._see_evaluations(parts, steps)
        return clocks, []

    def _see_evaluations(self, parts: list[Part], steps: list[int]) -> None:
        """Note whether an evaluation after step 0 was seen."""
        latest = (steps[-1 if p.places is None else p.places[-1]] for p in parts if evaluates(p.shape))
        self.evaluated = self.evaluated or bool(any(step > 0 for step in latest))

    def _watch_clock(self, span: Span, parts: list[Part], steps: list[int], clocks: list[float | None]) -> list[int]:
        """Line by line: where the clock falls, and whether an evaluation came before; returns where segments begin."""
        validated = evaluating(parts, len(steps))
        restarts = []
        for i, clock in enumerate(clocks):
            if clock is not None:
                if self.last_clock is not None and clock < self.last_clock and self._clock_fell(span.lines[i], steps[i]):
                    restarts.append(i)
                self.last_clock = clock
            if steps[i] > 0 and i in validated:
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

    def _emit(self, part: Part, lines: Sequence[int], steps: Sequence[int], clocks: Sequence[float | None] | None, segment: int) -> None:
        """One block: the metrics of a shape's lines."""
        columns = {}
        tokens: list[int | None] | None = None
        for texts, value in zip(part.columns, part.shape.values, strict=True):
            if value.name == "@tokens":
                tokens = [round(v) if 0 <= v < 1e18 else None for v in numbers(texts, value)]
            elif value.name == "@total":
                continue
            elif value.name[0] != "@":
                columns[value.name] = Column(numbers(texts, value), printed_decimals(texts, value.scale))
        self.lone.see(columns)
        if columns or clocks is not None:
            self.reading.blocks.append(Block(self.trial, segment, steps, columns, lines, None, clocks, tokens))

    def _totals(self, span: Span) -> None:
        """The declared total, where it is first said and where it changes."""
        said = [(p.pick(span.lines), p.columns[k]) for p in span.parts() for k, v in enumerate(p.shape.values) if v.name == "@total"]
        if said and all(texts.count(said[0][1][0]) == len(texts) for _, texts in said):
            changes = [(min(lines[0] for lines, _ in said), said[0][1][0])]
        else:
            changes = sorted(pair for lines, texts in said for pair in zip(lines, texts, strict=False))
        for line, text in changes:
            total = self.epochs.whole(int(text.replace(b",", b"")), span.counters("@epochs")) or self.total or 0
            if self.epochs.restarts:
                self._drop_total()
            if total and total != self.total:
                self.reading.fact("total_steps", total, self.trial, line)
                self.total = total

    def _drop_total(self) -> None:
        """What was taken for the run's number of steps was an epoch's."""
        self.reading.facts = [f for f in self.reading.facts if (f.trial, f.key, f.value) != (self.trial, "total_steps", self.epochs.length)]

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
        self._close_lone()
        self._end_trial()
        without_steps(reading, self.unstepped)
        put_late(reading.blocks, self.late)
        for trial in reading.trials:
            reading.fact("clock.scope", self.dialect.scope, trial.index)
        reading.state = {
            "line": self.line, "trial": self.trial, "segment": self.segment, "first_step": self.first_step, "last_step": self.last_step,
            "last_clock": self.last_clock, "evaluated": self.evaluated, "total": self.total, "per_step": self.per_step,
            "elapsed": self.elapsed, "died": self.died, "overall": self.overall, "recent": list(self.recent) if self.died else [],
            "gap": self.gap, "iteration": self.iteration, "lone": asdict(self.lone), "epochs": asdict(self.epochs),
            "times": asdict(self.times), "program": self.pasted.said, "heading": self.headings.state,
        }  # fmt: skip
        if not reading.blocks and self.file.state is None:
            reading.status = "empty" if not self.file.size else "no metrics"

    def _restore(self) -> None:
        state = dict(self.file.state or {})
        self.pasted.said = state.pop("program", None)
        self.times = StepTimes(**state.pop("times", {}))
        self.recent.extend(state.pop("recent", ()))
        self.lone, self.epochs = Lone(**state.pop("lone", {})), EpochSteps(**state.pop("epochs", {}))
        self.headings.restore(*state.pop("heading", ()))
        for key, value in state.items():
            setattr(self, key, value)


def read_text(file: InputFile, dialect: Dialect) -> Reading:
    """Read a text log in a dialect."""
    reader = TextReader(file, dialect)
    reading = reader.read()
    if not reading.blocks and reader.pasted.seen and file.state is None:  # no ruler ended the program: its last line of code does
        file.too_long.clear()
        loose = TextReader(file, dialect, ruled=False).read()
        return loose if loose.blocks else reading
    return reading
