"""TensorBoard event files: scalars with their steps and wall times, read record by record, every checksum checked.

A file is a row of records: u64 length, masked CRC-32C of the length, payload, masked CRC-32C of the payload. A payload is
the protobuf message Event {1 wall_time double, 2 step int64, 3 file_version, 5 summary}. A damaged payload costs its own
record; a damaged length costs what lies before the next place where length, payload and both checksums agree.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from ngt_report import names
from ngt_report.files import BLOCK, InputFile
from ngt_report.sources import Format
from ngt_report.waist import Block, Column, Reading, Segment, Trial

LARGEST = 64 << 20  # bytes of a record; larger ones (graphs, images) are passed over
RESYNC = 16 << 20  # bytes that are searched for the next whole record
MOST_TRIES = 500_000  # places that are tried in one file
RULES = {3: "file version", 4: "graph", 6: "log message", 7: "session log", 8: "run metadata", 9: "graph", 10: "source metadata"}
NEUTRAL = frozenset(("train", "trainer", "metrics", "charts", "scalars", "perf", "optim", "optimizer", "stats", "performance"))
FORMS = {1: "f", 2: "d", 3: "i", 9: "q"}  # TensorFlow's DataType -> how tensor_content holds it
TYPED = {1: 5, 2: 6, 3: 7, 9: 10}  # DataType -> the field that holds it otherwise

_HEADER = struct.Struct("<QI")
_U32, _F32, _F64 = struct.Struct("<I"), struct.Struct("<f"), struct.Struct("<d")
_WALL_STEP = struct.Struct("<xd")  # an Event that begins as all of them do: field 1 and its double


class Malformed(ValueError):
    """A payload that is no Event, though its checksum holds."""


def _checksum() -> Callable[[bytes], int]:
    """CRC-32C in C; imported when the first event file is met."""
    from google_crc32c import value

    crc: Callable[[bytes], int] = value
    return crc


def _masked(crc: int) -> int:
    """The CRC as a record stores it."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


# -- protobuf ---------------------------------------------------------------------------------------------------------
def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
        if shift > 63:
            raise Malformed("a number that does not end")


def _fields(data: bytes) -> list[tuple[int, int, Any]]:
    """The message's fields as (number, wire type, value); 32 and 64 bit values stay bytes."""
    out, at, end = [], 0, len(data)
    try:
        while at < end:
            tag, at = _varint(data, at)
            number, wire = tag >> 3, tag & 7
            value: Any
            if wire == 0:
                value, at = _varint(data, at)
            else:
                size, at = _varint(data, at) if wire == 2 else ({1: 8, 5: 4}[wire], at)
                value, at = data[at : at + size], at + size
            if at > end or not number:
                raise Malformed("a field that goes past its message")
            out.append((number, wire, value))
    except (IndexError, KeyError):
        raise Malformed("a field that is none") from None
    return out


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


@dataclass(slots=True)
class Event:
    """What an Event says: its time, its step, its scalars, and the numbers of the fields it has."""

    wall: float = 0.0
    step: int = 0
    scalars: list[tuple[str, float]] = field(default_factory=list)
    double: bool = False  # a scalar has more than float32's precision
    kinds: set[int] = field(default_factory=set)


def parse(payload: bytes) -> Event:
    """An Event of any layout."""
    event = Event()
    for number, wire, value in _fields(payload):
        event.kinds.add(number)
        if number == 1 and wire == 1:
            event.wall = _F64.unpack(value)[0]
        elif number == 2 and wire == 0:
            event.step = _signed(value)
        elif number == 5 and wire == 2:
            for inner, inner_wire, item in _fields(value):
                if inner == 1 and inner_wire == 2:
                    _summary_value(event, item)
    return event


def _summary_value(event: Event, data: bytes) -> None:
    """Summary.Value: a tag with a simple_value, or with a tensor of one number (TensorFlow 2)."""
    tag, number = "", None
    for inner, wire, value in _fields(data):
        if inner == 1 and wire == 2:
            tag = value.decode("utf-8", "replace")
        elif inner == 2 and wire == 5:
            number = _F32.unpack(value)[0]
        elif inner == 8 and wire == 2 and number is None:
            number, double = _tensor(value)
            event.double |= double
        elif inner == 9 and wire == 2 and _plugin(value) not in ("", "scalars"):
            return
    if number is not None:
        event.scalars.append((tag[:1000], number))


