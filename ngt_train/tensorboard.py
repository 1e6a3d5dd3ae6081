"""TensorBoard event files of scalars, without TensorBoard: records with checksums, three protobuf fields deep."""

from __future__ import annotations

import math
import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path

from ngt_train.errors import TrainError

VERSION = b"brain.Event:2"
START = b"\x08\x01"  # SessionLog{status: START}: TensorBoard drops what an earlier file says of its step and later ones


class TensorBoardLog:
    """One event file in a folder; a resumed run adds another, which supersedes the steps after `step`."""

    def __init__(self, folder: Path, step: int = 0) -> None:
        from google_crc32c import value

        self._crc = value
        name = f"events.out.tfevents.{time.time_ns() // 1_000_000_000}.{socket.gethostname() or 'host'}.{os.getpid()}.{step}"
        self.path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115 -- open for the whole run
        except OSError as error:
            raise TrainError(f"{self.path} cannot be opened: {error.strerror}; set log.tensorboard to another folder") from error
        self._write(_wall() + _field(3, VERSION))
        if step:
            self._write(_wall() + b"\x10" + _varint(step + 1) + _field(7, START))

    def write(self, metrics: Mapping[str, float | None], step: int) -> None:
        """One event with all metrics of a step as scalars, in float32; what is None is left out."""
        values = b"".join(
            _field(1, _field(1, name.encode()) + b"\x15" + _float32(value))
            for name, value in metrics.items() if value is not None
        )  # fmt: skip
        if values:
            self._write(_wall() + b"\x10" + _varint(step) + _field(5, values))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, event: bytes) -> None:
        """A TFRecord: length, its checksum, the event, its checksum."""
        length = struct.pack("<Q", len(event))
        try:
            self._file.write(length + self._masked(length) + event + self._masked(event))
        except OSError as error:
            raise TrainError(f"{self.path} cannot be written: {error.strerror}; free the disk and resume the run") from error

    def _masked(self, data: bytes) -> bytes:
        crc = self._crc(data)
        return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def _wall() -> bytes:
    return b"\x09" + struct.pack("<d", time.time())


def _field(number: int, payload: bytes) -> bytes:
    """A length-delimited protobuf field."""
    return bytes([number << 3 | 2]) + _varint(len(payload)) + payload


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _float32(value: float) -> bytes:
    """Rounded to float32; what is beyond its range becomes infinite."""
    try:
        return struct.pack("<f", value)
    except OverflowError:
        return struct.pack("<f", math.copysign(math.inf, value))
