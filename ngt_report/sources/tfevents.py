"""TensorBoard event files: scalars with their steps and wall times, read record by record, every checksum checked.

A file is a row of records: u64 length, masked CRC-32C of the length, payload, masked CRC-32C of the payload. A damaged
payload costs its own record; a damaged length costs what lies before the next place where length, payload and both
checksums agree. A record that the end of the file cuts off is pending.
"""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Callable
from typing import BinaryIO

from msgspec import Struct, field

from ngt_report import names
from ngt_report.files import BLOCK, InputFile, run_folder
from ngt_report.sources import Format
from ngt_report.sources._axes import Axes
from ngt_report.sources._event_proto import Event, Malformed, only_scalar, parse
from ngt_report.waist import Block, Column, Reading, Segment, Trial

LARGEST = 64 << 20  # bytes of a record; larger ones (graphs, images) are passed over
RESYNC = 16 << 20  # bytes that are searched for the next whole record
MOST_TRIES = 500_000  # places that are tried in one file
MOST_TAGS = 10_000
RULES = {3: "file version", 4: "graph", 6: "log message", 7: "session log", 8: "run metadata", 9: "graph", 10: "source metadata"}
NEUTRAL = frozenset(("train", "trainer", "metrics", "charts", "scalars", "perf", "optim", "optimizer", "stats", "performance"))
SPLITS = ("val", "eval", "train", "test", "best", "final", "dev")

_HEADER, _U32, _F32, _WALL = struct.Struct("<QI"), struct.Struct("<I"), struct.Struct("<f"), struct.Struct("<xd")


def _checksum() -> Callable[[bytes], int]:
    """CRC-32C in C; imported when the first event file is met."""
    from google_crc32c import value

    crc: Callable[[bytes], int] = value
    return crc