def _plugin(metadata: bytes) -> str:
    """SummaryMetadata.plugin_data.plugin_name."""
    for number, wire, value in _fields(metadata):
        if number == 1 and wire == 2:
            return next((v.decode("utf-8", "replace") for n, w, v in _fields(value) if n == 1 and w == 2), "")
    return ""


def _tensor(data: bytes) -> tuple[float | None, bool]:
    """The number of a TensorProto with one element, and whether it is wider than float32."""
    items = _fields(data)
    dtype = next((v for n, w, v in items if n == 1 and w == 0), 0)
    form = FORMS.get(dtype)
    if form is None:
        return None, False
    size = struct.calcsize("<" + form)
    numbers: list[float] = []
    for number, wire, value in items:
        if number == 4 and wire == 2 and len(value) == size:
            numbers.append(float(struct.unpack("<" + form, value)[0]))
        elif number == TYPED[dtype]:
            numbers += _typed(form, size, wire, value)
    return (numbers[0] if len(numbers) == 1 else None), dtype != 1 and len(numbers) == 1


def _typed(form: str, size: int, wire: int, value: Any) -> list[float]:
    """float_val and its like: packed or one by one; at most two are unpacked, for one is all we want."""
    if form in "iq":
        if wire == 0:
            return [float(_signed(value))]
        first, at = _varint(value, 0) if value else (0, 0)
        return [float(_signed(first))] * (1 if at == len(value) else 2) if value else []
    return [float(struct.unpack_from("<" + form, value, i)[0]) for i in range(0, min(len(value) - size + 1, 2 * size), size)]


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
    if inner is not None and names.clean(head) in NEUTRAL and ("/" not in inner or names.clean(leaf) != inner.partition("/")[2]):
        return inner
    return names.metric(tag)


# -- the file ---------------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class Series:
    """The points of one tag in one segment."""

    metric: str
    segment: int
    step: array[int] = field(default_factory=lambda: array("q"))
    value: array[float] = field(default_factory=lambda: array("d"))
    wall: array[float] = field(default_factory=lambda: array("d"))
    record: array[int] = field(default_factory=lambda: array("q"))
    last: int = -(1 << 63)  # the largest step so far


class Reader:
    """One reading of one file; `state` lets a later one go on behind the last whole record."""

    def __init__(self, file: InputFile) -> None:
        state = file.state or {}
        self.file = file
        self.reading = Reading()
        self.crc = _checksum()
        self.at: int = state.get("offset", file.start)  # byte where `buffer` begins
        self.record: int = state.get("record", 0)  # records before the one at hand
        self.segment: int = state.get("segment", 0)
        self.tags: dict[str, str] = dict(state.get("tags", {}))
        self.wall: float | None = state.get("wall")
        self.double: bool = state.get("double", False)
        self.series: dict[str, Series] = {}
        self.done: list[Series] = []
        for tag, last in state.get("last", {}).items():
            self._series(tag).last = last
        self.layouts: dict[bytes, Series] = {}  # all bytes of a summary but its float -> where the float belongs
        self.tries = MOST_TRIES
        self.goes_on = True  # a later reading can go on from here

    def read(self) -> Reading:
        """All records from the offset on."""
        with self.file.open() as source:
            source.seek(self.at)
            self._records(source)
        self._finish()
        return self.reading

    def _records(self, source: BinaryIO) -> None:
        """The loop over buffers; `_buffer` takes the whole records of one, what is left is carried on."""
        buffer = b""
        while True:
            wanted = min(max(BLOCK, self._needed(buffer) - len(buffer)), self.file.size - self.at - len(buffer))
            more = source.read(max(0, wanted))
            buffer += more
            used = self._buffer(buffer)
            if used < 0:  # a length that is none, at -used - 1
                used = self._resync(buffer, -used - 1, source)
            self.at += used
            buffer = buffer[used:] if source.tell() == self.at + len(buffer) - used else b""
            source.seek(self.at + len(buffer))
            if not more and not used:
                break
        if buffer:
            self._tail(len(buffer))

    def _needed(self, buffer: bytes) -> int:
        """Bytes of the record that the buffer begins with."""
        return _HEADER.unpack_from(buffer)[0] + 16 if len(buffer) >= 12 else 0
