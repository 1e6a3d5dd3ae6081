"""Event files: every scalar is read, every lost record is counted, and a torn end is waited for."""

from __future__ import annotations

import json
import random
import struct
import tempfile
from pathlib import Path
from typing import Any

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ngt_report.files import InputFile
from ngt_report.sources import choose, tfevents
from ngt_report.waist import Reading

WALL = 1.7e9


# -- a writer ---------------------------------------------------------------------------------------------------------
def varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def block(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def masked(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def record(payload: bytes) -> bytes:
    length = struct.pack("<Q", len(payload))
    return length + masked(length) + payload + masked(payload)


def event(wall: float, step: int = 0, rest: bytes = b"") -> bytes:
    return b"\x09" + struct.pack("<d", wall) + (b"\x10" + varint(step) if step else b"") + rest


def simple(tag: str, value: float) -> bytes:
    return block(1, block(1, tag.encode()) + b"\x15" + struct.pack("<f", value))


def scalar(step: int, tag: str, value: float, wall: float | None = None) -> bytes:
    return record(event(WALL + step if wall is None else wall, step, block(5, simple(tag, value))))


HEAD = record(event(WALL, 0, block(3, b"brain.Event:2")))


def tensor(tag: str, proto: bytes, plugin: str = "scalars") -> bytes:
    return block(5, block(1, block(1, tag.encode()) + block(8, proto) + block(9, block(1, block(1, plugin.encode())))))


# -- a reader ---------------------------------------------------------------------------------------------------------
def file(path: Path, data: bytes, name: str = "events.out.tfevents.1.host", **more: Any) -> InputFile:
    path.write_bytes(data)
    return InputFile(str(path), f"logs/run_a/{name}", len(data), 0, **more)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events"


def read(path: Path, data: bytes, **more: Any) -> Reading:
    reading = tfevents.read(file(path, data, **more))
    assert reading.lines_read == reading.lines_used + sum(reading.ignored.values()) + len(reading.bad) + reading.pending
    return reading


Point = tuple[str, int, int, float, int, float]


def points(*readings: Reading) -> list[Point]:
    """(metric, segment, step, value, record, elapsed), in the order of the file."""
    found = []
    for part in (b for reading in readings for b in reading.blocks):
        assert part.line is not None and part.elapsed is not None
        for metric, column in part.columns.items():
            shared = zip(part.step, column.values, part.line, part.elapsed, strict=True)
            found += [(metric, part.segment, step or 0, value, line, elapsed or 0.0) for step, value, line, elapsed in shared]
    return sorted(found, key=lambda p: (p[4], p[0]))


def test_scalars_are_read_with_step_time_and_record(path: Path) -> None:
    data = (
        HEAD
        + scalar(10, "Loss/train", 4.7748)
        + scalar(10, "Loss/val", 5.0)
        + scalar(200, "Loss/train", 4.5)
        + scalar(70_000, "Loss/train", 4.0)
    )
    assert choose(file(path, data))[0] is tfevents.FORMAT
    reading = read(path, data)
    assert points(reading) == [
        ("train/loss", 0, 10, 4.774799823760986, 2, 10.0),
        ("val/loss", 0, 10, 5.0, 3, 10.0),
        ("train/loss", 0, 200, 4.5, 4, 200.0),
        ("train/loss", 0, 70_000, 4.0, 5, 70_000.0),
    ]
    (trial,) = reading.trials
    assert (trial.kind, trial.name, trial.shared) == ("curve", "run_a", True)
    assert {f.key: f.value for f in reading.facts} == {"clock.scope": "wall time", "clock.semantics": "wall", "value.precision": "float32"}
    assert reading.ignored == {"file version": 1} and reading.lines_used == 4 and reading.lines_read == 5


def test_one_event_with_many_scalars_makes_one_block(path: Path) -> None:
    rows = [record(event(WALL + s, s, block(5, simple("train/loss", 3.0) + simple("train/lr", 0.5)))) for s in (1, 2, 3)]
    reading = read(path, b"".join(rows))
    (found,) = reading.blocks
    assert set(found.columns) == {"train/loss", "lr"} and list(found.step) == [1, 2, 3] and reading.lines_used == 3


@pytest.mark.parametrize(
    ("tag", "metric"),
    [
        ("Loss/val", "val/loss"),
        ("Loss/train", "train/loss"),
        ("loss/validation", "val/loss"),
        ("val/loss", "val/loss"),
        ("val_loss", "val/loss"),
        ("eval/loss", "eval_loss"),
        ("Accuracy/val", "val/accuracy"),
        ("perplexity/test", "test/perplexity"),
        ("train/learning_rate", "lr"),
        ("optimizer/lr", "lr"),
        ("metrics/val_loss", "val/loss"),
        ("ema/val_loss", "ema_val_loss"),
        ("loss", "train/loss"),
        ("layer0/entropy", "layer0_entropy"),
        ("", "unnamed"),
    ],
)
def test_tags_get_canonical_names(tag: str, metric: str) -> None:
    assert tfevents.metric_of(tag) == metric


def test_two_tags_of_one_metric_stay_apart(path: Path) -> None:
    reading = read(
        path, HEAD + scalar(1, "loss", 1.0) + scalar(1, "train/loss", 2.0) + scalar(1, "Loss/train", 3.0) + scalar(1, "train_loss", 4.0)
    )
    assert [p[0] for p in points(reading)] == ["train/loss", "train_loss", "loss_train", "train_loss_2"]
    assert [f.kind for f in reading.findings] == ["tag_twice"] * 3


TENSORS = {
    "float_val packed": (b"\x08\x01" + block(2, b"") + block(5, struct.pack("<f", 1.5)), 1.5),
    "float_val": (b"\x08\x01\x2d" + struct.pack("<f", 1.5), 1.5),
    "float content": (b"\x08\x01" + block(4, struct.pack("<f", 1.5)), 1.5),
    "double_val": (b"\x08\x02" + block(6, struct.pack("<d", 0.1)), 0.1),
    "double content": (b"\x08\x02" + block(4, struct.pack("<d", 0.1)), 0.1),
    "int_val": (b"\x08\x03" + block(7, varint(-3)), -3.0),
    "int_val alone": (b"\x08\x03\x38" + varint(12), 12.0),
    "int64_val": (b"\x08\x09" + block(10, varint(-(2**40))), -(2.0**40)),
    "int64 content": (b"\x08\x09" + block(4, struct.pack("<q", 7)), 7.0),
    "two floats": (b"\x08\x01" + block(5, struct.pack("<ff", 1.5, 2.5)), None),
    "two integers": (b"\x08\x03" + block(7, varint(1) + varint(2)), None),
    "a string": (b"\x08\x07" + block(8, b"hello"), None),
    "nothing": (b"\x08\x01", None),
    "no type": (b"", None),
}


@pytest.mark.parametrize("name", TENSORS)
def test_tensors_of_one_number_are_scalars(path: Path, name: str) -> None:
    proto, value = TENSORS[name]
    reading = read(path, HEAD + record(event(WALL + 1, 5, tensor("loss", proto))) + scalar(6, "val", 1.0))
    assert [p[3] for p in points(reading) if p[4] == 2] == ([] if value is None else [value])
    assert reading.ignored.get("not a scalar", 0) == (value is None) and not reading.bad
    precision = next(f.value for f in reading.facts if f.key == "value.precision")
    assert precision == ("float64" if value is not None and "float" not in name else "float32")


def test_what_is_no_scalar_is_ignored_by_a_named_rule(path: Path) -> None:
    rest = [block(4, b"graph"), block(7, b"\x08\x01"), block(8, b""), block(9, b""), block(6, b""), b""]
    rest += [
        block(5, block(1, block(1, b"h") + block(5, b"histogram"))),
        tensor("t", b"\x08\x01" + block(5, struct.pack("<f", 1)), "text"),
        block(5, b""),
    ]
    reading = read(path, HEAD + b"".join(record(event(WALL, 1, r)) for r in rest))
    assert reading.ignored == {
        "file version": 1, "graph": 2, "session log": 1, "run metadata": 1, "log message": 1, "no content": 1, "not a scalar": 3,
    }  # fmt: skip
    assert reading.status == "no metrics" and not reading.trials and not reading.blocks


def test_a_step_that_falls_begins_a_segment(path: Path) -> None:
    steps = [0, 100, 200, 300, 150, 200, 250, 0]
    data = HEAD + b"".join(scalar(s, tag, s / 8) for s in steps for tag in ("Loss/train", "Loss/val"))
    reading = read(path, data)
    assert [(p[1], p[2]) for p in points(reading) if p[0] == "val/loss"] == list(zip([0, 0, 0, 0, 1, 1, 1, 2], steps, strict=True))
    assert [(s.index, s.start_step, s.line, s.clock) for s in reading.segments] == [(1, 150, 10, "continues"), (2, 0, 16, "continues")]


def test_a_tag_that_counts_something_else_is_no_restart(path: Path) -> None:
    """Epochs that go back, or operations that are computed otherwise at the end, leave the steps alone."""
    rows = [(s, "Loss/train", 0) for s in range(100, 2100, 100)]
    epochs, work = [(e, "epoch/loss", 500 * e) for e in (1, 2, 3, 4, 2)], [(10**9 * k, "work/loss", 300 * k) for k in (1, 2, 3, 4, 5)]
    order = sorted([*((s, t, s) for s, t, _ in rows), *epochs, *work, (10**8, "work/loss", 1900)], key=lambda row: row[2])
    reading = read(path, HEAD + b"".join(scalar(s, t, 1.0, WALL + at) for s, t, at in order))
    assert not reading.segments and reading.state is None
    assert [p[2] for p in points(reading) if p[0] == "train/loss"] == list(range(100, 2100, 100))
    assert len(points(reading)) == len(order)
    (text,) = [f.text for f in reading.findings if "work/loss" in f.text and "goes back" in f.text]
    assert text == "tag 'work/loss' goes back, but counts something else than 'Loss/train': no restart of the run"


def test_a_restart_supersedes_only_tags_that_count_the_same(path: Path) -> None:
    """A loss by tokens is not cut off at a step."""
    steps = [*range(100, 1100, 100), *range(600, 1600, 100)]
    data = b"".join(scalar(s, "Loss/train", 1.0, WALL + i) + scalar(s * 512, "Loss/val", 2.0, WALL + i) for i, s in enumerate(steps[:10]))
    data += b"".join(scalar(s, "Loss/train", 1.0, WALL + 50 + i) for i, s in enumerate(steps[10:]))
    reading = read(path, HEAD + data)
    assert [(s.index, s.start_step) for s in reading.segments] == [(1, 600)]
    assert {p[1] for p in points(reading) if p[0] == "val/loss"} == {1}
    assert [p[2] for p in points(reading) if p[0] == "train/loss" and p[1] == 0] == steps[:10]


@given(
    st.lists(
        st.tuples(st.integers(-(2**62), 2**62), st.sampled_from(["loss", "val_loss", "x/ü"]), st.floats(width=32, allow_nan=False)),
        max_size=40,
    )
)
@settings(deadline=None, max_examples=150)
def test_any_scalars_come_back(rows: list[tuple[int, str, float]]) -> None:
    data = HEAD + b"".join(scalar(step, tag, value, WALL + i) for i, (step, tag, value) in enumerate(rows))
    with tempfile.TemporaryDirectory() as folder:
        reading = read(Path(folder) / "events", data)
    metrics = {"loss": "train/loss", "val_loss": "val/loss", "x/ü": "x"}
    expected = [(metrics[tag], step, value, i + 2, float(i)) for i, (step, tag, value) in enumerate(rows)]
    assert [(p[0], *p[2:]) for p in points(reading)] == expected and not reading.bad
    for tag, metric in metrics.items():
        keys = [(p[1], p[2]) for p in points(reading) if p[0] == metric]
        assert keys == sorted(keys) or any(repr(tag) in f.text for f in reading.findings)  # within a segment, steps only rise


# -- damage -----------------------------------------------------------------------------------------------------------
def hundred() -> list[bytes]:
    return [HEAD] + [scalar(i, "Loss/train" if i % 2 else "Loss/val", i / 4) for i in range(1, 100)]


def test_a_flipped_bit_costs_one_record(path: Path) -> None:
    records = hundred()
    whole = points(read(path, b"".join(records)))
    start = sum(map(len, records[:49]))
    for at in range(len(records[49])):
        data = bytearray(b"".join(records))
        data[start + at] ^= 1 << at % 8
        reading = read(path, bytes(data))
        assert [line for line, _ in reading.bad] == [50] and reading.lines_used == 98 and reading.lines_read == 100
        assert points(reading) == [p for p in whole if p[4] != 50]
        assert ("damaged length" in reading.bad[0][1]) == (at < 12)


def test_a_flip_anywhere_is_noticed(path: Path) -> None:
    good, dice = b"".join(hundred()), random.Random(7)
    whole = {p[:4] for p in points(read(path, good))}
    for _ in range(300):
        data = bytearray(good)
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        assert choose(file(path, bytes(data)))[0] is tfevents.FORMAT
        reading = read(path, bytes(data))
        assert len(reading.bad) == 1
        assert {p[:4] for p in points(reading)} <= whole


def test_truncation_at_every_byte_gives_no_wrong_number(path: Path) -> None:
    records = hundred()[:12]
    data = b"".join(records)
    whole, ends = points(read(path, data)), [sum(map(len, records[: i + 1])) for i in range(12)]
    for size in range(1, len(data) + 1):
        reading = read(path, data[:size])
        complete = sum(end <= size for end in ends)
        assert points(reading) == [p for p in whole if p[4] <= complete] and not reading.bad
        assert reading.pending == (size not in ends) and reading.lines_read == complete + reading.pending


def test_a_complete_file_has_no_pending_record(path: Path) -> None:
    reading = read(path, (HEAD + scalar(1, "loss", 1.0))[:-3], complete=True)
    assert reading.bad == [(2, f"cut off after {len(scalar(1, 'loss', 1.0)) - 3} bytes")] and reading.pending == 0


def test_a_broken_tail_is_bad_and_read_anew(path: Path) -> None:
    reading = read(path, b"".join(hundred()) + bytes(5000))
    assert reading.bad == [(101, "damaged length: 5,000 bytes lost")] and reading.lines_used == 99 and reading.state is None


def test_garbage_between_records_is_one_bad_record(path: Path) -> None:
    records = hundred()
    for garbage in (bytes(100_000), random.Random(1).randbytes(100_000), b"\xff" * 100_000):
        reading = read(path, b"".join(records[:50]) + garbage + b"".join(records[50:]))
        assert reading.bad == [(51, "damaged length: 100,000 bytes lost")] and reading.lines_used == 99


def test_a_payload_that_is_no_event_is_bad(path: Path) -> None:
    payloads = [
        b"\x09\x01",
        b"\x0f",
        b"\x08" + b"\xff" * 11,
        b"\x2a\x7f\x00",
        b"\x00\x00",
        block(5, b"\x0a\x05ab"),
        block(5, block(1, b"\x15\x00")),
    ]
    payloads += [block(5, block(1, b"\x42\x04\x08\x03\x3a\x02\xff\xff"))]  # a packed integer that does not end
    reading = read(path, HEAD + b"".join(map(record, payloads)) + scalar(1, "loss", 1.0))
    assert len(reading.bad) == len(payloads) and reading.lines_used == 1


def test_records_larger_than_memory_are_passed_over(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfevents, "LARGEST", 1000)
    monkeypatch.setattr(tfevents, "BLOCK", 256)
    records = hundred()
    reading = read(path, b"".join(records[:50]) + record(event(WALL, 1, block(4, bytes(5000)))) + b"".join(records[50:]))
    assert reading.ignored == {"file version": 1, "over 64 MiB": 1} and reading.lines_used == 99 and not reading.bad


def test_a_lying_length_allocates_nothing(path: Path) -> None:
    length = struct.pack("<Q", 2**62)
    reading = read(path, HEAD + length + masked(length) + b"x" * 100)
    assert reading.pending == 1 and not reading.bad


# -- growth -----------------------------------------------------------------------------------------------------------
@given(st.lists(st.integers(0, 6000), max_size=5), st.integers(0, 2**16), st.booleans())
@settings(deadline=None, max_examples=80)
def test_reading_on_equals_reading_anew(cuts: list[int], seed: int, falls: bool) -> None:
    dice = random.Random(seed)
    steps = [dice.randrange(300) if falls else 3 * i for i in range(60)]
    data = HEAD + b"".join(scalar(s, dice.choice(["loss", "val/loss", "train/loss"]), s / 8, WALL + i) for i, s in enumerate(steps))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events"
        cold = read(path, data)
        parts, state, start = [], None, 0
        for size in [*sorted(min(c, len(data)) for c in cuts), len(data)]:
            part = read(path, data[:size], state=state, start=start)
            parts = [*parts, part] if start else [part]
            state = json.loads(json.dumps(part.state))
            start = state["offset"] if state else 0  # without a state it is read anew
    assert points(*parts) == points(cold) and [f for p in parts for f in p.facts] == cold.facts
    assert [s for p in parts for s in p.segments] == cold.segments and [t for p in parts for t in p.trials] == cold.trials
    assert sum(p.lines_used for p in parts) == cold.lines_used and parts[-1].pending == cold.pending
    assert [f for p in parts for f in p.findings] == cold.findings


# -- recognition ------------------------------------------------------------------------------------------------------
def test_recognised_by_content_only(path: Path) -> None:
    assert choose(file(path, HEAD, "x.bin"))[0] is tfevents.FORMAT
    assert choose(file(path, scalar(1, "loss", 2.0), "x.bin"))[0] is tfevents.FORMAT
    for other in (b"", b"text", bytes(100), record(block(1, b"a tf.Example, no event" * 3)), random.Random(3).randbytes(300)):
        assert tfevents.sniff(file(path, other)) is None


@pytest.mark.parametrize(
    ("rel", "name"),
    [("a/b/events.out.tfevents.17.host.1.0", "b"), ("events.out.tfevents.17.host", None), ("a/run_7.tfevents", "run_7"), ("a/tb", "tb")],
)
def test_the_folder_names_the_run(rel: str, name: str | None) -> None:
    assert tfevents.named(rel) == name