def _masked(crc: int) -> int:
    """The CRC as a record stores it."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


# -- names ------------------------------------------------------------------------------------------------------------
def metric_of(tag: str) -> str:
    """The canonical name of a tag: 'Loss/val' and 'val/loss' are one, 'train/lr' is the learning rate."""
    known = names.known_metric(tag)
    if known is not None or "/" not in tag:
        return known or names.metric(tag)
    head, _, leaf = tag.rpartition("/")
    if (turned := names.known_metric(f"{leaf}/{head}")) is not None:
        return turned
    inner = names.known_metric(leaf)
    if inner is not None and names.clean(head) in NEUTRAL and ("/" not in inner or names.clean(leaf).startswith(SPLITS)):
        return inner
    return names.metric(tag)


# -- the file ---------------------------------------------------------------------------------------------------------
class Series(Struct):
    """The points of one tag in one segment."""

    tag: str
    segment: int
    step: array[int] = field(default_factory=lambda: array("q"))
    value: array[float] = field(default_factory=lambda: array("d"))
    wall: array[float] = field(default_factory=lambda: array("d"))
    record: array[int] = field(default_factory=lambda: array("q"))
    last: int = -(1 << 63)  # the newest step; no later one is smaller

    def add(self, step: int, value: float, wall: float, record: int) -> None:
        """One more point."""
        self.last = step
        self.step.append(step)
        self.value.append(value)
        self.wall.append(wall)
        self.record.append(record)


class Reader:
    """One reading of one file; `state` lets a later one go on behind the last whole record."""

    def __init__(self, file: InputFile) -> None:
        state = file.state or {}
        self.file = file
        self.reading = Reading()
        self.crc = _checksum()
        self.offset: int = state.get("offset", file.start)
        self.record: int = state.get("record", 0)  # the number of the newest record
        self.segment: int = state.get("segment", 0)
        self.tags: dict[str, str] = dict(state.get("tags", {}))  # tag -> metric
        self.wall: float | None = state.get("wall")  # of the first event
        self.told: str | None = state.get("precision")
        self.double = self.told == "float64"
        self.series = {tag: Series(tag, self.segment, last=last) for tag, last in state.get("last", {}).items()}
        self.axes = Axes(state.get("axes", {}))  # of the series before the ones at hand
        self.done: list[Series] = []
        self.others: set[str] = set()  # tags that went back on an axis of their own
        self.lengths: dict[bytes, int] = {}  # headers whose checksum held
        self.layouts: dict[bytes, Series] = {}  # all bytes of a summary but its float -> where the float belongs
        self.tries = MOST_TRIES
        self.goes_on = True
        self.buffer, self.base = b"", 0

    def read(self) -> Reading:
        """All records from the offset on."""
        before = self.record
        with self.file.open() as source:
            self._records(source)
        self.reading.lines_read = self.record - before + self.reading.pending
        self._finish()
        return self.reading

    # -- records ------------------------------------------------------------------------------------------------------
    def _records(self, source: BinaryIO) -> None:
        end = self.file.size
        while (at := self._whole_records(self.offset)) < end:
            self.offset = at
            header = self._load(source, at, 12)[:12]
            length = self._length(header) if len(header) == 12 else None
            if len(header) < 12 or (length is not None and at + length + 16 > end):
                self._cut_off(end - at)
                return
            if length is None:
                self.offset = self._resync(source, at)
            elif length > LARGEST:
                self.record += 1
                self.reading.ignore("over 64 MiB")
                self.offset = at + length + 16
            elif len(self._load(source, at, max(BLOCK, length + 16))) < length + 16:
                self._cut_off(end - at)  # the file shrank while it was read
                return
        self.offset = at

    def _load(self, source: BinaryIO, at: int, size: int) -> bytes:
        """The bytes from `at` on, as the new buffer; fewer than `size` only at the end of the file."""
        source.seek(at)
        self.buffer, self.base = source.read(max(0, min(size, self.file.size - at))), at
        return self.buffer

    def _length(self, header: bytes) -> int | None:
        """The length that a header gives; None when its checksum does not hold."""
        length, stored = _HEADER.unpack(header)
        if _masked(self.crc(header[:8])) != stored:
            return None
        if len(self.lengths) < MOST_TAGS:
            self.lengths[header] = length
        return int(length)

    def _whole_records(self, at: int) -> int:
        """Take the whole records that the buffer holds from `at` on; returns where it stopped. This loop is the hot one."""
        buffer, size, pos = self.buffer, len(self.buffer), at - self.base
        lengths, layouts, crc, reading = self.lengths, self.layouts, self.crc, self.reading
        u32, f32, wall_of = _U32.unpack_from, _F32.unpack_from, _WALL.unpack_from
        while 0 <= pos <= size - 16:
            header = buffer[pos : pos + 12]
            length = lengths.get(header)
            if length is None and (length := self._length(header)) is None:
                break
            stop = pos + 12 + length
            if length > LARGEST or stop + 4 > size:
                break
            payload = buffer[pos + 12 : stop]
            check = crc(payload)
            self.record += 1
            pos = stop + 4
            if (((check >> 15) | (check << 17)) + 0xA282EAD8) & 0xFFFFFFFF != u32(buffer, stop)[0]:
                reading.bad.append((self.record, "checksum of the payload does not hold"))
                continue
            if length > 20 and payload[0] == 9 and payload[9] == 16:  # wall time, then a step
                step, head = payload[10], 11
                if step > 127:
                    step, head = _step(payload, step & 127)
                series = layouts.get(payload[head:-4])
                if series is not None and step >= series.last:
                    series.add(step, f32(payload, length - 4)[0], wall_of(payload)[0], self.record)
                    reading.lines_used += 1
                    continue
            self._event(payload)
        return self.base + pos

    def _cut_off(self, size: int) -> None:
        """The end of the file cuts a record off: it may still be written."""
        if self.file.complete:
            self.record += 1
            self.reading.bad.append((self.record, f"cut off after {size:,} bytes"))
            self.goes_on = False
        else:
            self.reading.pending += 1

    def _resync(self, source: BinaryIO, at: int) -> int:
        """Behind a damaged length: where the next record begins that is whole, or the end of the file."""
        found, place = None, at + 1
        while found is None and place < min(self.file.size, at + RESYNC) and self.tries > 0:
            found = self._search(source, place)
            place += BLOCK - 11
        self.record += 1
        to = self.file.size if found is None else found
        self.reading.bad.append((self.record, f"damaged length: {to - at:,} bytes lost"))
        self.goes_on &= found is not None  # what is appended may make the next record whole: read anew then
        return to

    def _search(self, source: BinaryIO, start: int) -> int | None:
        """A record in the block at `start`: a length below 4 GiB has four zero bytes in its upper half."""
        block = self._load(source, start, BLOCK)
        zeros = block.find(bytes(4), 4)
        while 0 <= zeros <= len(block) - 8 and self.tries > 0:
            self.tries -= 1
            length = self._length(block[zeros - 4 : zeros + 8])
            if length is not None and self._is_record(source, start + zeros - 4, length):
                return start + zeros - 4
            zeros = block.find(bytes(4), zeros + 1)
        return None

    def _is_record(self, source: BinaryIO, at: int, length: int) -> bool:
        if length > LARGEST or at + length + 16 > self.file.size:
            return at + length + 16 > self.file.size  # the last one, cut off
        record = self._load(source, at, length + 16)
        return bool(_masked(self.crc(record[12:-4])) == _U32.unpack(record[-4:])[0])

    # -- events -------------------------------------------------------------------------------------------------------
    def _event(self, payload: bytes) -> None:
        """An Event of any kind: its scalars become points; without one it is ignored by rule."""
        try:
            event = parse(payload)
        except Malformed as e:
            self.reading.bad.append((self.record, f"not an event: {e}"))
            return
        if self.wall is None and math.isfinite(event.wall):
            self.wall = event.wall
        if not event.scalars:
            kinds = sorted(event.kinds & RULES.keys())
            self.reading.ignore(RULES[kinds[0]] if kinds else "not a scalar" if 5 in event.kinds else "no content")
            return
        self.double |= event.double
        fallen = [tag for tag, _ in event.scalars if tag in self.series and event.step < self.series[tag].last]
        if fallen:
            self._fall(fallen, event.step)
        taken = [self._point(event, tag, value) for tag, value in event.scalars]
        if not any(taken):
            self.reading.ignore(f"more than {MOST_TAGS:,} tags")
            return
        self.reading.lines_used += 1
        self._learn(event, payload)

    def _point(self, event: Event, tag: str, value: float) -> bool:
        """One scalar, unless it is of a tag too many."""
        if tag not in self.tags:
            if len(self.tags) >= MOST_TAGS:
                return False
            self.tags[tag] = self._metric(tag)
        series = self.series.setdefault(tag, Series(tag, self.segment))
        series.add(event.step, value, event.wall, self.record)
        return True

    def _metric(self, tag: str) -> str:
        """The tag's metric; where two tags mean the same, the first has the name."""
        taken = set(self.tags.values())
        metric = wanted = metric_of(tag)
        if metric in taken:
            metric = names.clean(tag) or "unnamed"
        count = 2
        while metric in taken:
            metric, count = f"{names.clean(tag) or 'unnamed'}_{count}", count + 1
        if metric != wanted:
            text = f"tag {tag[:80]!r} means {wanted}, which an earlier tag has already; it is kept as {metric}"
            self.reading.note("info", "tag_twice", text, 0, self.record)
        return metric

    def _fall(self, fallen: list[str], step: int) -> None:
        """Tags went back: the run did, unless all of them count something else than its steps."""
        axes = self._axes()
        main = axes.main()
        steps = [tag for tag in fallen if axes.alike(tag, main)]
        if steps:
            self._restart(steps[0], step, axes)
        for tag in set(fallen) - set(steps):
            self.axes.add(tag, self.series[tag].last, 0)
        for tag in sorted(set(fallen) - set(steps) - self.others):
            self.others.add(tag)
            text = f"tag {tag[:80]!r} goes back, but counts something else than {main[:80]!r}: no restart of the run"
            self.reading.note("info", "other_axis", text, 0, self.record)

    def _axes(self) -> Axes:
        """How far the tags got by now."""
        return self.axes.with_those((tag, s.last, len(s.step)) for tag, s in self.series.items() if s.step)

    def _restart(self, tag: str, step: int, axes: Axes) -> None:
        """The run went back to an earlier step: what follows supersedes what lies beyond it, of the tags that count the same."""
        self.segment += 1
        self.reading.segments.append(Segment(0, self.segment, step, self.record, "continues"))
        kept = {name: series for name, series in self.series.items() if not axes.alike(name, tag)}
        gone = [series for name, series in self.series.items() if name not in kept]
        self.axes = self.axes.with_those((s.tag, s.last, len(s.step)) for s in gone if s.step)
        self.done += gone
        for series in kept.values():
            series.segment = self.segment
        self.series = kept
        self.layouts.clear()

    def _learn(self, event: Event, payload: bytes) -> None:
        """Remember the layout of an event with one plain scalar, for the fast path."""
        if event.kinds != {1, 2, 5} or len(event.scalars) != 1 or not 0 <= event.step < 1 << 35 or payload[9:10] != b"\x10":
            return
        head = _step(payload, 0)[1] if payload[10] > 127 else 11
        summary = payload[head:-4]
        tag = only_scalar(summary)
        if tag is not None and tag in self.series and len(self.layouts) < MOST_TAGS:
            self.layouts[summary] = self.series[tag]

    # -- the end ------------------------------------------------------------------------------------------------------
    def _finish(self) -> None:
        reading, file = self.reading, self.file
        self._blocks()
        if self.tags:
            self._tell()
        else:
            reading.status = "no metrics" if file.size else "empty"
        axes = self._axes()
        if self.goes_on and not axes.mixed():  # tags that count something else are judged by all their points
            reading.state = {
                "offset": self.offset, "record": self.record, "segment": self.segment, "tags": self.tags, "wall": self.wall,
                "last": {tag: series.last for tag, series in self.series.items()}, "precision": self.told,
                "axes": axes.seen,
            }  # fmt: skip

    def _tell(self) -> None:
        """The trial and its facts, once."""
        if self.told is None:
            self.reading.trials.append(Trial(0, "curve", named(self.file.rel), shared=True))
            self.reading.fact("clock.scope", "wall time")
            self.reading.fact("clock.semantics", "wall")
        precision = "float64" if self.double else "float32"
        if precision != self.told:
            self.reading.fact("value.precision", precision)
            self.told = precision

    def _blocks(self) -> None:
        """Series with the same steps in the same records share a block."""
        shared: dict[tuple[int, bytes, bytes], Block] = {}
        for series in (s for s in (*self.done, *self.series.values()) if s.step):
            key = (series.segment, series.step.tobytes(), series.record.tobytes())
            block = shared.get(key)
            if block is None:
                zero = self.wall or 0.0
                elapsed = array("d", [wall - zero for wall in series.wall])
                block = shared[key] = Block(0, series.segment, series.step, {}, line=series.record, elapsed=elapsed)
            block.columns[self.tags[series.tag]] = Column(series.value, None)
        self.reading.blocks = list(shared.values())


