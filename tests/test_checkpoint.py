"""Checkpoints: what they say is read, what they would do is not done."""

from __future__ import annotations

import os
import pickle
import random
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import pytest

from ngt_report.files import InputFile
from ngt_report.sources import checkpoint, choose
from ngt_report.waist import Reading
from tests import torch_zip
from tests.hostile_pickles import BOMBS, CALLS, CANARY, OPCODES, Call, doubling
from tests.torch_zip import FakeStorage, FakeTensor

CONFIG = {
    "hidden_dim": 512,
    "num_layers": 8,
    "seed": 42,
    "model_type": "ngt",
    "dataset": "wikitext103",
    "gradient_accumulation_steps": 2,
    "use_rsqrt": True,
    "coord_dim": 64,
    "optim": {"lr": 3e-4, "betas": (0.9, 0.95), "schedule": {"warmup": 100}},
}


def given(path: Path, rel: str | None = None) -> InputFile:
    return InputFile(str(path), rel or path.name, path.stat().st_size, 0)


def read(path: Path, rel: str | None = None) -> Reading:
    return checkpoint.read(given(path, rel))


def facts(reading: Reading) -> dict[str, Any]:
    return {f.key: f.value for f in reading.facts}


def small() -> dict[str, Any]:
    return {
        "model_state": OrderedDict([("embed.weight", FakeTensor(8, 4)), ("head.weight", FakeTensor(4, 8))]),
        "optimizer_state": {
            "state": {0: {"step": FakeTensor(), "exp_avg": FakeTensor(8, 4)}},
            "param_groups": [{"lr": 3e-4, "params": [0]}],
        },
        "iter": 13000,
        "best_val": 4.776237,
        "config": CONFIG,
    }


def refused(reading: Reading) -> str:
    """The reason, when a file was refused as it should be."""
    assert reading.status == "unreadable" and not reading.facts and not reading.blocks and not reading.trials
    assert reading.lines_read == 1 == len(reading.bad) and reading.lines_used == 0
    (finding,) = reading.findings
    assert (finding.severity, finding.kind) == ("warning", "checkpoint_refused")
    return finding.text


# -- what is read -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_metadata_is_read(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "ngt_default.pt_best.pt"
    torch_zip.save(path, small(), protocol)
    form, _ = choose(given(path))
    assert form is checkpoint.FORMAT
    reading = read(path)
    (trial,) = reading.trials
    assert (trial.kind, trial.name, trial.shared, trial.index) == ("checkpoint", "ngt_default", True, 0)
    found = facts(reading)
    assert found["checkpoint.kind"] == "best" and found["checkpoint.step"] == 13000 and found["checkpoint.best_val"] == 4.776237
    assert found["checkpoint.format"] == "torch zip" and found["checkpoint.bytes"] == path.stat().st_size
    assert found["checkpoint.tensors"] == 4 and found["checkpoint.parameters"] == 64
    assert found["checkpoint.config"] == {**CONFIG, "optim": {"lr": 3e-4, "betas": [0.9, 0.95], "schedule": {"warmup": 100}}}
    assert found["checkpoint.keys"] == list(small())
    (block,) = reading.blocks
    assert block.step == [13000] and list(block.columns["best/loss"].values) == [4.776237] and block.pointer == ["best_val"]
    assert (reading.lines_read, reading.lines_used, reading.bad) == (1, 1, [])


def test_settings_of_two_sections_that_differ_are_told_apart(tmp_path: Path) -> None:
    model = {"encoder": {"num_layers": 6, "dropout": 0.1}, "decoder": {"num_layers": 4, "dropout": 0.1}}
    torch_zip.save(tmp_path / "a.pt", {"config": {"model": model, "seed": 3, "data": {"seed": 5}}})
    found = facts(read(tmp_path / "a.pt"))
    assert (found["config.encoder.num_layers"], found["config.decoder.num_layers"]) == (6, 4) and "layers" not in found
    assert (found["dropout"], found["seed"], found["config.data.seed"]) == (0.1, 3, 5)


