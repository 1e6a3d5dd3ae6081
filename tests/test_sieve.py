"""Large logs are looked at through a sieve: what a look needs of them is what reading them whole gives."""

from __future__ import annotations

import json
from itertools import accumulate
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngt_report.files import InputFile
from ngt_report.sources import choose
from ngt_report.text import firstdata
from ngt_report.watching import looks, sieve
from ngt_report.watching.progress import Curve, curves_of

LINES = 5000


def keyvalue(rng: Random, steps: list[int]) -> list[str]:
    return [
        f"step {s}/{10 * LINES} train_loss={rng.uniform(3, 5):.4f} val_loss={rng.uniform(3, 5):.4f} elapsed={s * 0.3:.1f}s" for s in steps
    ]


def nanogpt(rng: Random, steps: list[int]) -> list[str]:
    return [
        f"step {s}: train loss {rng.uniform(3, 5):.4f}, val loss {rng.uniform(3, 5):.4f}"
        if s % 500 == 0
        else f"iter {s}: loss {rng.uniform(3, 5):.4f}, time {rng.uniform(20, 30):.2f}ms, mfu 3.10%"
        for s in steps
    ]


def events(rng: Random, steps: list[int]) -> list[str]:
    head = {"kind": "run_start", "run": "a", "segment": 0, "seq": 0, "ts": "2026-01-01T00:00:00Z", "step": 0, "total_steps": 10 * LINES}
    out = [json.dumps(head)]
    for seq, s in enumerate(steps, 1):
        metrics = {"val/loss": rng.uniform(3, 5)} if seq % 50 == 0 else {"train/loss": rng.uniform(3, 5), "lr": 0.001}
        kind = "eval" if seq % 50 == 0 else "train"
        stamp = f"2026-01-01T{seq // 3600:02d}:{seq // 60 % 60:02d}:{seq % 60:02d}Z"
        envelope = {"kind": kind, "run": "a", "segment": 0, "seq": seq, "ts": stamp, "step": s, "tokens": s * 64}
        out.append(json.dumps({**envelope, "elapsed_s": s * 0.3, "segment_elapsed_s": s * 0.3, **metrics}))
    return out


WRITERS = {"keyvalue": keyvalue, "nanogpt": nanogpt, "events": events}


def file_of(path: Path, lines: list[str]) -> InputFile:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    return InputFile(str(path), path.name, path.stat().st_size, 1)


def whole(file: InputFile) -> Curve:
    again = InputFile(file.path, file.rel, file.size, file.mtime_ns, notes={"no_bulk": True, "wall": True})
    form, _ = choose(again)
    assert form is not None
    return curves_of(form.read(again))[0]


def assert_same(curve: Curve, other: Curve) -> None:
    """Both tell a screen the same. Where the clock is a sum over all lines, a view knows the time between evaluations only about."""
    assert shown(curve) == shown(other)
    assert curve.interval() == pytest.approx(other.interval(), rel=0.3)


