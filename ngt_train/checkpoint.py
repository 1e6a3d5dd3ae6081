"""Checkpoints: plain containers and tensors, written whole or not at all, loadable with weights_only=True.

A save goes to a temporary name, is synced and renamed. Its JSON sidecar (NAME.json) is renamed just before it and names the
sums of the new file's and those it replaces: a kill between the two renames leaves a pair that still agrees.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pickle
import random
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ngt_train.errors import CheckpointError

FORMAT = 1
NEEDED = ("format", "config", "model_config", "step", "tokens", "model")
State = dict[str, Any]


# -- writing -----------------------------------------------------------------------------------------------------------
def save(path: Path, state: Mapping[str, Any], facts: Mapping[str, Any]) -> int:
    """Write the checkpoint and its sidecar; returns its size in bytes.

    Args:
        facts: what the sidecar says beside the sums: step, best_val, ...

    Raises:
        CheckpointError: the disk is full or the folder not writable; nothing half-written is left, the old file stays.
    """
    with _temporary(path) as temporary:
        torch.save(dict(state), temporary)
        _publish(temporary, path, facts)
    return path.stat().st_size


def copy(source: Path, path: Path, facts: Mapping[str, Any]) -> None:
    """The same checkpoint under another name; bytes of its own, so that damage to one is not damage to both.

    Raises:
        CheckpointError: as for `save`.
    """
    with _temporary(path) as temporary:
        shutil.copyfile(source, temporary)
        _publish(temporary, path, facts)


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _forget_killed(path)
        yield temporary
    except (OSError, RuntimeError) as e:  # torch's zip writer raises RuntimeError where the disk is full
        raise CheckpointError(
            f"checkpoint {path} cannot be written: {_why(e)}; free the disk or set checkpoint.folder, then --resume"
        ) from e
    finally:
        with contextlib.suppress(OSError):  # there may be no such folder
            temporary.unlink(missing_ok=True)


def _why(error: OSError | RuntimeError) -> str:
    """The system's words; torch's zip writer has only where in its own source it stopped, and stops where the disk takes no more."""
    text = getattr(error, "strerror", None) or next(iter(str(error).splitlines()), "")
    return "the disk takes no more" if "inline_container" in text else text.lower()


def _forget_killed(path: Path) -> None:
    """Remove what saves of this checkpoint left when they were killed."""
    for left in path.parent.glob(f".{path.name}*.tmp"):
        left.unlink(missing_ok=True)


def _publish(temporary: Path, path: Path, facts: Mapping[str, Any]) -> None:
    """Sync, then rename the sidecar, then the checkpoint."""
    digest = _synced_digest(temporary)
    side = sidecar(path)
    text = json.dumps(
        {**facts, "sha256": digest, "replaces": _sums(side)[:8], "bytes": temporary.stat().st_size}, indent=1, allow_nan=False
    )
    side_temporary = side.with_name(f".{side.name}.tmp")
    with side_temporary.open("w", encoding="utf-8") as f:
        f.write(text + "\n")
        f.flush()
        os.fsync(f.fileno())
    os.replace(side_temporary, side)
    os.replace(temporary, path)
    _sync_folder(path.parent)


def _synced_digest(path: Path) -> str:
    with path.open("rb+") as f:
        os.fsync(f.fileno())
    return _digest(path)


def _digest(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # Windows cannot open folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sidecar(path: Path) -> Path:
    """The JSON file beside a checkpoint."""
    return path.with_name(path.name + ".json")


def _sums(side: Path) -> list[str]:
    """The sums a sidecar admits: its own, and those of files that it replaces, should a kill have kept them in place."""
    try:
        found = json.loads(side.read_text(encoding="utf-8"))
        return [found["sha256"], *found["replaces"]]
    except (OSError, ValueError, TypeError, KeyError):
        return []


# -- reading -----------------------------------------------------------------------------------------------------------
def load(path: Path) -> State:
    """The checkpoint's state on the CPU, read with weights_only=True.

    Raises:
        CheckpointError: it is missing, differs from its sidecar's sum, or is not a checkpoint of ngttrain.
    """
    sums = _sums(sidecar(path))
    try:
        if sums and _digest(path) not in sums:
            raise CheckpointError(
                f"{path} is not the file its sidecar {sidecar(path).name} describes (another sha256); restore it or take another checkpoint"
            )
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):  # torch would unpickle it as the format of old
                raise CheckpointError(f"checkpoint {path} is damaged or no checkpoint: it is no zip archive; resume from another")
            if not sums and (torn := zipfile.ZipFile(file).testzip()):  # the archive's own sums, which torch does not look at
                raise CheckpointError(f"checkpoint {path} is damaged: {torn} does not have its checksum; resume from another")
            file.seek(0)
            state = torch.load(file, map_location="cpu", weights_only=True)
    except OSError as e:
        raise CheckpointError(f"checkpoint {path}: {(e.strerror or str(e)).lower()}") from e
    except (RuntimeError, pickle.UnpicklingError, zipfile.BadZipFile, EOFError, ValueError, KeyError) as e:
        raise CheckpointError(f"checkpoint {path} is damaged or no checkpoint: {next(iter(str(e).splitlines()), '')[:120]}") from e
    missing = [key for key in NEEDED if key not in state] if isinstance(state, dict) else NEEDED
    if missing:
        raise CheckpointError(f"checkpoint {path} was not written by ngttrain: it has no {missing[0]!r}")
    if state["format"] != FORMAT:
        raise CheckpointError(f"checkpoint {path} has format {state['format']}; this version reads {FORMAT}")
    return dict(state)


# -- random state ------------------------------------------------------------------------------------------------------
def random_state(device: torch.device) -> State:
    """The state of every generator that training may draw from, as plain data."""
    version, numbers, gauss = random.getstate()
    name, keys, *rest = np.random.get_state(legacy=True)
    state: State = {"torch": torch.get_rng_state(), "python": [version, list(numbers), gauss], "numpy": [name, keys.tolist(), *rest]}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def set_random_state(state: Mapping[str, Any], device: torch.device) -> None:
    """Put the generators back where `random_state` found them."""
    torch.set_rng_state(state["torch"])
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, np.array(keys, dtype=np.uint32), *rest))
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