def _step(payload: bytes, low: int) -> tuple[int, int]:
    """A step of up to five bytes, of which the first is known, and where it ends; -1 for what the slow path must judge."""
    at, shift = 11, 7
    while at < 16:
        byte = payload[at]
        low |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return low, at
        shift += 7
    return -1, at


def named(rel: str) -> str | None:
    """The run's name: the folder of `events.out.tfevents...`, else the file's own without its suffix."""
    folder, _, base = rel.rpartition("/")
    if base.startswith("events.out.tfevents"):
        return run_folder(folder).rpartition("/")[2] or None
    return base.rpartition(".")[0] or base


def sniff(file: InputFile) -> str | None:
    """The text that opens every event file, or a record that begins as an Event does and whose length's checksum holds."""
    head = file.raw_head
    if len(head) < 28:
        return None
    if b"brain.Event:" in head[12:64]:
        return "the file version of TensorFlow's event format"
    if head[4:8] != bytes(4) or head[12] != 9 or _masked(_checksum()(head[:8])) != _U32.unpack_from(head, 8)[0]:
        return None
    return "records with the checksums of TensorFlow's event format"


def read(file: InputFile) -> Reading:
    """The scalars of an event file, from where the last reading stopped."""
    return Reader(file).read()


FORMAT = Format(
    name="tfevents",
    title="TensorBoard event file, scalars",
    example="events.out.tfevents.1700000000.host: records of Event { wall_time, step, summary { value { tag, simple_value } } }",
    clock="wall time since the first event of the file, pauses and evaluation included",
    sniff=sniff,
    read=read,
    rank=15,
    grows=True,
    precedence=2,
    version=3,
)