def test_configuration_gets_canonical_names_and_pointers(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch_zip.save(path, {"config": {**CONFIG, "random_seed": 7}, "args": {"seed": 9, "extra": 1}})
    reading = read(path)
    found = facts(reading)
    assert (found["seed"], found["model"], found["hidden"], found["accumulation"]) == (42, "ngt", 512, 2)
    assert (
        found["config.random_seed"] == 7 and found["config.seed"] == 9 and found["config.extra"] == 1
    )  # none is lost, the first one counts
    assert found["learning_rate"] == 3e-4 and found["config.optim.schedule.warmup"] == 100 and found["config.use_rsqrt"] is True
    pointers = {f.key: f.pointer for f in reading.facts}
    assert pointers["seed"] == "config.seed" and pointers["learning_rate"] == "config.optim.lr" and pointers["config.extra"] == "args.extra"
    assert not reading.blocks


@pytest.mark.parametrize(
    ("rel", "name", "kind"),
    [
        ("c/NAME.pt_best.pt", "NAME", "best"),
        ("NAME.pt_last.pt", "NAME", "last"),
        ("NAME_best.pt", "NAME", "best"),
        ("NAME_last.pt", "NAME", "last"),
        ("NAME-best.pth", "NAME", "best"),
        ("NAME.best.pt", "NAME", "best"),
        ("NAME_step5000.pt", "NAME", "step"),
        ("NAME.pt", "NAME", "unknown"),
        ("NAME.ckpt", "NAME", "unknown"),
        ("NAME.pth", "NAME", "unknown"),
        ("runs/seed_1/best.pt", "seed_1", "best"),
        ("r/ckpt.pt", "r", "unknown"),
        ("v1.2_lr0.1.pt", "v1.2_lr0.1", "unknown"),
        ("best_of_all.pt", "best_of_all", "unknown"),
        ("best.pt", "best", "best"),
    ],
)
def test_file_names_give_run_and_kind(rel: str, name: str, kind: str) -> None:
    assert checkpoint.named(rel)[:2] == (name, kind)


@pytest.mark.parametrize(
    ("top", "step", "best"),
    [
        ({"iteration": 5, "best_val_loss": 3.5}, 5, 3.5),
        ({"global_step": 7, "best_loss": 2}, 7, 2),
        ({"iter_num": 8}, 8, None),
        ({"step": 9.0}, 9, None),
        ({"steps": 1, "best_val": float("inf")}, 1, "inf"),
        ({"step": True, "best_val": None}, None, None),
        ({"step": -1, "best_val": "4.7"}, None, None),
        ({"step": 2**70, "best_val": float("nan")}, None, "nan"),
        ([1, 2], None, None),
        ({}, None, None),
        (7, None, None),
    ],
)
def test_step_and_best_under_the_names_people_use(tmp_path: Path, top: Any, step: int | None, best: Any) -> None:
    torch_zip.save(tmp_path / "a.pt", top)
    reading = read(tmp_path / "a.pt")
    assert facts(reading).get("checkpoint.step") == step and facts(reading).get("checkpoint.best_val") == best
    assert len(reading.blocks) == (isinstance(best, int | float))


def test_tied_and_expanded_tensors_count_once(tmp_path: Path) -> None:
    tied = FakeStorage("tied", "FloatStorage", 32, bytes(128))
    torch_zip.save(
        tmp_path / "a.pt", {"model": {"embed": FakeTensor(8, 4, storage=tied), "head": FakeTensor(8, 4, storage=tied), "b": FakeTensor(3)}}
    )
    assert facts(read(tmp_path / "a.pt"))["checkpoint.parameters"] == 35


def test_plain_things_of_every_kind_are_read(tmp_path: Path) -> None:
    odd = {
        "counter": Counter("aab"),
        "set": {1, 2},
        "frozen": frozenset({3}),
        "bytes": b"ab",
        "bytearray": bytearray(b"abc"),
        "complex": 1 + 2j,
        "big": 2**200,
        "nan": float("nan"),
        "none": None,
        "tuple": (1, (2, 3)),
        "empty": (),
        ("a", "b"): 1,
        7: 2,
        "é\U0001f600": "\udce9",
    }
    for protocol in (2, 4):
        torch_zip.save(tmp_path / "a.pt", {"config": odd}, protocol)
        config = facts(read(tmp_path / "a.pt"))["checkpoint.config"]
        assert config["counter"] == {"a": 2, "b": 1} and sorted(config["set"]) == [1, 2] and config["frozen"] == [3]
        assert config["bytes"] == "2 bytes" and config["bytearray"] == "3 bytes" and config["complex"] == "(1+2j)"
        assert config["big"] == "integer of 201 bits" and config["('a', 'b')"] == 1 and config["7"] == 2 and config["nan"] == "nan"
        assert config["é\U0001f600"] == "?"


def test_numpy_numbers_are_numbers(tmp_path: Path) -> None:
    np = pytest.importorskip("numpy")
    for value, is_ in ((np.float64(4.5), 4.5), (np.float32(0.5), 0.5), (np.dtype(">f8").type(2.25), 2.25)):
        torch_zip.save(tmp_path / "a.pt", {"best_val": value, "iter": np.int64(5), "rng": np.arange(3)})
        assert facts(read(tmp_path / "a.pt"))["checkpoint.best_val"] == is_
        assert facts(read(tmp_path / "a.pt"))["checkpoint.step"] == 5


def test_legacy_files_are_read_and_said_to_have_no_checksum(tmp_path: Path) -> None:
    path = tmp_path / "old_last.pt"
    torch_zip.save_legacy(path, small())
    assert choose(given(path))[0] is checkpoint.FORMAT
    reading = read(path)
    assert facts(reading)["checkpoint.format"] == "torch legacy" and facts(reading)["checkpoint.best_val"] == 4.776237
    assert [f.kind for f in reading.findings] == ["checkpoint_unchecked"]


def test_other_zips_and_other_binaries_are_not_claimed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("notes.txt", "hello")
        archive.writestr("a/b/data.pkl", "deep")
    (tmp_path / "b.bin").write_bytes(b"\x80\x02\xff\xff" * 10)
    (tmp_path / "c.pt").write_bytes(b"PK\x03\x04")
    (tmp_path / "d.pt").write_bytes(b"")
    assert [checkpoint.sniff(given(p)) for p in sorted(tmp_path.iterdir())] == [None] * 4


# -- what is refused --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(("module", "name", "args"), CALLS, ids=[f"{m}.{n}" for m, n, _ in CALLS])
def test_no_global_but_ours_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, name: str, args: Any, protocol: int
) -> None:
    monkeypatch.chdir(tmp_path)
    for path, data in (
        (Path("zip.pt"), Call(module, name, *args).pickled(protocol)),
        (Path("legacy.pt"), Call(module, name, *args).pickled(protocol)),
    ):
        if path.name == "zip.pt":
            torch_zip.write(path, data)
        else:
            path.write_bytes(b"".join(pickle.dumps(head, 2) for head in (torch_zip.MAGIC, 1001, {})) + data)
        assert choose(given(path))[0] is checkpoint.FORMAT
        assert f"{module}.{name}" in refused(read(path))
        assert not os.path.exists(CANARY)


