"""Checkpoints are whole or not there: after kills, on a full disk, and when somebody touched them."""

from __future__ import annotations

import json
import os
import pickle
import random
import signal
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
import numpy as np  # noqa: E402

from ngt_train import checkpoint  # noqa: E402
from ngt_train.errors import CheckpointError  # noqa: E402
from tests import savers, training  # noqa: E402

CPU = torch.device("cpu")


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.pt_last.pt"
    state = savers.state(3)
    size = checkpoint.save(path, state, {"step": 3})
    again = checkpoint.load(path)
    assert again.keys() == state.keys() and torch.equal(again["model"]["w"], state["model"]["w"])
    side = json.loads(checkpoint.sidecar(path).read_text())
    assert (side["step"], side["bytes"]) == (3, size) == (3, path.stat().st_size)


def test_a_copy_outlives_the_next_save(tmp_path: Path) -> None:
    last, best = tmp_path / "a.pt_last.pt", tmp_path / "a.pt_best.pt"
    checkpoint.save(last, savers.state(1), {})
    checkpoint.copy(last, best, {})
    checkpoint.save(last, savers.state(2), {})
    assert (checkpoint.load(best)["step"], checkpoint.load(last)["step"]) == (1, 2)


def test_every_random_state_goes_back(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    checkpoint.save(path, {**savers.state(1), "random": checkpoint.random_state(CPU)}, {})
    first = (torch.rand(3).tolist(), random.random(), np.random.random())
    checkpoint.set_random_state(checkpoint.load(path)["random"], CPU)
    assert (torch.rand(3).tolist(), random.random(), np.random.random()) == first


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")
def test_thirty_kills_during_saves_leave_thirty_loadable_checkpoints(tmp_path: Path) -> None:
    context = training.forks()
    chance = random.Random(7)
    path = tmp_path / "a.pt_last.pt"
    checkpoint.save(path, savers.state(0), {})
    seen = []
    for _ in range(30):
        process = context.Process(target=savers.save_forever, args=(str(path), checkpoint.load(path)["step"]))
        process.start()
        begun = path.stat().st_mtime_ns
        while path.stat().st_mtime_ns == begun:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.02))
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        seen.append(checkpoint.load(path)["step"])
    assert seen == sorted(set(seen))
    checkpoint.save(path, savers.state(999), {})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.pt_last.pt", "a.pt_last.pt.json"]


def test_a_kill_between_the_two_renames_leaves_a_pair_that_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pt"
    checkpoint.save(path, savers.state(1), {})
    replace = os.replace

    def die(source: Path, target: Path) -> None:
        if target == path:
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint.os, "replace", die)
        for step in (2, 3):
            with pytest.raises(KeyboardInterrupt):
                checkpoint.save(path, savers.state(step), {})
    assert checkpoint.load(path)["step"] == 1


def test_a_full_disk_keeps_the_old_checkpoint(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "a.pt"
    checkpoint.save(path, savers.state(1), {})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(CheckpointError, match=r"a\.pt cannot be written: (file too large|the disk takes no more); free the disk"):
            checkpoint.save(path, savers.state(2), {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert checkpoint.load(path)["step"] == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.pt", "a.pt.json"]


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match=r"file/a\.pt cannot be written: "):
        checkpoint.save(tmp_path / "file" / "a.pt", savers.state(1), {})


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", [flip, lambda data: data[:-100], lambda data: b"", lambda data: b"not a checkpoint" * 50])
@pytest.mark.parametrize("with_sidecar", [True, False])
def test_damage_is_seen(tmp_path: Path, damage: object, with_sidecar: bool) -> None:
    path = tmp_path / "a.pt"
    checkpoint.save(path, savers.state(1), {})
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    if not with_sidecar:
        checkpoint.sidecar(path).unlink()
    with pytest.raises(CheckpointError, match=r"another sha256|is damaged or no checkpoint|does not have its checksum"):
        checkpoint.load(path)


class Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("exit 1",)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda p: torch.save({"model": {}}, p), "was not written by ngttrain: it has no 'format'"),
        (lambda p: torch.save([1], p), "was not written by ngttrain"),
        (lambda p: torch.save({**savers.state(1), "format": 99}, p), "has format 99; this version reads 1"),
        (lambda p: torch.save({"format": Code()}, p), "is damaged or no checkpoint"),
        (lambda p: p.write_bytes(pickle.dumps(Code())), "is damaged or no checkpoint"),
        (lambda p: p.mkdir(), "is a directory"),
        (lambda p: None, "no such file or directory"),
    ],
)
def test_a_foreign_file_is_refused_in_a_sentence(tmp_path: Path, made: object, said: str) -> None:
    path = tmp_path / "a.pt"
    made(path)  # type: ignore[operator]
    with pytest.raises(CheckpointError, match=said):
        checkpoint.load(path)
