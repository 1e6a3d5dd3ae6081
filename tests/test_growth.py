"""A folder of logs that grows, shrinks and changes between builds: every rebuild equals a cold build, byte for byte and row for row."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from ngt_report.build import Built, Request, build
from ngt_report.files import HEAD
from ngt_report.store import Store
from tests.text_samples import SAMPLES

OUTPUTS = ("Summary.md", "results.csv", "summary.json")
EVENTS = (Path(__file__).parent / "data" / "events" / "golden.jsonl").read_bytes()
Rebuilt = Callable[[], Built]


def curve(rng: Random, total: int = 2000, every: int = 20) -> bytes:
    """A key=value log."""
    steps = range(every, total + 1, every)
    return "".join(
        f"step {s}/{total} train_loss={rng.uniform(3, 5):.4f} val_loss={rng.uniform(3, 5):.4f} elapsed={s * 0.2:.1f}s\n" for s in steps
    ).encode()


def whole_group(rng: Random) -> dict[str, bytes]:
    """What the folder holds when everything has been written."""
    samples = ("modded, program", "console sweep", "nanoGPT", "litgpt")
    texts = {f"{name.split()[0].strip(',')}.log": SAMPLES[name].text.encode() for name in samples}
    rows = "".join(f"{i},{s},{rng.uniform(3, 4):.4f}\n" for i in range(3) for s in (10, 20, 30))
    return {
        **texts, "vanilla.log": curve(rng), "gated.log": curve(rng), "long.log": curve(rng, 11_000, 20), "events.jsonl": EVENTS,
        "curves.csv": b"run,step,val_loss\n" + rows.encode(),
    }  # fmt: skip


@pytest.fixture
def growing(tmp_path: Path) -> tuple[Path, Rebuilt]:
    """A folder, and a function that builds it into the same report and compares that with a cold one."""
    folder, warm = tmp_path / "logs", tmp_path / "warm"
    folder.mkdir()

    def rebuilt() -> Built:
        built = build(Request((str(folder),), out=str(warm), dashboard=False))
        cold = tmp_path / "cold"
        shutil.rmtree(cold, ignore_errors=True)
        build(Request((str(folder),), out=str(cold), dashboard=False))
        for name in OUTPUTS:
            assert (warm / name).read_bytes() == (cold / name).read_bytes(), name
        assert content(warm) == content(cold)
        return built

    return folder, rebuilt


def content(report: Path) -> dict[str, list[str]]:
    """The tables that people query, each row as text (NaN is not equal to itself), in an order of their own."""
    store = Store(str(report / "report.duckdb"), read_only=True)
    try:
        tables = ("points", "runs", "checkpoints", "findings", "evals", "lines")
        asked = {t: f"SELECT * FROM {t}" for t in tables} | {"sources": "SELECT * EXCLUDE (mtime_ns, state, reason) FROM sources"}
        return {t: sorted(map(repr, store.run(text))) for t, text in asked.items()}
    finally:
        store.close()


@pytest.mark.parametrize("seed", range(3))
def test_logs_cut_at_any_byte_grow_into_what_a_cold_build_gives(seed: int, growing: tuple[Path, Rebuilt]) -> None:
    folder, rebuilt = growing
    rng = Random(seed)
    whole = whole_group(rng)
    written = dict.fromkeys(whole, 0)
    for turn in range(6):
        for name, data in whole.items():
            grown = len(data) if turn == 5 else min(len(data), written[name] + rng.choice((0, 1, 7, 200, len(data) // 3)))
            if grown > written[name]:
                with (folder / name).open("ab") as f:
                    f.write(data[written[name] : grown])
                written[name] = grown
        if any(written.values()):
            rebuilt()


def test_a_torn_last_line_waits_and_is_counted_once(growing: tuple[Path, Rebuilt]) -> None:
    folder, rebuilt = growing
    data = curve(Random(1))
    cut = data.rfind(b"val_loss") + len("val_loss=3.1")
    (folder / "run.log").write_bytes(data[:cut])
    rebuilt()
    report = folder.parent / "warm"
    runs = json.loads((report / "summary.json").read_text(encoding="utf-8"))["runs"]
    assert (runs[0]["n_val_points"], runs[0]["last"]["step"]) == (99, 1980)
    assert source(report, "run.log")["lines_pending"] == 1
    with (folder / "run.log").open("ab") as f:
        f.write(data[cut:])
    rebuilt()
    runs = json.loads((report / "summary.json").read_text(encoding="utf-8"))["runs"]
    assert (runs[0]["n_val_points"], runs[0]["last"]["step"]) == (100, 2000)
    assert source(report, "run.log")["lines_pending"] == 0 and source(report, "run.log")["lines_read"] == 100


def test_a_rebuild_reads_only_what_changed(growing: tuple[Path, Rebuilt]) -> None:
    folder, rebuilt = growing
    for number in range(5):
        (folder / f"run_{number}.log").write_bytes(curve(Random(number)))
    assert rebuilt().read == 5
    assert rebuilt().read == 0
    with (folder / "run_3.log").open("ab") as f:
        f.write(b"step 2020/2000 train_loss=3.0 val_loss=2.9 elapsed=404.0s\n")
    assert rebuilt().read == 1
    os.utime(folder / "run_1.log", (1, 1))  # another date, the same content
    assert rebuilt().read == 0


def change_number(data: bytes) -> bytes:
    """Another digit in the middle, the same size."""
    at = len(data) // 2 + data[len(data) // 2 :].index(b"val_loss=") + 9
    return data[:at] + (b"1" if data[at : at + 1] != b"1" else b"2") + data[at + 1 :]


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda d: d[: len(d) // 2],
    "one_digit": change_number,
    "replaced": lambda d: curve(Random(99)),
    "replaced_by_more": lambda d: curve(Random(98)) + d,
    "emptied": lambda d: b"",
    "left_alone": lambda d: d,
}


def test_files_that_did_not_only_grow_are_read_anew(growing: tuple[Path, Rebuilt]) -> None:
    folder, rebuilt = growing
    for number, name in enumerate(CHANGES):
        (folder / f"{name}.log").write_bytes(curve(Random(number)))
    rebuilt()
    for name, change in CHANGES.items():
        path = folder / f"{name}.log"
        path.write_bytes(change(path.read_bytes()))
        os.utime(path, (2, 2))
    assert rebuilt().read == 5


def test_what_a_file_that_was_removed_said_is_forgotten(growing: tuple[Path, Rebuilt]) -> None:
    folder, rebuilt = growing
    for number in range(3):
        (folder / f"run_{number}.log").write_bytes(curve(Random(number)))
    rebuilt()
    (folder / "run_1.log").unlink()
    assert rebuilt().read == 0


def source(report: Path, path: str) -> dict[str, int]:
    """The row of a source."""
    store = Store(str(report / "report.duckdb"), read_only=True)
    try:
        return next(r for r in store.rows("SELECT * FROM sources") if r["path"].endswith(path))
    finally:
        store.close()


def test_a_long_log_of_a_known_kind_grows_into_what_a_cold_build_gives(growing: tuple[Path, Rebuilt]) -> None:
    folder, rebuilt = growing
    lines = [f"step {i}/9000 val_loss={4 - i / 9000:.4f} elapsed={i / 10:.1f}s\n" for i in range(1, 3000)]
    (folder / "run.log").write_text("".join(lines[:2500]), encoding="utf-8")
    assert (folder / "run.log").stat().st_size > HEAD
    rebuilt()
    with (folder / "run.log").open("a", encoding="utf-8") as f:
        f.writelines(lines[2500:])
    rebuilt()


def lines(rng: Random, count: int) -> list[str]:
    """Data lines of a log whose clock or step may leap once; at two of them there are no evaluations."""
    odd, what, every = rng.randrange(count), rng.choice(["clock leaps", "clock falls", "step leaps", ""]), rng.choice([1, 1, 5])
    step, clock, out = 0, 0.0, []
    for i in range(count):
        step += 500 if (i, what) == (odd, "step leaps") else 10
        clock += {"clock leaps": 500.0, "clock falls": -100.0}.get(what if i == odd else "", 2.0)
        loss = 5 - 4 * i / count + rng.random() / 5
        val = f" val_loss={loss:.4f}" if i % every == 0 else ""
        out.append(f"step {step} train_loss={loss + 0.1:.3f}{val} elapsed={clock:.1f}s\n")
    return out


@pytest.mark.parametrize("seed", [3, 12, 53, 54])
def test_long_logs_that_grow_together_become_what_a_cold_build_gives(seed: int, tmp_path: Path) -> None:
    rng = Random(seed)
    cuts = [rng.choice([5, 520, 900])]
    for _ in range(rng.randint(1, 3)):
        cuts.append(cuts[-1] + rng.choice([40, 511, 600, 1300]))
    logs = {f"r{i}.log": lines(rng, cuts[-1]) for i in range(rng.randint(2, 3))}
    (tmp_path / "in").mkdir()
    for cut in cuts:
        for name, text in logs.items():
            (tmp_path / "in" / name).write_text("".join(text[:cut]))
        build(Request((str(tmp_path / "in"),), out=str(tmp_path / "grown"), dashboard=False))
    build(Request((str(tmp_path / "in"),), out=str(tmp_path / "cold"), dashboard=False))
    for name in OUTPUTS:
        assert (tmp_path / "grown" / name).read_text() == (tmp_path / "cold" / name).read_text()