def shown(curve: Curve) -> tuple[object, ...]:
    return curve.step, curve.total, curve.last, curve.best, curve.crash, curve.end


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of what the sieve let through."""
    sizes: list[int] = []
    real = sieve.sift

    def counting(*args: object) -> bytes | None:
        kept = real(*args)  # type: ignore[arg-type]
        sizes.append(-1 if kept is None else len(kept))
        return kept

    monkeypatch.setattr(sieve, "sift", counting)
    return sizes


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("format", WRITERS)
def test_a_sieved_log_tells_what_the_whole_log_tells(format: str, seed: int, tmp_path: Path, passed: list[int]) -> None:
    rng = Random(seed)
    lines = WRITERS[format](rng, [10 * i for i in range(1, LINES + 1)])
    if seed == 1:
        lines += ["Traceback (most recent call last):", "torch.cuda.OutOfMemoryError: CUDA out of memory"] if format != "events" else []
    file = file_of(tmp_path / "a.log", lines)
    (curve,) = looks._read(file, looks.Alike()).curves
    assert_same(curve, whole(file))
    assert passed[-1] >= 0 and passed[-1] < file.size // 8


@pytest.mark.parametrize("format", WRITERS)
def test_logs_of_one_script_share_what_the_first_taught(format: str, tmp_path: Path, passed: list[int]) -> None:
    alike = looks.Alike()
    for seed in range(3):
        file = file_of(tmp_path / f"{seed}.log", WRITERS[format](Random(seed), [10 * i for i in range(1, LINES + 1)]))
        (curve,) = looks._read(file, alike).curves
        assert_same(curve, whole(file))
    assert len(alike.sieves) == 1 and len(passed) == 3


def test_what_the_head_of_a_log_tells_is_not_looked_for_in_each_that_begins_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bytes] = []
    real = firstdata.look
    monkeypatch.setattr(firstdata, "look", lambda head: looked.append(head) or real(head))
    alike = looks.Alike()
    for seed in range(4):
        looks._read(file_of(tmp_path / f"{seed}.log", keyvalue(Random(seed), [10 * i for i in range(1, LINES + 1)])), alike)
    assert len(looked) <= 2


def test_a_log_that_evaluates_otherwise_than_it_began_is_not_told_by_another(tmp_path: Path) -> None:
    alike = looks.Alike()
    for seed in range(2):
        lines = nanogpt(Random(seed), [10 * i for i in range(1, LINES + 1)])
        if seed:  # the lowest loss stands on a line of another kind, after the head
            lines = [line.replace("val loss", "val_loss =") if i > 200 else line for i, line in enumerate(lines)]
        file = file_of(tmp_path / f"{seed}.log", lines)
        (curve,) = looks._read(file, alike).curves
        assert_same(curve, whole(file))


@pytest.mark.parametrize("format", WRITERS)
@pytest.mark.parametrize("back", [300, 12_000])
def test_a_log_that_was_restarted_is_read_whole(format: str, back: int, tmp_path: Path) -> None:
    steps = [10 * i for i in range(1, LINES // 2)]
    steps += [10 * i for i in range(LINES // 2 - back // 10, LINES)]
    file = file_of(tmp_path / "a.log", WRITERS[format](Random(7), steps))
    (curve,) = looks._read(file, looks.Alike()).curves
    assert_same(curve, whole(file))


@pytest.mark.parametrize(
    "odd", ["step 25/50 val_loss=1.0e-3", "step 25005/50000 val_loss=nan", "step 25005/50000 val_loss=2.5", "\r a bar"]
)
def test_numbers_and_lines_of_another_kind_are_not_lost(odd: str, tmp_path: Path) -> None:
    lines = keyvalue(Random(3), [10 * i for i in range(1, LINES + 1)])
    lines[2500:2500] = [odd]
    file = file_of(tmp_path / "a.log", lines)
    found = looks._read(file, looks.Alike()).curves
    again = InputFile(file.path, file.rel, file.size, file.mtime_ns)
    form, _ = choose(again)
    assert form is not None
    for curve, other in zip(found, curves_of(form.read(again)), strict=True):
        assert_same(curve, other)


@given(st.lists(st.from_regex(r"[0-9]{1,14}(\.[0-9]{0,12})?", fullmatch=True), min_size=1, max_size=9))
def test_numbers_are_read_as_python_reads_them(texts: list[str]) -> None:
    line = " ".join(texts) + " "
    places = np.array([0, *accumulate(len(t) + 1 for t in texts[:-1])])
    found = sieve._numbers(np.frombuffer(line.encode() + b" " * sieve.WIDTH, np.uint8), places)
    assert found.tolist() == pytest.approx([float(t) for t in texts], rel=1e-15)


@pytest.mark.parametrize("odd", ["1.2.3", "1e-5", "110K", ".5", "nan", "-1", "9" * 60])
def test_what_is_no_plain_number_is_refused(odd: str) -> None:
    assert sieve._numbers(np.frombuffer(f"{odd} ".encode() + b" " * sieve.WIDTH, np.uint8), np.array([0])) is None


def test_two_runs_in_one_log_are_both_seen(tmp_path: Path) -> None:
    steps = [10 * i for i in range(1, LINES // 2)]
    file = file_of(tmp_path / "a.log", keyvalue(Random(1), steps) + keyvalue(Random(2), steps))
    assert len(looks._read(file, looks.Alike()).curves) == 2
