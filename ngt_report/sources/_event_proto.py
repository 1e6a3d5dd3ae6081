"""The wire format of TensorBoard's protobuf messages, as far as a scalar needs it; no generated code, no protobuf package."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

FORMS = {1: "f", 2: "d", 3: "i", 9: "q"}  # TensorFlow's DataType -> how tensor_content holds it
TYPED = {1: 5, 2: 6, 3: 7, 9: 10}  # DataType -> the field that holds it otherwise
SIZES = {1: 8, 5: 4}  # wire type -> bytes
LONGEST_TAG = 1000
MOST_SCALARS = 100_000  # in one event

_F32, _F64 = struct.Struct("<f"), struct.Struct("<d")


class Malformed(ValueError):
    """A payload that is no Event, though its checksum holds."""


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


def _fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """The message's fields as (number, wire type, value); 32 and 64 bit values stay bytes."""
    at, end = 0, len(data)
    value: Any
    while at < end:
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(data, at)
        else:
            size, at = _varint(data, at) if wire == 2 else (SIZES[wire], at)
            value, at = data[at : at + size], at + size
        if at > end or not number:
            raise Malformed("a field that goes past its message")
        yield number, wire, value


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


class Event(Struct):
    """What an Event says: its time, its step, its scalars, and the numbers of the fields it has."""

    wall: float = 0.0
    step: int = 0
    scalars: list[tuple[str, float]] = field(default_factory=list)
    double: bool = False  # a scalar has more than float32's precision
    kinds: set[int] = field(default_factory=set)


def parse(payload: bytes) -> Event:
    """An Event of any layout; Malformed when it is none."""
    event = Event()
    try:
        _event(event, payload)
    except (IndexError, KeyError, struct.error) as e:
        raise Malformed("a field that is none") from e
    return event


def _event(event: Event, payload: bytes) -> None:
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


def only_scalar(summary: bytes) -> str | None:
    """The tag, when these are the bytes before the float of an Event's summary with just one simple_value at its end."""
    try:
        whole = summary + bytes(4)
        ((five, _, inner),) = _fields(whole)
        ((one, _, value),) = _fields(inner)
        (tag_number, _, tag), (number, wire, _) = _fields(value)
    except (ValueError, IndexError, KeyError, TypeError):
        return None
    if (five, one, tag_number, number, wire) != (5, 1, 1, 2, 5) or type(tag) is not bytes:
        return None
    return tag.decode("utf-8", "replace")[:LONGEST_TAG]


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
        if len(event.scalars) >= MOST_SCALARS:
            raise Malformed(f"more than {MOST_SCALARS:,} scalars")
        event.scalars.append((tag[:LONGEST_TAG], number))


def _plugin(metadata: bytes) -> str:
    """SummaryMetadata.plugin_data.plugin_name."""
    for number, wire, value in _fields(metadata):
        if number == 1 and wire == 2:
            return next((v.decode("utf-8", "replace") for n, w, v in _fields(value) if n == 1 and w == 2), "")
    return ""


def _tensor(data: bytes) -> tuple[float | None, bool]:
    """The number of a TensorProto with one element, and whether it is wider than float32."""
    dtype = next((v for n, w, v in _fields(data) if n == 1 and w == 0), 0)
    form = FORMS.get(dtype)
    if form is None:
        return None, False
    size = struct.calcsize("<" + form)
    numbers: list[float] = []
    for number, wire, value in _fields(data):
        if number == 4 and wire == 2 and len(value) == size:
            numbers.append(float(struct.unpack("<" + form, value)[0]))
        elif number == TYPED[dtype] and len(numbers) < 2:
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