@pytest.mark.parametrize("name", OPCODES)
def test_hostile_opcodes_are_refused_with_their_reason(tmp_path: Path, name: str) -> None:
    data, why = OPCODES[name]
    torch_zip.write(tmp_path / "a.pt", data)
    assert why in refused(read(tmp_path / "a.pt"))


CHILD = """
import re, sys, time
from ngt_report.files import InputFile
from ngt_report.sources import checkpoint
import os
path = sys.argv[1]
before = time.process_time()
reading = checkpoint.read(InputFile(path, "a.pt", os.path.getsize(path), 0))
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1] if os.path.exists("/proc/self/status") else 0
print(time.process_time() - before, int(peak) / 1024, reading.status, reading.bad)
"""


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_stay_small_and_short(tmp_path: Path, name: str) -> None:
    torch_zip.write(tmp_path / "a.pt", BOMBS[name]())
    out = subprocess.run([sys.executable, "-c", CHILD, str(tmp_path / "a.pt")], capture_output=True, text=True, timeout=60)
    assert out.returncode == 0, out.stderr
    seconds, mib, status = out.stdout.split()[:3]
    assert float(seconds) < 30 and float(mib) < 300, out.stdout
    assert status in ("unreadable", "read")


def test_memo_index_does_not_set_the_memory(tmp_path: Path) -> None:
    torch_zip.write(tmp_path / "a.pt", b"\x80\x02}r\xff\xff\xff\x7f.")
    tracemalloc.start()
    assert read(tmp_path / "a.pt").status == "read"
    assert tracemalloc.get_traced_memory()[1] < 2 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    "body", [doubling(60), b"]q\x00h\x00a", b"}q\x00X\x01\x00\x00\x00ah\x00s"], ids=["billion laughs", "list in itself", "dict in itself"]
)
def test_shared_and_circular_configurations_are_cut(tmp_path: Path, body: bytes) -> None:
    torch_zip.write(tmp_path / "a.pt", b"\x80\x02}X\x06\x00\x00\x00config}X\x01\x00\x00\x00x" + body + b"ss.")
    reading = read(tmp_path / "a.pt")
    assert reading.status == "read" and "checkpoint_config_cut" in [f.kind for f in reading.findings]
    assert len(repr(facts(reading)["checkpoint.config"])) < 20 << 20


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    torch_zip.write(tmp_path / "a.pt", b"\x80\x02" + b"\x00" * (20 << 20) + b".", compression=zipfile.ZIP_DEFLATED)
    assert "zip bomb" in refused(read(tmp_path / "a.pt"))
    torch_zip.write(tmp_path / "b.pt", b"\x80\x02" + b"N0" * (20 << 20) + b"N.")
    assert "over the limit" in refused(read(tmp_path / "b.pt"))
    torch_zip.write(tmp_path / "c.pt", pickle.dumps({"iter": 5}, 2) * 50, compression=zipfile.ZIP_LZMA)
    assert "compressed in a way" in refused(read(tmp_path / "c.pt"))


def test_a_lying_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps({}, 2))
        archive.writestr("b/data.pkl", pickle.dumps({}, 2))
    assert "2 data.pkl" in refused(read(path))
    torch_zip.save(path, small())
    data = bytearray(path.read_bytes())
    data[-10:-6] = struct.pack("<I", 1 << 30)  # the size of the directory
    path.write_bytes(data)
    refused(read(path))
    torch_zip.save(path, {"w": FakeTensor(4, storage=FakeStorage("0", "FloatStorage", 4, bytes(12)))})
    assert "claims 16 bytes, the archive holds 12" in refused(read(path))


def test_a_forged_directory_size_allocates_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    entry = struct.pack("<4s", b"PK\x03\x04").ljust(26, b"\0") + struct.pack("<HH", 8, 0) + b"data.pkl"
    with path.open("wb") as f:
        f.write(entry)
        f.truncate(400 << 20)
        f.seek(400 << 20)
        f.write(struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, (400 << 20) - 100, 100, 0))
    assert "directory claims" in refused(read(path))


def test_a_plain_pickle_is_named_as_such(tmp_path: Path) -> None:
    for protocol in (2, 3, 4, 5):
        (tmp_path / "a.pt").write_bytes(pickle.dumps({"iter": 5, "best_val": 4.0}, protocol))
        assert choose(given(tmp_path / "a.pt"))[0] is checkpoint.FORMAT
        assert "torch.save did not write" in refused(read(tmp_path / "a.pt"))


# -- damage -----------------------------------------------------------------------------------------------------------
def told(reading: Reading) -> Any:
    return [(f.key, f.value, f.pointer) for f in reading.facts], [(list(b.columns["best/loss"].values), b.step) for b in reading.blocks]


def test_flipped_bits_never_change_what_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch_zip.save(path, small())
    good, whole, dice = path.read_bytes(), told(read(path)), random.Random(5)
    for _ in range(300):
        data = bytearray(good)
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        path.write_bytes(data)
        checkpoint.sniff(given(path))
        reading = read(path)
        assert reading.status in ("read", "unreadable")
        assert told(reading) == whole if reading.status == "read" else refused(reading)


def test_truncation_is_one_clear_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch_zip.save(path, small())
    good = path.read_bytes()
    for size in range(64, len(good), 37):
        path.write_bytes(good[:size])
        assert choose(given(path))[0] is checkpoint.FORMAT
        assert "truncated or damaged" in refused(read(path))


def test_legacy_damage_never_raises(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch_zip.save_legacy(path, small())
    good, dice = path.read_bytes(), random.Random(6)
    for _ in range(300):
        data = bytearray(good[: dice.randrange(20, len(good))])
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        path.write_bytes(data)
        assert read(path).status in ("read", "unreadable")


# -- identity ---------------------------------------------------------------------------------------------------------
def test_large_files_are_known_by_their_directory(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch_zip.save(path, small())
    assert checkpoint.fingerprint(given(path)) == (given(path).fingerprint(), "sha256")
    prints = []
    for value in (b"\0", b"\1"):
        storage = FakeStorage("0", "FloatStorage", 3 << 20, value * (12 << 20))
        torch_zip.save(path, {"model": {"w": FakeTensor(3 << 20, storage=storage)}})
        prints.append(checkpoint.fingerprint(given(path)))
    assert prints[0] != prints[1] and {kind for _, kind in prints} == {"sha256 of data.pkl and zip directory"}


def test_tensor_bytes_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch_zip.save(path, {"model": {"w": FakeTensor(5 << 20)}, "iter": 3})
    tracemalloc.start()
    assert facts(read(path))["checkpoint.parameters"] == 5 << 20
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
